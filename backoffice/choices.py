"""Choosing a row that another row refers to: only visible ones, found by typing, called by their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    ModelChoiceField = forms.ModelChoiceField[Any]
else:
    ModelChoiceField = forms.ModelChoiceField

ID_MAX = 2**63 - 1

# Names the boxes that Django's script makes, so it comes after that one.
SCRIPTS = forms.Media(js=["admin/js/autocomplete.js", "chargetree/choices.js"])

# What rows are called on this page, by primary key, in a constant number of statements.
Labels = Callable[[Iterable[Any]], dict[int, str]]


def is_id(value: object) -> bool:
    """Whether a text from outside can be a primary key; anything else makes the database raise."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= ID_MAX


class EntityChoiceField(ModelChoiceField):
    """One of the rows that the caller may see."""

    default_error_messages = {
        "invalid_choice": _("Is unknown: choose one that you can see."),
    }

    def __init__(self, *args: Any, labels: Labels, **kwargs: Any) -> None:
        self._labels = labels
        super().__init__(*args, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return self._labels([obj])[obj.pk]


class EntitySelect(AutocompleteSelect):
    """A select that is filled while typing. `outside_of` is a site whose own subtree is no choice."""

    def __init__(self, field: models.Field[Any, Any], admin_site: Any, labels: Labels) -> None:
        super().__init__(field, admin_site)
        self.outside_of: int | None = None
        self._labels = labels
        # Shared by the copies that a formset makes for its rows.
        self._known: dict[str, str] = {}

    @property
    def media(self) -> forms.Media:
        return super().media + SCRIPTS

    def remember(self, rows: Iterable[Any]) -> None:
        """Look up what all these rows are called at once, before they are rendered one by one."""
        self._known.update({str(pk): label for pk, label in self._labels(rows).items()})

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> Any:
        """The script names the field by what stands in it: while that is nothing, by what to do there."""
        return {**super().build_attrs(base_attrs, extra_attrs), "data-placeholder": str(_("Type a part of the name"))}

    def get_url(self) -> str:
        url = super().get_url()
        return f"{url}?outside_of={self.outside_of}" if self.outside_of else url

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        chosen = [one for one in value if is_id(one)]
        if len(chosen) == 1 and chosen[0] in self._known:
            empty = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
            option = self.create_option(name, chosen[0], self._known[chosen[0]], True, len(empty))
            return [(None, [*empty, option], 0)]
        return super().optgroups(name, chosen, attr)


class AutocompleteView(AutocompleteJsonView):
    """The rows that match what was typed into an `EntitySelect`."""

    model_admin: Any

    def process_request(self, request: HttpRequest) -> Any:
        found = super().process_request(request)
        if not isinstance(found[2], models.ForeignKey):
            raise PermissionDenied
        return found

    def get_queryset(self) -> Any:
        return self.model_admin.narrow_choices(self.request, super().get_queryset())

    def get_context_data(self, **kwargs: Any) -> Any:
        context = super().get_context_data(**kwargs)
        context["object_list"] = list(context["object_list"])
        self.labels = self.model_admin.choice_labels(self.request, context["object_list"])
        return context

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        return {"id": str(obj.pk), "text": self.labels[obj.pk]}

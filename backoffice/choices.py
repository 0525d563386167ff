"""Form fields and the autocomplete view for foreign keys: accessible rows only, labelled with their site."""

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

# Labels the elements that Django's script creates, so it must load after it.
SCRIPTS = forms.Media(js=["admin/js/autocomplete.js", "chargetree/choices.js"])

# Labels of rows by primary key, in a constant number of statements.
Labels = Callable[[Iterable[Any]], dict[int, str]]


def is_id(value: object) -> bool:
    """Whether the input can be a primary key. The database raises an error for anything else."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= ID_MAX


class EntityChoiceField(ModelChoiceField):
    """A choice of the rows that the caller has access to."""

    default_error_messages = {
        "invalid_choice": _("Not found, or you have no access to it."),
    }

    def __init__(self, *args: Any, labels: Labels, **kwargs: Any) -> None:
        self._labels = labels
        super().__init__(*args, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return self._labels([obj])[obj.pk]


class EntitySelect(AutocompleteSelect):
    """An autocomplete select. `outside_of` is a site whose subtree is excluded."""

    def __init__(self, field: models.Field[Any, Any], admin_site: Any, labels: Labels) -> None:
        super().__init__(field, admin_site)
        self.outside_of: int | None = None
        self._labels = labels
        # Shared by the copies that a formset creates for its forms.
        self._known: dict[str, str] = {}

    @property
    def media(self) -> forms.Media:
        return super().media + SCRIPTS

    def remember(self, rows: Iterable[Any]) -> None:
        """Load the labels of all these rows at once, before they are rendered one by one."""
        self._known.update({str(pk): label for pk, label in self._labels(rows).items()})

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> Any:
        """With a placeholder, from which the script takes the accessible name of an empty field."""
        return {**super().build_attrs(base_attrs, extra_attrs), "data-placeholder": str(_("Type part of the name"))}

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
    """The search results of an `EntitySelect`."""

    model_admin: Any

    def process_request(self, request: HttpRequest) -> Any:
        found = super().process_request(request)
        if not isinstance(found[2], models.ForeignKey):
            raise PermissionDenied
        return found

    def get_queryset(self) -> Any:
        return self.model_admin.filter_choices(self.request, super().get_queryset())

    def get_context_data(self, **kwargs: Any) -> Any:
        context = super().get_context_data(**kwargs)
        context["object_list"] = list(context["object_list"])
        self.labels = self.model_admin.choice_labels(self.request, context["object_list"])
        return context

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        return {"id": str(obj.pk), "text": self.labels[obj.pk]}

"""Forms over rows that people edit: they carry the row's version, and show what the services refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, FieldDoesNotExist, ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from hierarchy.admin.callers import REFUSALS, sentence
from hierarchy.admin.choices import EntitySelect
from hierarchy.fields import MomentField
from hierarchy.scoping import Scope

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    ModelForm = forms.ModelForm
    InlineFormSet = BaseInlineFormSet

VERSION_MAX = 2**31 - 1

# A page that claims to hold more new lines was not made by a person.
_MOST_NEW_LINES = 100


class Refused(Exception):
    """A refused write, on its way out of the transaction to the form whose prefix it carries."""

    def __init__(self, prefix: str | None, error: Exception) -> None:
        super().__init__(str(error))
        self.prefix = prefix
        self.error = error


@contextmanager
def refusals_to(prefix: str | None) -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        raise Refused(prefix, error) from error


class MomentInput(forms.DateTimeInput):
    """The browser's own field for a date and a time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"step": 1}, format="%Y-%m-%dT%H:%M:%S")


class EntityForm(ModelForm):
    """The form of one row, of its own page or of a line in another's.

    `scope` and `refused` are set on the class that the admin makes for each request.
    """

    row_version = forms.IntegerField(
        required=False, min_value=1, max_value=VERSION_MAX, widget=forms.HiddenInput, label=_("version")
    )

    scope: ClassVar[Scope] = Scope(customer_id=None)
    refused: ClassVar[Refused | None] = None
    # Whether this was the line of a row that is not among the rows of the page any more.
    is_gone = False
    # Where an error is shown whose column is no field of the form.
    error_places: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            if self.scope.customer_id is not None and hasattr(self.instance, "customer_id"):
                self.instance.customer_id = self.scope.customer_id
        else:
            self.initial["row_version"] = self.instance.version
        if "customer" in self.fields:
            # It may follow from the place; the services insist on one of the two.
            self.fields["customer"].required = not self.instance.customer_from
        if self.scope.is_restricted:
            for name in self.instance.place_fields & self.fields.keys():
                self.fields[name].required = True

    @property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name != "row_version"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.instance._state.adding and not cleaned.get("row_version"):
            self.add_error(None, _("The page does not say which version it was made from: load it again."))
        return cleaned

    def _post_clean(self) -> None:
        is_new = self.instance._state.adding
        if not is_new:
            self._keep_moments()
        super()._post_clean()  # type: ignore[misc]
        if not is_new:
            self.instance.version = self.cleaned_data.get("row_version")

    def _keep_moments(self) -> None:
        """A moment is shown to the second: one that nobody changed keeps its milliseconds."""
        changed = set(self.changed_data)
        for field in self.instance._meta.concrete_fields:
            if isinstance(field, MomentField) and field.name in self.cleaned_data and field.name not in changed:
                self.cleaned_data[field.name] = getattr(self.instance, field.name)

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        if self.is_gone:
            self.add_error(None, _("This row was deleted in the meantime: load the page again."))
        if self.refused is not None and self.refused.prefix == self.prefix:
            self._show(self.refused.error)

    def _show(self, error: Exception) -> None:
        if not isinstance(error, ValidationError) or not hasattr(error, "error_dict"):
            self.add_error(None, sentence(error))
            return
        for column, errors in error.error_dict.items():
            place = self.error_places.get(column, column)
            if place in self.fields:
                self.add_error(place, errors)
            else:
                for one in errors:
                    self.add_error(None, self._with_label(column, sentence(one)))

    def _with_label(self, column: str, text: str) -> str:
        """The error of a column that has no field here, with the column's name before it."""
        if column == NON_FIELD_ERRORS:
            return text
        try:
            label = self.instance._meta.get_field(column).verbose_name
        except FieldDoesNotExist:
            label = column
        return f"{capfirst(str(label))}: {text}"


class EntityFormSet(InlineFormSet):
    """The lines of one kind on the page of another row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.form.base_fields.items():
            select = getattr(field.widget, "widget", field.widget)
            if isinstance(select, EntitySelect) and self.instance.pk is not None:
                select.remember([target for row in self.get_queryset() if (target := getattr(row, name)) is not None])

    def total_form_count(self) -> int:
        """As the page says, but nobody adds more than so many lines by hand at once."""
        stated: int = super().total_form_count()
        return min(stated, len(self.get_queryset()) + _MOST_NEW_LINES) if self.is_bound else stated

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        for row in rows:
            # Names of lines speak of the row that they belong to, which is at hand.
            setattr(row, self.fk.name, self.instance)
        return rows

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        # Django would take such a line for a new row, whatever id it carries.
        form.is_gone = i < self.initial_form_count() and form.instance._state.adding
        return form

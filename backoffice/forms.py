"""Forms of models that users edit: optimistic locking by row version, and errors of the services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, FieldDoesNotExist, ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import BaseInlineFormSet
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice import conflicts
from backoffice.callers import WRITE_ERRORS, error_message
from backoffice.choices import EntitySelect, is_id
from backoffice.times import UTC, TimestampFormField, zone_of
from hierarchy.scoping import Scope

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    ModelForm = forms.ModelForm
    InlineFormSet = BaseInlineFormSet

VERSION_MAX = 2**31 - 1

# Limits the forms that a manipulated TOTAL_FORMS can create.
_MOST_NEW_LINES = 100


class Refused(Exception):
    """Carries the error of a write out of the transaction, to the form with this prefix."""

    def __init__(self, prefix: str | None, error: Exception) -> None:
        super().__init__(str(error))
        self.prefix = prefix
        self.error = error


@contextmanager
def errors_to_form(prefix: str | None) -> Iterator[None]:
    try:
        yield
    except WRITE_ERRORS as error:
        raise Refused(prefix, error) from error


class EntityForm(ModelForm):
    """The form of one row, on its own page or inline.

    `scope`, `zone` and `refused` are set on the form class that the admin creates for each request.
    """

    row_version = forms.IntegerField(
        required=False, min_value=1, max_value=VERSION_MAX, widget=forms.HiddenInput, label=_("version")
    )

    scope: ClassVar[Scope] = Scope(customer_id=None)
    zone: ClassVar[ZoneInfo] = UTC
    refused: ClassVar[Refused | None] = None
    # Whether this is the inline form of a row that no longer exists.
    is_deleted = False
    # Maps columns to the form field that shows their errors.
    error_fields: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, TimestampFormField):
                field.zone = self.zone
        if self.instance._state.adding:
            if self.scope.customer_id is not None and hasattr(self.instance, "customer_id"):
                self.instance.customer_id = self.scope.customer_id
        else:
            self.initial["row_version"] = self.instance.version
        if "customer" in self.fields:
            # It may follow from another field; the services require one of them.
            self.fields["customer"].required = not self.instance.rules.customer_from
        if self.scope.is_restricted:
            for name in self.instance.rules.place_fields & self.fields.keys():
                self.fields[name].required = True
        # The fields that someone else changed too, and the message for a page older than its row.
        self.conflicting: list[str] = []
        self.stale_message: SafeString | None = None
        if self.is_bound and not self.instance._state.adding:
            self._merge_concurrent_changes()

    def _merge_concurrent_changes(self) -> None:
        """Before validation, merge changes that others saved after the page was opened into the submitted data.

        Fields that only one side changed take that value; for the others, the form asks.
        """
        columns = {field.name for field in self.instance.journaled_fields()}
        answers = [name for name in self.fields.keys() & columns if self._answer(name) == conflicts.THEIRS]
        version = str(self["row_version"].data or "")
        is_old = is_id(version) and 1 <= int(version) < self.instance.version
        # For a row marked for deletion, the services report the conflict.
        is_old = is_old and (self.refused is not None or not self.data.get(self.add_prefix(DELETION_FIELD_NAME)))
        if not answers and not is_old:
            return
        data: Any = self.data
        # The QueryDict is immutable and shared with other forms.
        self.data = data = data.copy()
        for name in answers:
            conflicts.write_stored_value(data, self[name])
        if is_old:
            self._merge([name for name in self.fields if name in columns], int(version))
            data[self.add_prefix("row_version")] = str(self.instance.version)

    def _answer(self, name: str) -> Any:
        return self.data.get(f"{self.add_prefix(name)}{conflicts.WHOSE}")

    def _merge(self, names: list[str], version: int) -> None:
        lines = conflicts.changes_since(self.instance, version, self.scope)
        old = conflicts.values_before(self.instance, lines)
        is_known = len(lines) == self.instance.version - version
        mine, taken = False, []
        for name in names:
            bound: Any = self[name]
            if not bound._has_changed():
                continue
            if is_known and name not in old:
                mine = True
            elif is_known and not bound.field.has_changed(old[name], bound.data):
                conflicts.write_stored_value(self.data, bound)
                taken.append(str(bound.label))
            else:
                self.conflicting.append(name)
        if mine or self.conflicting:
            is_line = self.prefix is not None
            self.stale_message = (
                conflicts.stale_inline_message(self.instance)
                if is_line
                else conflicts.stale_form_message(self.instance, lines, taken, is_asked=bool(self.conflicting))
            )

    @property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name != "row_version"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.instance._state.adding and not cleaned.get("row_version"):
            self.add_error(None, _("The version of this record is missing. Reload the page."))
        if "customer" in self.fields and not cleaned.get("customer") and not self.errors:
            self._find_customer(cleaned)
        return cleaned

    def _find_customer(self, cleaned: dict[str, Any]) -> None:
        """Derive the customer from another field if platform staff did not choose one."""
        sources = [name for name in self.instance.rules.customer_from if name in self.fields]
        known = next((cleaned[name] for name in sources if cleaned.get(name)), None)
        if known is not None:
            cleaned["customer"] = known.customer
            return
        words = {"sources": " / ".join(str(self.fields[name].label) for name in sources)}
        self.add_error("customer", _("Choose a customer, or a value for %(sources)s.") % words)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.instance._state.adding:
            self.instance.version = self.cleaned_data.get("row_version")

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        if self.is_deleted:
            self.add_error(None, _("This row was deleted after you opened the page. Reload the page."))
        if self.stale_message is not None:
            self.add_error(None, self.stale_message)
            for name in self.conflicting:
                self.add_error(name, conflicts.choice_message(self[name], self.instance))
        elif self.refused is not None and self.refused.prefix == self.prefix:
            self._show(self.refused.error)

    def _show(self, error: Exception) -> None:
        if not isinstance(error, ValidationError) or not hasattr(error, "error_dict"):
            self.add_error(None, error_message(error))
            return
        for column, errors in error.error_dict.items():
            place = self.error_fields.get(column, column)
            if place in self.fields:
                self.add_error(place, errors)
            else:
                for one in errors:
                    self.add_error(None, self._with_label(column, error_message(one)))

    def _with_label(self, column: str, text: str) -> str:
        """The error of a column without a form field, prefixed with the column's label."""
        if column == NON_FIELD_ERRORS:
            return text
        try:
            label = self.instance._meta.get_field(column).verbose_name
        except FieldDoesNotExist:
            label = column
        return f"{capfirst(str(label))}: {text}"


class EntityFormSet(InlineFormSet):
    """The inline forms of one model."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.form.base_fields.items():
            select = getattr(field.widget, "widget", field.widget)
            if isinstance(select, EntitySelect) and self.instance.pk is not None:
                select.remember([target for row in self.get_queryset() if (target := getattr(row, name)) is not None])

    def total_form_count(self) -> int:
        """As submitted, up to a limit of new forms."""
        stated: int = super().total_form_count()
        return min(stated, len(self.get_queryset()) + _MOST_NEW_LINES) if self.is_bound else stated

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        for row in rows:
            # The str() of inline rows uses their parent, which is loaded already.
            setattr(row, self.fk.name, self.instance)
            row.shown_zone = zone_of(self.instance)
        return rows

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        # Django would treat it as a new row, despite its id.
        form.is_deleted = i < self.initial_form_count() and form.instance._state.adding
        return form

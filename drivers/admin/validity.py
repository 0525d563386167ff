"""The bulk action that sets the validity of tags."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.actions import InvalidSelection, PlannedAction, Selection, counted, table_of
from backoffice.times import TimestampFormField, zone_named
from bulk.edits import SET, Edit
from hierarchy.models import Customer

KEEP, NOTHING, NOW, AT = "keep", "none", "now", "at"


class ValidityForm(forms.Form):
    """The start and the end of the validity; each can stay unchanged."""

    begin = forms.ChoiceField(
        label=_("Valid from"),
        choices=[(KEEP, _("Unchanged")), (NOTHING, _("No start")), (AT, _("From this time:"))],
        initial=KEEP,
        widget=forms.RadioSelect,
    )
    starts_at = TimestampFormField(label=_("Start"), required=False)
    end = forms.ChoiceField(
        label=_("Valid to"),
        choices=[
            (KEEP, _("Unchanged")),
            (NOW, _("Now. Expired tags stay unchanged.")),
            (NOTHING, _("No end")),
            (AT, _("Until this time:")),
        ],
        initial=KEEP,
        widget=forms.RadioSelect,
    )
    expires_at = TimestampFormField(label=_("End"), required=False)

    def __init__(self, customer: Customer, data: Any) -> None:
        super().__init__(data)
        for name in ("starts_at", "expires_at"):
            field: Any = self.fields[name]
            field.zone = zone_named(customer.time_zone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for choice, timestamp in (("begin", "starts_at"), ("end", "expires_at")):
            if timestamp in self.errors or choice in self.errors:
                continue
            if cleaned.get(choice) == AT and cleaned.get(timestamp) is None:
                self.add_error(timestamp, _("Enter a date and time."))
            elif cleaned.get(choice) != AT and cleaned.get(timestamp) is not None:
                self.add_error(choice, _("Choose the option for the date and time below, or clear them."))
        if not self.errors:
            values = self.values()
            start, end = values.get("starts_at"), values.get("expires_at")
            if not values:
                self.add_error(None, _("Nothing to change. Choose another start or end."))
            elif start and end and start >= end:
                self.add_error(None, _("The end is before the start. Choose a later end."))
        return cleaned

    def values(self) -> dict[str, datetime.datetime | None]:
        """The new values by field."""
        cleaned = self.cleaned_data
        now = timezone.now().replace(microsecond=0)
        values = {}
        for choice, timestamp in (("begin", "starts_at"), ("end", "expires_at")):
            if cleaned[choice] != KEEP:
                values[timestamp] = {NOTHING: None, NOW: now, AT: cleaned[timestamp]}[cleaned[choice]]
        return values


class SetValidity(PlannedAction):
    """Sets the validity of the selected tags or, with `of`, of the tags whose foreign key is a selected row."""

    def __init__(self, name: str, description: Any, title: Any, model: Any, of: str = "pk") -> None:
        super().__init__(name, description, title)
        self.model, self.of = model, of

    def form(self, selection: Selection, data: Any) -> forms.Form:
        return ValidityForm(selection.customer, data)

    def edit(self, selection: Selection, form: Any) -> Edit:
        values = form.values()
        tags = self.model.objects.visible_to(selection.scope).filter(**{f"{self.of}__in": selection.id_subquery})
        notes: tuple[str, ...] = ()
        if form.cleaned_data["end"] == NOW:
            ended = tags.filter(expires_at__lte=values["expires_at"])
            count = ended.count()
            tags = tags.exclude(pk__in=ended.order_by().values("pk"))
            note = gettext("%(tags)s already expired: left unchanged.")
            notes = (note % {"tags": counted(self.model, count)},) if count else ()
        ids = tuple(tags.values_list("pk", flat=True))
        if not ids:
            raise InvalidSelection(gettext("Nothing to change: no tags are affected."))
        back = selection.request.get_full_path()
        return Edit(table_of(self.model).name, SET, ids, values, notes=notes, back=back)

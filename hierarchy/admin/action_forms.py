"""What an action asks before it can say what it would do."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy.admin.times import MomentChoice, zone_named
from hierarchy.models import Customer

KEEP, NOTHING, NOW, AT = "keep", "none", "now", "at"


class TargetForm(forms.Form):
    """One row to which the chosen ones are to be tied; with `nothing`, a way to tie them to none instead."""

    def __init__(
        self, request: Any, customer: Customer, reference: Any, label: Any, data: Any, nothing: Any = ""
    ) -> None:
        super().__init__(data)
        self.customer = customer
        page: Any = admin.site.get_model_admin(reference.model)
        self.fields["target"] = page.formfield_for_foreignkey(
            reference, request, label=label, required=not nothing, help_text=""
        )
        if nothing:
            self.fields["nothing"] = forms.BooleanField(label=nothing, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        target, is_nothing = cleaned.get("target"), cleaned.get("nothing")
        if target is not None and target.owner_id() != self.customer.pk:
            message = _("Belongs to another customer: choose one of %(name)s.")
            self.add_error("target", message % {"name": self.customer})
        elif target is not None and is_nothing:
            self.add_error("nothing", _("Something is chosen above: empty it, or take this mark away."))
        elif target is None and not is_nothing and "target" not in self.errors:
            self.add_error("target", _("Choose one."))
        return cleaned


class ValidityForm(forms.Form):
    """From when and until when tags are valid; each may stay as it is."""

    begin = forms.ChoiceField(
        label=_("Valid from"),
        choices=[(KEEP, _("As it is")), (NOTHING, _("No beginning")), (AT, _("From this moment on:"))],
        initial=KEEP,
        widget=forms.RadioSelect,
    )
    starts_at = MomentChoice(label=_("Beginning"), required=False)
    end = forms.ChoiceField(
        label=_("Valid to"),
        choices=[
            (KEEP, _("As it is")),
            (NOW, _("Ends now; what has ended stays as it is")),
            (NOTHING, _("No end")),
            (AT, _("Until this moment:")),
        ],
        initial=KEEP,
        widget=forms.RadioSelect,
    )
    expires_at = MomentChoice(label=_("End"), required=False)

    def __init__(self, customer: Customer, data: Any) -> None:
        super().__init__(data)
        for name in ("starts_at", "expires_at"):
            field: Any = self.fields[name]
            field.zone = zone_named(customer.time_zone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for choice, moment in (("begin", "starts_at"), ("end", "expires_at")):
            if moment in self.errors or choice in self.errors:
                continue
            if cleaned.get(choice) == AT and cleaned.get(moment) is None:
                self.add_error(moment, _("Fill in the moment."))
            elif cleaned.get(choice) != AT and cleaned.get(moment) is not None:
                self.add_error(choice, _("A moment is filled in: choose it, or empty it."))
        if not self.errors:
            values = self.values()
            start, end = values.get("starts_at"), values.get("expires_at")
            if not values:
                self.add_error(None, _("Nothing would change: choose another beginning or end."))
            elif start and end and start >= end:
                self.add_error(None, _("The tags would end before they begin: choose a later end."))
        return cleaned

    def values(self) -> dict[str, datetime.datetime | None]:
        """What changes, by field."""
        chosen = self.cleaned_data
        now = timezone.now().replace(microsecond=0)
        values = {}
        for choice, moment in (("begin", "starts_at"), ("end", "expires_at")):
            if chosen[choice] != KEEP:
                values[moment] = {NOTHING: None, NOW: now, AT: chosen[moment]}[chosen[choice]]
        return values

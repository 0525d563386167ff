"""The admin's pages of webhooks."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backoffice.callers import caller_of
from backoffice.filters import CustomerFilter, QuestionFilter
from hierarchy.scoping import Scope
from operators.admin.owned import ASK_ROTATE_WEBHOOK, OwnedAdmin, next_url
from operators.webhooks import services as webhooks
from operators.webhooks.models import EVENT_LABELS, Webhook, all_changes


class DeliveryFilter(QuestionFilter):
    title = _("delivery")
    parameter_name = "delivery"
    answers: ClassVar[dict[str, Any]] = {
        "fine": _("Delivered"),
        "failing": _("Failing"),
        "never": _("Nothing sent yet"),
    }

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        conditions = {
            "fine": Q(failing_since=None, last_delivered_at__isnull=False),
            "failing": Q(failing_since__isnull=False),
            "never": Q(failing_since=None, last_delivered_at=None),
        }
        return rows.filter(conditions[answer])


@admin.register(Webhook)
class WebhookAdmin(OwnedAdmin):
    """A webhook's secret is on the page that answers its making, and nowhere else."""

    list_display = ("name", "url", "operator", "is_active", "last_delivered_at", "last_failure")
    list_filter = ("is_active", DeliveryFilter, CustomerFilter)
    search_fields = ("name__icontains", "url__icontains", "operator__email_key__contains")
    search_help_text = _("Name, address or e-mail address")
    ordering = ("operator__email_key", "name", "pk")
    references = ("operator",)
    zone_attribute = "operator.home_site_id"
    readonly_fields = (
        "disabled_reason",
        "cursor",
        "last_delivered_at",
        "failing_since",
        "last_failed_at",
        "last_failure",
        "given_up",
    )
    confirmed_actions = {"rotate": ASK_ROTATE_WEBHOOK}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["operator", "name", "url", "events"]
        return ["name", "url", "events", "is_active", *self.readonly_fields]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "events":
            return forms.MultipleChoiceField(
                label=capfirst(db_field.verbose_name),
                choices=list(EVENT_LABELS.items()),
                initial=all_changes,
                widget=forms.CheckboxSelectMultiple,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.show_once(request, {obj.pk: webhooks.secret(obj)})

    def do_rotate(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        return self.show_once(request, {webhook.pk: webhooks.rotate(caller_of(request), webhook)})

    def shown_context(self, request: HttpRequest, rows: list[Webhook]) -> dict[str, Any]:
        back = next_url(request, rows, "admin:operators_webhook_changelist")
        return {"title": ngettext("Signing secret", "Signing secrets", len(rows)), "back": back}

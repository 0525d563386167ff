"""The ModelAdmin of API keys."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from backoffice.actions import SUBMITTED
from backoffice.callers import caller_of
from backoffice.filters import CustomerFilter, QuestionFilter
from backoffice.forms import errors_to_form
from hierarchy.errors import Conflict
from hierarchy.request_context import context_of
from hierarchy.scoping import Scope
from operators import services
from operators.admin.owned import ASK_REVOKE_KEY, ASK_ROTATE_KEY, OwnedAdmin, next_url
from operators.models import ApiKey

# The confirmation page lists them all.
MOST_REVOKED = 100


class StateFilter(QuestionFilter):
    title = _("state")
    parameter_name = "state"
    answers: ClassVar[dict[str, Any]] = {"valid": _("Valid"), "expired": _("Expired"), "revoked": _("Revoked")}

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        expired = Q(expires_at__isnull=False, expires_at__lte=timezone.now())
        conditions = {
            "valid": _is_valid(),
            "expired": Q(revoked_at=None) & expired,
            "revoked": Q(revoked_at__isnull=False),
        }
        return rows.filter(conditions[answer])


@admin.register(ApiKey)
class ApiKeyAdmin(OwnedAdmin):
    """The key itself is shown only in response to its creation."""

    list_display = ("name", "hint", "operator", "is_read_only", "state", "expires_at", "last_used_at")
    list_filter = (StateFilter, "is_read_only", CustomerFilter)
    search_fields = ("name__icontains", "hint__icontains", "operator__email_key__contains")
    search_help_text = _("Name, prefix or email address")
    ordering = ("operator__email_key", "name", "pk")
    references = ("operator",)
    zone_attribute = "operator.home_site_id"
    readonly_fields = ("hint", "state", "revoked_at", "last_used_at")
    actions = ("revoke",)
    confirmed_actions = {"rotate": ASK_ROTATE_KEY, "revoke": ASK_REVOKE_KEY}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["operator", "name", "is_read_only", "expires_at"]
        return ["name", "is_read_only", "expires_at", "hint", "state", "revoked_at", "last_used_at"]

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> str:
        return key_state(key)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        with errors_to_form(form.prefix):
            created = services.api_key_create(
                caller_of(request), obj.operator, obj.name, is_read_only=obj.is_read_only, expires_at=obj.expires_at
            )
        context_of(request).new_key = created

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_once(request, context_of(request).new_key)

    @admin.action(description=_("Revoke selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Confirm, then revoke exactly the listed keys: other keys may match the filters by then."""
        keys = list(queryset.filter(_is_valid())[: MOST_REVOKED + 1])
        if len(keys) > MOST_REVOKED:
            raise Conflict(_("At most %d keys can be revoked at once. Select fewer.") % MOST_REVOKED)
        if not keys:
            nothing = gettext("Nothing to revoke: the selected keys are already revoked or expired.")
            self.message_user(request, nothing, messages.WARNING)
            return None
        if SUBMITTED not in request.POST:
            return self._ask(request, keys)
        for key in keys:
            services.api_key_revoke(caller_of(request), key)
        text = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", len(keys))
        self.message_user(request, text % {"count": len(keys)}, messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, keys: list[ApiKey]) -> HttpResponse:
        self.attach_zones(request, keys)
        count = len(keys)
        selected = [(ACTION_CHECKBOX_NAME, key.pk) for key in keys]
        question = ngettext("This key stops working at once:", "These %(count)s keys stop working at once:", count)
        context = {
            **self.admin_site.each_context(request),
            "title": ngettext("Revoke selected key", "Revoke selected keys", count),
            "here": gettext("Revoke"),
            "opts": self.opts,
            "question": question % {"count": count},
            "keys": keys,
            "hidden": [("action", "revoke"), ("index", "0"), (SUBMITTED, "1"), *selected],
            "button": gettext("Revoke"),
            "keep": gettext("Keep"),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/operators/apikey/ask.html", context)

    def do_rotate(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        return self._show_once(request, services.api_key_rotate(caller_of(request), key))

    def do_revoke(self, request: HttpRequest, key: ApiKey) -> str:
        services.api_key_revoke(caller_of(request), key)
        return gettext("%(key)s was revoked.") % {"key": key}

    def _show_once(self, request: HttpRequest, *created: tuple[ApiKey, str]) -> HttpResponse:
        return self.show_once(request, {key.pk: text for key, text in created})

    def shown_context(self, request: HttpRequest, rows: list[ApiKey]) -> dict[str, Any]:
        back = next_url(request, rows, "admin:operators_apikey_changelist")
        return {"title": ngettext("New API key", "New API keys", len(rows)), "back": back}


def _is_valid() -> Q:
    """`ApiKey.is_valid` as a condition."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def key_state(key: ApiKey) -> str:
    if key.is_valid:
        return gettext("valid")
    return gettext("revoked") if key.revoked_at else gettext("expired")

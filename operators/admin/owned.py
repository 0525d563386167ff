"""The base ModelAdmin of API keys and webhooks, which belong to an operator and are listed on the operator's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from backoffice.callers import WRITE_ERRORS, caller_of, error_message, scope_of
from backoffice.choices import EntityChoiceField
from backoffice.entities import EntityAdmin
from hierarchy import journal
from hierarchy.scoping import Scope
from operators.admin.shown_once import ShowsOnce
from operators.models import ApiKey, Operator
from operators.webhooks.models import Webhook

# An action on one row after a confirmation page. Returns a page or a success message.
ConfirmedAction = Callable[[HttpRequest, Any], HttpResponse | str]


class OwnedAdmin(ShowsOnce, EntityAdmin):
    """ModelAdmin of objects that belong to an operator.

    `confirmed_actions` maps a name (of the URL and of the method `do_<name>`) to title, question and button.
    """

    confirmed_actions: ClassVar[dict[str, tuple[Any, Any, Any]]] = {}

    def is_writer(self, scope: Scope) -> bool:
        """All operators may create their own."""
        return scope.operator_id is not None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Includes the caller, who has no access to the own row without a home site."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if isinstance(field, EntityChoiceField) and field.queryset is not None:
            field.queryset = field.queryset | Operator.objects.filter(pk=scope_of(request).operator_id)
        return field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        scope = scope_of(request)
        oneself = {} if scope.is_platform else {"operator": scope.operator_id}
        return {**oneself, **super().get_changeform_initial_data(request)}

    def get_urls(self) -> list[URLPattern]:
        name = self.opts.model_name
        own = [
            path(
                f"<path:object_id>/{action}/",
                self.admin_site.admin_view(self._confirm_view),
                {"action": action},
                name=f"operators_{name}_{action}",
            )
            for action in self.confirmed_actions
        ]
        return [*own, *super().get_urls()]

    def _confirm_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Show the confirmation page, or run the action."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        title, question, button = self.confirmed_actions[action]
        if request.method == "POST":
            try:
                with journal.recording(caller_of(request)):
                    done = getattr(self, f"do_{action}")(request, row)
            except WRITE_ERRORS as error:
                self.message_user(request, error_message(error), messages.ERROR)
                return HttpResponseRedirect(owner_url(request, row.operator))
            if isinstance(done, str):
                self.message_user(request, done, messages.SUCCESS)
                return HttpResponseRedirect(owner_url(request, row.operator))
            return done
        context = {
            **self.admin_site.each_context(request),
            "title": title % {"object": row},
            "question": question,
            "button": button,
            "here": title % {"object": row},
            "opts": self.opts,
            "original": row,
            "back": owner_url(request, row.operator),
        }
        return TemplateResponse(request, "admin/operators/ask.html", context)


def owner_url(request: HttpRequest, operator: Operator) -> str:
    """The URL of the page that lists the operator's keys and webhooks: your account, or the operator's page."""
    if operator.pk == scope_of(request).operator_id:
        return reverse("admin:account")
    return reverse("admin:operators_operator_change", args=[quote(operator.pk)])


def keys_and_webhooks(request: HttpRequest, operator: Operator) -> dict[str, Any] | None:
    """The keys and webhooks of an operator; None if the caller has no access to them.

    Two statements.
    """
    scope = scope_of(request)
    is_own = operator.pk == scope.operator_id
    if operator.customer_id is None or (scope.is_restricted and not is_own):
        return None
    return {
        "operator": operator,
        "is_own": is_own,
        "keys": ApiKey.objects.visible_to(scope).filter(operator=operator).order_by("name", "pk"),
        "webhooks": Webhook.objects.visible_to(scope).filter(operator=operator).order_by("name", "pk"),
    }


def next_url(request: HttpRequest, rows: list[Any], listed: str) -> str:
    """The next URL after showing secrets: their operator's page, or the list for several operators."""
    owners = {row.operator_id: row.operator for row in rows}
    return owner_url(request, next(iter(owners.values()))) if len(owners) == 1 else reverse(listed)


ASK_ROTATE_KEY = (
    _("Rotate %(object)s"),
    _("A new key is created and shown once. The current key stops working immediately."),
    _("Rotate the key"),
)
ASK_REVOKE_KEY = (
    _("Revoke %(object)s"),
    _("The key stops working immediately, and programs that use it lose access. This cannot be undone."),
    _("Revoke the key"),
)
ASK_ROTATE_WEBHOOK = (
    _("Rotate the secret of %(object)s"),
    _("A new signing secret is created and shown once. For a day, messages are signed with both secrets."),
    _("Rotate the secret"),
)

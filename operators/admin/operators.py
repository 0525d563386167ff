"""The ModelAdmins of operators and their site access."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from backoffice.actions import COMMON
from backoffice.callers import WRITE_ERRORS, caller_of, error_message, scope_of
from backoffice.entities import EntityAdmin, EntityInline
from backoffice.filters import QuestionFilter, WithinFilter
from backoffice.forms import EntityForm, errors_to_form
from hierarchy import journal
from hierarchy.errors import Conflict
from hierarchy.request_context import context_of
from hierarchy.scoping import Scope
from operators import services, sign_in
from operators.admin import invitations
from operators.admin.actions import ACTIONS
from operators.admin.owned import keys_and_webhooks
from operators.admin.passwords import OptionalPasswordForm, PasswordForm
from operators.admin.shown_once import ShowsOnce
from operators.models import Operator, SiteGrant

# Emails are sent one by one while the page loads.
MOST_INVITED = 50


class OperatorAddForm(OptionalPasswordForm, EntityForm):
    error_fields: ClassVar[dict[str, str]] = {"password": "new_password"}


class OperatorForm(EntityForm):
    """`leave_without_admin` is shown for the last active admin operator of a customer."""

    leave_without_admin = forms.BooleanField(
        label=_("Leave the customer without an admin operator"),
        required=False,
        help_text=_("Required to disable or demote the last one. Only platform staff can then manage operators."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        stays = cleaned.get("is_admin_operator", True) and cleaned.get("is_active", True)
        if not stays and not cleaned.get("leave_without_admin") and self.instance.is_last_admin:
            message = _(
                "This is the customer's last active admin operator. Create another one first, or tick this box."
            )
            self.add_error("leave_without_admin", message)
        return cleaned


class GrantsFilter(QuestionFilter):
    """By site access. Operators without grants who are not admin operators have none."""

    title = _("site access")
    parameter_name = "grants"
    answers: ClassVar[dict[str, Any]] = {
        "all": _("All sites"),
        "some": _("Granted sites"),
        "none": _("No sites"),
    }

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        sees_all = Q(is_admin_operator=True) | Q(is_superuser=True)
        has_grants = Q(Exists(SiteGrant.objects.filter(operator=OuterRef("pk")).order_by()))
        conditions = {"all": sees_all, "some": ~sees_all & has_grants, "none": ~sees_all & ~has_grants}
        return rows.filter(conditions[answer])


class GrantInline(EntityInline):
    model = SiteGrant
    fields = ("site",)
    references = ("site",)


@admin.register(Operator)
class OperatorAdmin(ShowsOnce, EntityAdmin):
    form = OperatorForm
    inlines = (GrantInline,)
    list_display = ("name", "state", "email", "place", "is_admin_operator", "last_login")
    list_filter = (WithinFilter, "is_admin_operator", "is_active", GrantsFilter)
    search_fields = ("name_key__contains", "email_key__contains")
    search_help_text = _("Name or email address")
    is_in_global_search = True
    chooses_customer = True
    references = ("home_site",)
    site_attribute = "home_site_id"
    readonly_fields = ("operator_id", "last_login", "state")
    actions = ("invite", *ACTIONS)
    was_shown = _("The link was shown once and is not stored. If you did not copy it, invite again for a new link.")

    class Media:
        css: ClassVar[dict[str, Any]] = {"all": ["chargetree/operators.css"]}

    # Form fields.

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            fieldsets.append((_("Sign-in"), {"fields": [], "description": invitations.invitation_note()}))
            password = {"fields": ["new_password", "new_password_again"], "classes": ["collapse"]}
            fieldsets.append((_("Set a password instead"), password))
        return fieldsets

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["name", "email", "home_site", "is_admin_operator", "is_active"]
        is_writer = obj is None or self.has_change_permission(request, obj)
        if is_writer and scope_of(request).is_restricted:
            # Restricted operators cannot create admin operators.
            fields.remove("is_admin_operator")
        if obj is None:
            return fields
        if is_writer and obj.is_last_admin:
            fields.append("leave_without_admin")
        return ["state", *fields, "operator_id", "last_login"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = OperatorAddForm
        return super().get_form(request, obj, change, **kwargs)

    @admin.display(description=_("sign-in"))
    def state(self, operator: Any) -> SafeString:
        state = invitations.state_of(operator, getattr(operator, "locked_until", None))
        detail = format_html(", {}", state.detail) if state.detail else ""
        return format_html('<span class="sign-in sign-in-{}">{}</span>{}', state.word, state.label, detail)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        operator = super().get_object(request, object_id, from_field)
        operator.locked_until = sign_in.locks([operator]).get(operator.pk)
        return operator

    def complete_page(self, request: HttpRequest, rows: list[Any]) -> None:
        super().complete_page(request, rows)
        locks = sign_in.locks(rows)
        for row in rows:
            row.locked_until = locks.get(row.pk)

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        return {operator.pk: f"{operator.name} ({operator.email})" for operator in rows}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        operator = context.get("original")
        if operator is not None and not context.get("is_popup"):
            context = {**context, "belongings": keys_and_webhooks(request, operator)}
        return super().render_change_form(request, context, *args, **kwargs)

    # Saving.

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        password = form.cleaned_data["new_password"] or None
        with errors_to_form(form.prefix):
            services.operator_create(caller_of(request), obj, password)
        if password is None and obj.is_active:
            context_of(request).invited = [obj]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Sends invitations after the commit, so that a mail server cannot block or roll back the transaction."""
        response = super().changeform_view(request, *args, **kwargs)
        context = context_of(request)
        invited = [] if context.refused else context.invited
        return invitations.send_links(self, request, invited) or response

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if context_of(request).invited and not settings.HAS_MAIL:
            # The page with the link comes next, whichever save button was used.
            sent: Any = request.POST.copy()
            for button in ("_continue", "_addanother"):
                sent.pop(button, None)
            request.POST = sent
        return super().response_add(request, obj, post_url_continue)

    # Other actions.

    @admin.action(description=_("Send a password link to selected operators"), permissions=["change"])
    def invite(self, request: HttpRequest, queryset: Any) -> None:
        operators = list(queryset[: MOST_INVITED + 1])
        if len(operators) > MOST_INVITED:
            raise Conflict(_("At most %d operators can be invited at once. Select fewer.") % MOST_INVITED)
        context_of(request).invited = [services.operator_invite(caller_of(request), one) for one in operators]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, extra_context)
        invited = context_of(request).invited
        # An error rolls back all invitations.
        is_written = len(invited) > 0 and response.status_code == 302
        return (invitations.send_links(self, request, invited) if is_written else None) or response

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        operator = self.get_object(request, unquote(object_id))
        note: Any = ""
        if operator.is_last_admin:
            note = _(
                "This is the customer's last active admin operator. Only platform staff can then manage operators."
            )
        return super().delete_view(request, object_id, {"note": note, **(extra_context or {})})

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        oneself = [row.natural_key_text for row in objs if row.pk == scope_of(request).operator_id]
        return to_delete, counts, {*forbidden, *oneself}, protected

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/password/",
                view(sensitive_post_parameters()(self.password_view)),
                name="operators_operator_password",
            ),
            path("<path:object_id>/invite/", view(require_POST(self.invite_view)), name="operators_operator_invite"),
            path("<path:object_id>/unlock/", view(require_POST(self.unlock_view)), name="operators_operator_unlock"),
            *super().get_urls(),
        ]

    def invite_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Create a new password link for an operator."""
        operator = self._changeable(request, object_id)
        try:
            services.operator_invite(caller_of(request), operator)
        except WRITE_ERRORS as error:
            self.message_user(request, error_message(error), messages.ERROR)
        else:
            shown = invitations.send_links(self, request, [operator])
            if shown is not None:
                return shown
        return HttpResponseRedirect(reverse("admin:operators_operator_change", args=[quote(operator.pk)]))

    def shown_context(self, request: HttpRequest, rows: list[Operator]) -> dict[str, Any]:
        page = (
            ("admin:operators_operator_change", quote(rows[0].pk))
            if len(rows) == 1
            else ("admin:operators_operator_changelist",)
        )
        return {
            "title": ngettext("Password link", "Password links", len(rows)),
            "back": reverse(page[0], args=page[1:]),
            "hours": invitations.hours_valid(),
            "has_mail": settings.HAS_MAIL,
        }

    def unlock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Remove the lock after too many failed sign-ins."""
        operator = self._changeable(request, object_id)
        with journal.recording(caller_of(request)):
            sign_in.unlock(caller_of(request), operator)
        text = gettext("%(operator)s can sign in again.") % {"operator": operator}
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:operators_operator_change", args=[quote(operator.pk)]))

    def _changeable(self, request: HttpRequest, object_id: str) -> Operator:
        operator: Operator = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, operator):
            raise PermissionDenied
        return operator

    def password_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set the password of another operator."""
        operator = self.get_object(request, unquote(object_id))
        if operator.pk == scope_of(request).operator_id:
            # Changing your own password requires the old one.
            return HttpResponseRedirect(reverse("admin:password_change"))
        if not self.has_change_permission(request, operator):
            raise PermissionDenied
        form = PasswordForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                services.operator_set_password(caller_of(request), operator, form.cleaned_data["new_password"])
            except WRITE_ERRORS as error:
                form.add_error("new_password", error_message(error))
            else:
                self.message_user(
                    request,
                    gettext("The password of %(operator)s was changed.") % {"operator": operator},
                    messages.SUCCESS,
                )
                return HttpResponseRedirect(reverse("admin:operators_operator_change", args=[quote(operator.pk)]))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Set the password of %(operator)s") % {"operator": operator},
            "opts": self.opts,
            "original": operator,
            "form": form,
        }
        return TemplateResponse(request, "admin/operators/operator/password.html", context)


@admin.register(SiteGrant)
class SiteGrantAdmin(EntityAdmin):
    fields = ("operator", "site")
    list_display = ("operator", "place")
    list_display_links = ("operator", "place")
    list_filter = (WithinFilter,)
    search_fields = ("operator__email_key__contains", "site__name_key__contains")
    search_help_text = _("Email address or site")
    ordering = ("operator__email_key", "pk")
    references = ("operator", "site")
    site_attribute = "site_id"
    actions = COMMON

"""The admin's pages of operators, their grants of sight and their API keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth import password_validation, update_session_auth_hash
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from hierarchy.admin.callers import REFUSALS, caller_of, scope_of, sentence
from hierarchy.admin.entities import EntityAdmin, EntityInline
from hierarchy.admin.forms import EntityForm, refusals_to
from hierarchy.scoping import Scope
from operators import services, webhooks
from operators.models import ApiKey, Operator, SiteGrant
from operators.webhook_models import EVENT_LABELS, Webhook, all_changes


class PasswordForm(forms.Form):
    """A new password, typed twice."""

    new_password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validation.password_validators_help_text_html,
    )
    new_password_again = forms.CharField(
        label=_("Password again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, second = cleaned.get("new_password"), cleaned.get("new_password_again")
        if first and second and first != second:
            self.add_error("new_password_again", _("Differs from the password above: type both again."))
        return cleaned


class OperatorAddForm(PasswordForm, EntityForm):
    error_places: ClassVar[dict[str, str]] = {"password": "new_password"}


class GrantInline(EntityInline):
    model = SiteGrant
    fields = ("site",)
    references = ("site",)


# Who may do what follows from operators and their grants, never from groups.
admin.site.unregister(Group)


@admin.register(Operator)
class OperatorAdmin(EntityAdmin):
    inlines = (GrantInline,)
    list_display = ("name", "email", "place", "is_admin_operator", "is_active", "last_login")
    list_filter = ("is_admin_operator", "is_active")
    search_fields = ("name_key__contains", "email_key__contains")
    search_help_text = _("Name or e-mail address")
    chooses_customer = True
    references = ("home_site",)
    place_attribute = "home_site_id"
    readonly_fields = ("operator_id", "last_login")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            fieldsets.append((_("Password"), {"fields": ["new_password", "new_password_again"]}))
        return fieldsets

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["name", "email", "home_site", "is_admin_operator", "is_active"]
        if obj is not None:
            return [*fields, "operator_id", "last_login"]
        # Who may not make admin operators is not asked.
        return [name for name in fields if name != "is_admin_operator" or not scope_of(request).is_restricted]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = OperatorAddForm
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        with refusals_to(form.prefix):
            services.operator_create(caller_of(request), obj, form.cleaned_data["new_password"])

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        return {operator.pk: f"{operator.name} ({operator.email})" for operator in rows}

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(sensitive_post_parameters()(self.password_view))
        return [path("<path:object_id>/password/", page, name="operators_operator_password"), *super().get_urls()]

    def password_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give an operator another password."""
        operator = self.get_object(request, unquote(object_id))
        is_own = operator.pk == scope_of(request).operator_id
        if not is_own and not self.has_change_permission(request, operator):
            raise PermissionDenied
        form = PasswordForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                services.operator_set_password(caller_of(request), operator, form.cleaned_data["new_password"])
            except REFUSALS as error:
                form.add_error("new_password", sentence(error))
            else:
                if is_own:
                    update_session_auth_hash(request, operator)
                self.message_user(
                    request, gettext("%(operator)s has a new password.") % {"operator": operator}, messages.SUCCESS
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
    search_fields = ("operator__email_key__contains", "site__name_key__contains")
    search_help_text = _("E-mail address or site")
    ordering = ("operator__email_key", "pk")
    references = ("operator", "site")
    place_attribute = "site_id"


@admin.register(ApiKey)
class ApiKeyAdmin(EntityAdmin):
    """A key's text is on the page that answers its making, and nowhere else."""

    list_display = ("name", "hint", "operator", "is_read_only", "state", "expires_at", "last_used_at")
    list_filter = ("is_read_only",)
    search_fields = ("name__icontains", "hint__icontains", "operator__email_key__contains")
    search_help_text = _("Name, beginning or e-mail address")
    ordering = ("operator__email_key", "name", "pk")
    references = ("operator",)
    readonly_fields = ("hint", "state", "revoked_at", "last_used_at")
    actions = ("rotate", "revoke")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["operator", "name", "is_read_only", "expires_at"]
        return ["name", "is_read_only", "expires_at", "hint", "state", "revoked_at", "last_used_at"]

    def is_writer(self, scope: Scope) -> bool:
        """Everybody makes keys of one's own."""
        return scope.operator_id is not None

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> str:
        if key.is_valid:
            return gettext("valid")
        return gettext("revoked") if key.revoked_at else gettext("expired")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        with refusals_to(form.prefix):
            made = services.api_key_create(
                caller_of(request), obj.operator, obj.name, is_read_only=obj.is_read_only, expires_at=obj.expires_at
            )
        request.new_keys = [made]  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_once(request, request.new_keys)  # type: ignore[attr-defined]

    @admin.action(description=_("Rotate: give the chosen keys a new text"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self._show_once(request, [services.api_key_rotate(caller_of(request), key) for key in queryset])

    @admin.action(description=_("Revoke the chosen keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        keys = [services.api_key_revoke(caller_of(request), key) for key in queryset]
        text = ngettext("%(count)s key opens nothing any more.", "%(count)s keys open nothing any more.", len(keys))
        self.message_user(request, text % {"count": len(keys)}, messages.SUCCESS)

    def _show_once(self, request: HttpRequest, keys: list[tuple[ApiKey, str]]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": ngettext("New API key", "New API keys", len(keys)),
            "opts": self.opts,
            "new_keys": keys,
        }
        return TemplateResponse(request, "admin/operators/apikey/new_keys.html", context)


@admin.register(Webhook)
class WebhookAdmin(EntityAdmin):
    """A webhook's secret is on the page that answers its making, and nowhere else."""

    list_display = ("name", "url", "operator", "is_active", "last_delivered_at", "last_failure")
    list_filter = ("is_active",)
    search_fields = ("name__icontains", "url__icontains", "operator__email_key__contains")
    search_help_text = _("Name, address or e-mail address")
    ordering = ("operator__email_key", "name", "pk")
    references = ("operator",)
    readonly_fields = (
        "disabled_reason",
        "cursor",
        "last_delivered_at",
        "failing_since",
        "last_failed_at",
        "last_failure",
        "given_up",
    )
    actions = ("rotate",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["operator", "name", "url", "events"]
        return ["name", "url", "events", "is_active", *self.readonly_fields]

    def is_writer(self, scope: Scope) -> bool:
        """Everybody makes webhooks of one's own."""
        return scope.operator_id is not None

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "events":
            return forms.MultipleChoiceField(
                label=capfirst(db_field.verbose_name),
                choices=list(EVENT_LABELS.items()),
                initial=all_changes,
                widget=forms.CheckboxSelectMultiple,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        request.new_secrets = [(obj, webhooks.secret(obj))]  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_once(request, request.new_secrets)  # type: ignore[attr-defined]

    @admin.action(description=_("Rotate: give the chosen webhooks a new secret"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self._show_once(request, [(row, webhooks.rotate(caller_of(request), row)) for row in queryset])

    def _show_once(self, request: HttpRequest, new_secrets: list[tuple[Webhook, str]]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": ngettext("Signing secret", "Signing secrets", len(new_secrets)),
            "opts": self.opts,
            "new_secrets": new_secrets,
        }
        return TemplateResponse(request, "admin/operators/webhook/new_secrets.html", context)

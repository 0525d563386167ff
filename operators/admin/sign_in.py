"""The sign-in form, and the pages for forgotten passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from backoffice.callers import WRITE_ERRORS, error_message
from config.middleware import current_request_id
from hierarchy import journal
from hierarchy.fields import validate_line
from hierarchy.scoping import Caller
from hierarchy.text import comparison_key
from operators import attempts, links, mail, services, sign_in
from operators.admin.invitations import hours_valid, link_for
from operators.admin.passwords import PasswordForm
from operators.models import Operator

_BACKEND = "django.contrib.auth.backends.ModelBackend"
# Password links per email address, and per client, in a window.
_LINKS_FOR_AN_ADDRESS, _LINKS_FROM_A_CLIENT = 3, 20


class SignInForm(AdminAuthenticationForm):
    """Sign in, unless locked after too many failures."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": _("Email address or password is wrong. Passwords are case-sensitive."),
    }

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not email or not password:
            return super().clean()
        client = sign_in.client_of(self.request) if self.request is not None else ""
        locked = sign_in.begin(client, email)
        if locked is not None:
            raise ValidationError(_lock_message(locked), code="locked")
        try:
            cleaned = super().clean()
        except ValidationError:
            sign_in.failed(client, email)
            raise
        sign_in.succeeded(client, email)
        return cleaned


def _lock_message(locked: sign_in.Locked) -> str:
    if locked.is_client:
        text = ngettext(
            "Too many failed sign-ins from your network. Try again in %(minutes)d minute.",
            "Too many failed sign-ins from your network. Try again in %(minutes)d minutes.",
            locked.minutes,
        )
    else:
        text = ngettext(
            "Too many failed sign-ins with this email address. Try again in %(minutes)d minute, or ask an admin "
            "operator to unlock it.",
            "Too many failed sign-ins with this email address. Try again in %(minutes)d minutes, or ask an admin "
            "operator to unlock it.",
            locked.minutes,
        )
    return text % {"minutes": locked.minutes}


class ForgottenForm(forms.Form):
    email = forms.CharField(
        label=_("Email address"),
        max_length=254,
        validators=[validate_line],
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


@never_cache
@csrf_protect
def forgotten(request: HttpRequest) -> HttpResponse:
    """Request a password link. The response does not reveal whether the address belongs to an operator."""
    if not settings.HAS_MAIL:
        raise Http404
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        email = comparison_key(form.cleaned_data["email"])
        until = attempts.take("link from", sign_in.client_of(request), _LINKS_FROM_A_CLIENT) or attempts.take(
            "link for", email, _LINKS_FOR_AN_ADDRESS
        )
        if until is None:
            operator = Operator.objects.filter(email_key=email, is_active=True).first()
            if operator is not None:
                mail.send_link_later(operator, link_for(request, operator))
            return HttpResponseRedirect(reverse("admin:forgotten_password_sent"))
        minutes = sign_in.minutes_until(until)
        text = ngettext(
            "Too many links requested. Check your email, or try again in %(minutes)d minute.",
            "Too many links requested. Check your email, or try again in %(minutes)d minutes.",
            minutes,
        )
        form.add_error(None, text % {"minutes": minutes})
    return _page(request, "forgotten.html", title=_("Forgotten password"), form=form)


@never_cache
def forgotten_sent(request: HttpRequest) -> HttpResponse:
    if not settings.HAS_MAIL:
        raise Http404
    return _page(request, "forgotten_sent.html", title=_("Check your email"), hours=hours_valid())


class ChoosePasswordForm(PasswordForm):
    """Takes the operator, as Django's view passes it."""

    def __init__(self, user: Operator | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operator = user


class ChoosePasswordView(PasswordResetConfirmView):
    """The page of a password link. Django moves the token into the session, so that the URL does not leak it."""

    form_class = ChoosePasswordForm  # type: ignore[assignment]
    token_generator = links.tokens
    template_name = "registration/choose_password.html"
    title = _("Choose a password")

    def get_user(self, uidb64: str) -> Any:
        operator = super().get_user(uidb64)
        return operator if operator is not None and operator.is_active else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context if context["validlink"] else {**context, "title": gettext("This link no longer works")}

    def form_valid(self, form: Any) -> HttpResponse:
        operator: Operator = form.operator
        caller = Caller(operator.scope(), operator.email, journal.ADMIN, current_request_id())
        token = self.request.session.get(INTERNAL_RESET_SESSION_TOKEN, "")
        try:
            operator = services.operator_choose_password(caller, operator, token, form.cleaned_data["new_password"])
        except WRITE_ERRORS as error:
            form.add_error("new_password", error_message(error))
            return self.form_invalid(form)
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        login(self.request, operator, _BACKEND)
        messages.success(self.request, gettext("Your password was changed, and you are signed in."))
        return HttpResponseRedirect(reverse("admin:index"))


@sensitive_post_parameters()
def choose_password(request: HttpRequest, uidb64: str, token: str) -> HttpResponseBase:
    context = {**admin.site.each_context(request), "has_mail": settings.HAS_MAIL}
    view = ChoosePasswordView.as_view(extra_context=context)
    return view(request, uidb64=uidb64, token=token)


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    return TemplateResponse(request, f"registration/{name}", {**admin.site.each_context(request), **context})

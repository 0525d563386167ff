"""The "Your account" page: name, sign-in, site access, API keys and webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.callers import WRITE_ERRORS, caller_of, error_message, scope_of
from backoffice.scoped import path_labels
from operators import services
from operators.admin.owned import keys_and_webhooks
from operators.models import Operator


class AccountForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=255)


def page(request: HttpRequest) -> HttpResponse:
    operator = request.user
    assert isinstance(operator, Operator)
    posted = request.POST if request.method == "POST" else None
    form = AccountForm(posted, initial={"name": operator.name}, label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            services.account_rename(caller_of(request), operator, form.cleaned_data["name"])
        except WRITE_ERRORS as error:
            operator.refresh_from_db()
            form.add_error("name", error_message(error))
        else:
            messages.success(request, gettext("Saved."))
            return HttpResponseRedirect(reverse("admin:account"))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Your account"),
        "form": form,
        "operator": operator,
        "grants": _grants(request),
        "belongings": keys_and_webhooks(request, operator),
    }
    return TemplateResponse(request, "admin/operators/account.html", context)


def _grants(request: HttpRequest) -> list[tuple[int, str]]:
    """The granted sites, by path. An operator may have no access to the grant itself, but always to its site."""
    scope = scope_of(request)
    if not scope.is_restricted:
        return []
    named = path_labels(scope, scope.root_ids)
    return sorted(((pk, path) for pk, path in named.items() if pk is not None), key=lambda pair: pair[1])

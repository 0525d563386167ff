"""Keep form input that was submitted after the session ended: hidden fields carry it through the sign-in.

Nothing is stored on the server.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from operators.admin.sign_in import SignInForm

_OF_ONE_PAGE = "csrfmiddlewaretoken"
# Hidden fields of the sign-in form: the url-encoded input, and a flag that part of it was left out.
_TYPED, _LEFT_OUT = "typed", "left_out"
# The browser encodes it again, up to three times as long, which must fit the request size limit.
MOST_CHARACTERS = 800_000


def is_interrupted(request: HttpRequest) -> bool:
    """Whether an anonymous request submits input; signing out has none."""
    return (
        request.method == "POST"
        and request.path != reverse("admin:logout")
        and (bool(request.POST.keys() - {_OF_ONE_PAGE}) or bool(request.FILES))
    )


@never_cache
@csrf_protect
def interrupted(request: HttpRequest) -> HttpResponse:
    """The sign-in page with the input in hidden fields. The CSRF token was valid, so the input is the user's."""
    user_input = urlencode(list(_kept(request.POST.lists())))
    if len(user_input) > MOST_CHARACTERS:
        user_input = ""
    secrets = [value for name, value in request.POST.items() if _is_secret(name)]
    context = {
        **admin.site.each_context(request),
        "title": gettext("Sign in"),
        "form": SignInForm(request),
        "app_path": reverse("admin:login"),
        "next": request.get_full_path(),
        "has_mail": settings.HAS_MAIL,
        "typed": user_input,
        "left_out": "1" if any(secrets) or request.FILES else "",
        "is_lost": not user_input,
    }
    return TemplateResponse(request, "admin/login.html", context)


def carried(request: HttpRequest) -> dict[str, str]:
    """The hidden fields, kept after a wrong password."""
    return {name: request.POST.get(name, "") for name in (_TYPED, _LEFT_OUT)}


def offered(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response to the sign-in or, after a success with kept input, the page that offers to save it."""
    user_input = carried(request)[_TYPED]
    if not user_input or response.status_code != 302:
        return response
    # Django has checked the host.
    url = response["Location"]
    if not _is_of_admin(url):
        return HttpResponseRedirect(reverse("admin:index"))
    return _offer(request, url, user_input)


@never_cache
def _offer(request: HttpRequest, url: str, user_input: str) -> HttpResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        # Hides the navigation.
        "has_permission": False,
        "title": gettext("Save your earlier input?"),
        "address": url,
        "fields": list(_kept(QueryDict(user_input).lists())),
        "is_partial": bool(carried(request)[_LEFT_OUT]),
    }
    return TemplateResponse(request, "registration/save_typed.html", context)


def _kept(fields: Iterable[tuple[str, list[Any]]]) -> Iterator[tuple[str, str]]:
    """Names and values, without passwords and the CSRF token."""
    for name, values in fields:
        if name != _OF_ONE_PAGE and not _is_secret(name):
            yield from ((name, value) for value in values)


def _is_secret(name: str) -> bool:
    return "password" in name.lower()


def _is_of_admin(url: str) -> bool:
    """Whether the URL is in the admin, with backslashes and %2e%2e normalized as browsers do."""
    path = posixpath.normpath(unquote(urlsplit(url).path).replace("\\", "/"))
    return f"{path}/".startswith(reverse("admin:index"))

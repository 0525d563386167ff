"""What a page shows once waits here between the request that made it and that page: loading the page again makes
nothing again.

It waits in the session of who made it, which lies in the database and so must not tell it: sealed with the server's
pepper, for a few minutes, and until it is taken.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object

_WAITING = "shown_once"
_PATIENCE_S = 300
_NONCE_BYTES = 16


class ShowsOnce(ModelAdmin):
    """Pages over rows of which something is shown once, on a page of its own."""

    # What is said in place of that page when there is nothing to show any more.
    was_shown: ClassVar[Any] = _(
        "It was shown once, and is stored nowhere. If nobody copied it, rotate: that makes a new one."
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self._shown_view)
        return [path("shown/", view, name=f"operators_{self.opts.model_name}_shown"), *super().get_urls()]

    def show_once(self, request: HttpRequest, texts: Mapping[int, str]) -> HttpResponse:
        """Lead to the page with the texts of these rows, which can be loaded again without making others."""
        keep(request, str(self.opts.model_name), texts)
        return HttpResponseRedirect(reverse(f"admin:operators_{self.opts.model_name}_shown"))

    def shown_context(self, request: HttpRequest, rows: list[Any]) -> dict[str, Any]:
        """What the page needs besides the rows and their texts: `title`, and `back`, where it goes on."""
        raise NotImplementedError

    def _shown_view(self, request: HttpRequest) -> HttpResponse:
        texts = take(request, str(self.opts.model_name)) if request.method == "GET" else {}
        shown = [(row, texts[row.pk]) for row in self.get_queryset(request).filter(pk__in=texts)]
        if shown:
            context = {
                **self.admin_site.each_context(request),
                **self.shown_context(request, [row for row, _text in shown]),
                "opts": self.opts,
                "shown": shown,
            }
            return TemplateResponse(request, f"admin/operators/{self.opts.model_name}/shown.html", context)
        self.message_user(request, self.was_shown, messages.WARNING)
        return HttpResponseRedirect(reverse(f"admin:operators_{self.opts.model_name}_changelist"))


def keep(request: HttpRequest, kind: str, texts: Mapping[int, str]) -> None:
    """Texts by the ids of their rows, in place of what waits already."""
    sealed = [(pk, _sealed(text)) for pk, text in texts.items()]
    request.session[_WAITING] = {"kind": kind, "at": int(time.time()), "sealed": sealed}


def take(request: HttpRequest, kind: str) -> dict[int, str]:
    """What waits of this kind, which does not wait any longer."""
    waiting = request.session.get(_WAITING)
    if waiting is None or waiting["kind"] != kind:
        return {}
    del request.session[_WAITING]
    if waiting["at"] + _PATIENCE_S < time.time():
        return {}
    return {pk: _opened(sealed) for pk, sealed in waiting["sealed"]}


def _sealed(text: str) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return (nonce + _mixed(nonce, text.encode())).hex()


def _opened(sealed: str) -> str:
    whole = bytes.fromhex(sealed)
    return _mixed(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:]).decode()


def _mixed(nonce: bytes, text: bytes) -> bytes:
    """The text and a pad for it alone, which nobody can make without the pepper: mixed twice, the text again."""
    pad = hashlib.shake_256(b"shown once " + settings.API_KEY_PEPPER.encode() + nonce).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, pad, strict=True))

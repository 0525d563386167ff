"""Show a newly created secret once, in the response to the POST that created it.

It is not stored. The script of the page replaces the URL in the address bar, so that a reload does not create
another secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object


class ShowsOnce(ModelAdmin):
    """ModelAdmin of objects with a secret that is shown once, when it is created."""

    # The message after a reload of that page.
    was_shown: ClassVar[Any] = _("The secret was shown once and is not stored. If you did not copy it, rotate it.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self._shown_view)
        return [path("shown/", view, name=f"operators_{self.opts.model_name}_shown"), *super().get_urls()]

    def show_once(self, request: HttpRequest, secrets: Mapping[int, str]) -> HttpResponse:
        """The page with the secrets, given by row id."""
        rows = list(self.get_queryset(request).filter(pk__in=secrets))
        context = {
            **self.admin_site.each_context(request),
            **self.shown_context(request, rows),
            "opts": self.opts,
            "shown": [(row, secrets[row.pk]) for row in rows],
            "address": reverse(f"admin:operators_{self.opts.model_name}_shown"),
        }
        response = TemplateResponse(request, f"admin/operators/{self.opts.model_name}/shown.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    def shown_context(self, request: HttpRequest, rows: list[Any]) -> dict[str, Any]:
        """The rest of the context: `title`, and `back`, the URL of the next page."""
        raise NotImplementedError

    def _shown_view(self, request: HttpRequest) -> HttpResponse:
        self.message_user(request, self.was_shown, messages.WARNING)
        return HttpResponseRedirect(reverse(f"admin:operators_{self.opts.model_name}_changelist"))

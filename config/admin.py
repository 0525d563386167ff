"""The admin as a whole: its name, its front page, and what spans all models."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _


class ChargetreeAdminSite(admin.AdminSite):
    """Imports of the pages stand inside the methods: they register themselves here while this module is read."""

    site_title = "Chargetree"
    site_header = "Chargetree"
    index_title = _("Your network")
    site_url = None

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without the redirect to an object's public page: it asks nobody who may see the object."""
        from hierarchy.admin import exports, home

        return [
            path("map.json", self.admin_view(home.map_data), name="map"),
            path("export/template.xlsx", self.admin_view(exports.template), name="export_template"),
            path("export/", self.admin_view(exports.network), name="export"),
            path(
                "export/<slug:app_label>/<slug:model_name>.<slug:kind>",
                self.admin_view(exports.rows),
                name="export_rows",
            ),
            *(url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """A list asks whether it can be exported."""
        from hierarchy.admin import exports

        return {**super().each_context(request), "exported_models": exports.exported_models}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from hierarchy.admin import home

        return super().index(request, {**home.context(request), **(extra_context or {})})

    def autocomplete_view(self, request: HttpRequest) -> Any:
        from hierarchy.admin.choices import AutocompleteView

        return AutocompleteView.as_view(admin_site=self)(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """One's own password, noted in the journal without its value."""
        from hierarchy import journal
        from hierarchy.admin.callers import caller_of

        with journal.recording(caller_of(request)):
            return super().password_change(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """In the order in which the pages were registered: from the tree upwards, an app's main thing first."""
        return list(self._build_app_dict(request, app_label).values())

    def get_log_entries(self, request: HttpRequest) -> Any:
        """The journal takes the place of the admin's own log."""
        return []

"""The AdminSite: titles, home page, and URLs that belong to no model."""

from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _

# A navigation entry in the format of a model's entry, for a page without a model.
_TREE = {"name": _("Tree of sites"), "object_name": "Tree", "perms": {"view": True}, "add_url": None, "view_only": True}


class ChargetreeAdminSite(admin.AdminSite):
    """Imports are inside the methods, because the imported modules register with this site."""

    site_title = "Chargetree"
    site_header = "Chargetree"
    index_title = _("Your network")
    site_url = None

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without Django's `view_on_site`, which does not check access to the object."""
        from backoffice import exports
        from backoffice.search import pages as search
        from operators.admin import account, home, sign_in

        return [
            path("account/", self.admin_view(account.page), name="account"),
            path("password/forgotten/", sign_in.forgotten, name="forgotten_password"),
            path("password/forgotten/sent/", sign_in.forgotten_sent, name="forgotten_password_sent"),
            path("password/<uidb64>/<token>/", sign_in.choose_password, name="choose_password"),
            path("search/", self.admin_view(search.page), name="search"),
            path("search/suggestions.json", self.admin_view(search.suggestions), name="search_suggestions"),
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

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Shows raised error pages, and keeps the input of a form submitted after the session ended."""
        from backoffice.error_pages import ErrorPage
        from config.error_pages import error_page
        from operators.admin import signed_out

        @wraps(view)
        def show(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                return view(request, *args, **kwargs)
            except ErrorPage as error:
                text = error.text(request)
                return error_page(request, error.status, page=text, links=text.links)

        guarded = super().admin_view(show, cacheable)

        @wraps(guarded)
        def ask(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self.has_permission(request) and signed_out.is_interrupted(request):
                return signed_out.interrupted(request)
            return guarded(request, *args, **kwargs)

        return ask

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds the exportable models, and the caller's time `zone` for timestamps without a site."""
        from backoffice import exports, times

        context = {"exported_models": exports.exported_models, "zone": times.caller_zone(request)}
        return {**super().each_context(request), **context}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from operators.admin import home

        return super().index(request, {**home.context(request), **(extra_context or {})})

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseRedirect:
        """Redirect to the first changelist of the app; the navigation lists them all."""
        pages = [page for app in self.get_app_list(request, app_label) for page in app["models"]]
        return HttpResponseRedirect(pages[0]["admin_url"] if pages else reverse("admin:index"))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With a lock after too many failures, a link for forgotten passwords, and the input of an expired session."""
        from operators.admin import signed_out
        from operators.admin.sign_in import SignInForm

        self.login_form = SignInForm
        context = {"has_mail": settings.HAS_MAIL, **signed_out.carried(request), **(extra_context or {})}
        return signed_out.offered(request, super().login(request, context))

    def autocomplete_view(self, request: HttpRequest) -> Any:
        from backoffice.choices import AutocompleteView

        return AutocompleteView.as_view(admin_site=self)(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Change your own password, recorded in the change log without its value."""
        from backoffice.callers import caller_of
        from hierarchy import journal

        with journal.recording(caller_of(request)):
            return super().password_change(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """In the order of registration, with the tree of sites first."""
        apps = self._build_app_dict(request, app_label)
        if "hierarchy" in apps:
            pages = apps["hierarchy"]["models"]
            pages.insert(0, _TREE | {"admin_url": reverse("admin:hierarchy_site_tree")})
            for page in pages:
                if page["object_name"] == "Change":
                    page["name"] = _("Change log")
        return list(apps.values())

    def get_log_entries(self, request: HttpRequest) -> Any:
        """The change log replaces Django's LogEntry."""
        return []

"""All addresses: the admin, the API and its documentation, and the two health checks."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, include, path, re_path, reverse
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from chargers.views import StatusReportsView
from config import health, problems
from config.api.views import UnknownPath
from drivers.views import (
    AuthorisedDriversView,
    DriverByExternalIdView,
    DriverByTagView,
    DriverTreeView,
    DriverView,
    HomeDriversView,
    SiteAuthorisedDriversView,
    SitesAuthorisedDriversView,
)
from hierarchy.views import SiteByExternalIdView, SiteTreeView
from operators.views import HomeOperatorsView, OperatorTreeView

api_patterns = [
    path("sites/tree", SiteTreeView.as_view()),
    path("sites/authorised-drivers", SitesAuthorisedDriversView.as_view()),
    path("sites/by-external-id/<path:externalId>", SiteByExternalIdView.as_view()),
    path("sites/<str:siteId>/home-drivers", HomeDriversView.as_view()),
    path("sites/<str:siteId>/home-operators", HomeOperatorsView.as_view()),
    path("sites/<str:siteId>/authorised-drivers", SiteAuthorisedDriversView.as_view()),
    path("operators/tree", OperatorTreeView.as_view()),
    path("chargers/<str:chargerId>/authorised-drivers", AuthorisedDriversView.as_view()),
    path("status-reports", StatusReportsView.as_view()),
    path("drivers/tree", DriverTreeView.as_view()),
    path("drivers/by-external-id/<path:externalId>", DriverByExternalIdView.as_view()),
    path("drivers/by-tag/<path:idTag>", DriverByTagView.as_view()),
    path("drivers/<str:userId>", DriverView.as_view()),
]


def start(request: HttpRequest) -> HttpResponseRedirect:
    """The bare address leads to the admin."""
    return HttpResponseRedirect(reverse("admin:index"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("", start),
    path("admin/", admin.site.urls),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("problems/<slug:code>", problems.problem),
    path("api/v1/", include((api_patterns, "api"))),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    re_path(r"^api(/|$)", UnknownPath.as_view(schema=None)),
]

handler400 = "config.api.errors.bad_request"
handler403 = "config.api.errors.permission_denied"
handler404 = "config.api.errors.page_not_found"
handler500 = "config.api.errors.server_error"

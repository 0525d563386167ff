"""All addresses: the admin, the API and its documentation, and the two health checks."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, re_path, reverse
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularJSONAPIView

from api import problem_pages as problems
from api.views import UnknownPath
from chargers.resources import (
    ChargerCollection,
    ChargerItem,
    ConfigurationCollection,
    ConfigurationItem,
    SocketCollection,
    SocketItem,
)
from chargers.views import StatusReportsView
from config import health
from drivers.resources import (
    ChargerRightList,
    ChargerRightTie,
    DriverCollection,
    DriverItem,
    ExternalIdCollection,
    ExternalIdItem,
    SiteRightList,
    SiteRightTie,
    TagCollection,
    TagItem,
)
from drivers.views import (
    AccessView,
    AuthorisedDriversView,
    DriverByExternalIdView,
    DriverByTagView,
    DriverTreeView,
    HomeDriversView,
    ReachView,
    SiteAuthorisedDriversView,
    SitesAuthorisedDriversView,
)
from hierarchy.resources.changes import ChangesView
from hierarchy.resources.sites import SiteCollection, SiteItem, SubtreeView
from hierarchy.views.exports import ExportsView
from hierarchy.views.imports import (
    AppliedImportsView,
    AppliedImportView,
    ImportApplyView,
    ImportPlanView,
    ImportStepsView,
    ImportsView,
)
from hierarchy.views.sites import SiteByExternalIdView, SiteTreeView
from operators.resources import GrantList, GrantTie, MeView, OperatorCollection, OperatorItem
from operators.views import HomeOperatorsView, OperatorTreeView
from operators.webhooks.resources import (
    WebhookCollection,
    WebhookItem,
    WebhookReplay,
    WebhookRotation,
    WebhookTry,
)

api_patterns = [
    path("sites/tree", SiteTreeView.as_view()),
    path("sites/authorised-drivers", SitesAuthorisedDriversView.as_view()),
    path("sites/by-external-id/<path:externalId>", SiteByExternalIdView.as_view()),
    path("sites/<str:siteId>/home-drivers", HomeDriversView.as_view()),
    path("sites/<str:siteId>/home-operators", HomeOperatorsView.as_view()),
    path("sites/<str:siteId>/authorised-drivers", SiteAuthorisedDriversView.as_view()),
    path("operators/tree", OperatorTreeView.as_view()),
    path("chargers/<str:chargerId>/authorised-drivers", AuthorisedDriversView.as_view()),
    path("access", AccessView.as_view()),
    path("status-reports", StatusReportsView.as_view()),
    path("drivers/tree", DriverTreeView.as_view()),
    path("drivers/by-external-id/<path:externalId>", DriverByExternalIdView.as_view()),
    path("drivers/by-tag/<path:idTag>", DriverByTagView.as_view()),
    path("drivers/<str:userId>/reach", ReachView.as_view()),
    path("changes", ChangesView.as_view()),
    path("me", MeView.as_view()),
    path("imports", ImportsView.as_view()),
    path("imports/applied", AppliedImportsView.as_view()),
    path("imports/applied/<str:importId>", AppliedImportView.as_view()),
    path("imports/<str:planId>", ImportPlanView.as_view()),
    path("imports/<str:planId>/steps", ImportStepsView.as_view()),
    path("imports/<str:planId>/apply", ImportApplyView.as_view()),
    path("exports", ExportsView.as_view()),
    path("sites", SiteCollection.as_view()),
    path("sites/<str:siteId>", SiteItem.as_view()),
    path("sites/<str:siteId>/tree", SubtreeView.as_view()),
    path("chargers", ChargerCollection.as_view()),
    path("chargers/<str:chargerId>", ChargerItem.as_view()),
    path("chargers/<str:chargerId>/sockets", SocketCollection.as_view()),
    path("chargers/<str:chargerId>/sockets/<str:socketId>", SocketItem.as_view()),
    path("chargers/<str:chargerId>/configurations", ConfigurationCollection.as_view()),
    path("chargers/<str:chargerId>/configurations/<path:configName>", ConfigurationItem.as_view()),
    path("drivers", DriverCollection.as_view()),
    path("drivers/<str:userId>", DriverItem.as_view()),
    path("drivers/<str:userId>/external-ids", ExternalIdCollection.as_view()),
    path("drivers/<str:userId>/external-ids/<str:id>", ExternalIdItem.as_view()),
    path("drivers/<str:userId>/sites", SiteRightList.as_view()),
    path("drivers/<str:userId>/sites/<str:siteId>", SiteRightTie.as_view()),
    path("drivers/<str:userId>/chargers", ChargerRightList.as_view()),
    path("drivers/<str:userId>/chargers/<str:chargerId>", ChargerRightTie.as_view()),
    path("tags", TagCollection.as_view()),
    path("tags/<str:tagId>", TagItem.as_view()),
    path("operators", OperatorCollection.as_view()),
    path("operators/<str:id>", OperatorItem.as_view()),
    path("operators/<str:id>/sites", GrantList.as_view()),
    path("operators/<str:id>/sites/<str:siteId>", GrantTie.as_view()),
    path("webhooks", WebhookCollection.as_view()),
    path("webhooks/<str:webhookId>", WebhookItem.as_view()),
    path("webhooks/<str:webhookId>/rotate", WebhookRotation.as_view()),
    path("webhooks/<str:webhookId>/replay", WebhookReplay.as_view()),
    path("webhooks/<str:webhookId>/try", WebhookTry.as_view()),
]


def start(request: HttpRequest) -> HttpResponseRedirect:
    """The bare address leads to the admin."""
    return HttpResponseRedirect(reverse("admin:index"))


def icon(request: HttpRequest) -> HttpResponseRedirect:
    """Browsers ask here on their own where a page names no icon, as JSON does."""
    return HttpResponseRedirect(static("chargetree/favicon.svg"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("", start),
    path("favicon.ico", icon),
    path("admin/", admin.site.urls),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("problems/<slug:code>", problems.problem),
    path("api/v1/", include((api_patterns, "api"))),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", TemplateView.as_view(template_name="api_docs.html"), name="docs"),
    re_path(r"^api(/|$)", UnknownPath.as_view(schema=None)),
]

handler400 = "config.error_pages.bad_request"
handler403 = "config.error_pages.permission_denied"
handler404 = "config.error_pages.page_not_found"
handler500 = "config.error_pages.server_error"

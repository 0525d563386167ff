"""The tree page of sites, and moving a site with a preview."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.callers import WRITE_ERRORS, caller_of, error_message, scope_of
from backoffice.choices import is_id
from backoffice.consequences import Effects
from backoffice.entities import EntityAdmin
from backoffice.scoped import path_labels
from drivers import what_if as charging_access
from hierarchy import journal, services, tree
from hierarchy.admin.tree_lines import COLUMNS, Content, TreeBranches, TreeSite, contents
from hierarchy.db import snapshot
from hierarchy.errors import Conflict
from hierarchy.models import Site
from hierarchy.scoping import Scope
from hierarchy.selectors import sites_above
from operators import what_if as site_access

# The ids of expanded branches. The script of the page writes this cookie too.
COOKIE = "open_sites"
MOST_OPEN = 100

# Query parameters: branches to expand and to collapse, the root of the page, and the new parent of a move.
OPEN, CLOSE, AT, TO = "open", "close", "at", "to"
TOP = "top"


@dataclass(slots=True)
class Move:
    """Preview of a move: the moved subtree, who gains and loses access, or why it is refused.

    `seen` is a digest of both sites: it differs after a change to one of them or to their ancestors.
    """

    parent: Site | None
    origin: str
    target: str
    refusal: str = ""
    subsites: int = 0
    content: Content | None = None
    effects: Effects | None = None
    seen: str = ""

    @classmethod
    def plan(cls, scope: Scope, site: Site, parent: Site | None) -> Move:
        with snapshot():
            named = path_labels(scope, [site.parent_id, parent.pk if parent else None])
            move = cls(parent, named.get(site.parent_id, ""), named.get(parent.pk, "") if parent else "")
            move.refusal = _refusal(scope, site, parent)
            if not move.refusal:
                row = Site.objects.visible_to(scope).values_list(*COLUMNS).get(pk=site.pk)
                place = TreeSite(*row)
                move.subsites, move.content = place.subsites, contents(scope, [place])[site.pk]
                move.effects = Effects(
                    charging_access.site_move(scope, site, parent), site_access.site_move(scope, site, parent)
                )
                move.seen = _state_digest(site, parent)
        return move


# Fields that a move does not change.
_NOT_OF_PLACE = {one.name for one in Site._meta.concrete_fields} - {"customer", "parent", "name", "name_key"}


def _refusal(scope: Scope, site: Site, parent: Site | None) -> str:
    """Why the services would refuse the move, as far as known in advance; empty if they would not."""
    if site.parent_id == (parent.pk if parent else None):
        return gettext("%(site)s is already there.") % {"site": site}
    moved = copy.copy(site)
    moved.parent = parent
    try:
        services.check_write(scope, moved, site)
        moved.clean()
        moved.validate_constraints(exclude=_NOT_OF_PLACE)
    except WRITE_ERRORS as error:
        return error_message(error)
    return ""


def _state_digest(site: Site, parent: Site | None) -> str:
    """A digest of the versions and ancestors of both sites. Hashed, because some may not be accessible."""
    ids = [site.pk, *([parent.pk] if parent else [])]
    versions = sorted(Site.objects.order_by().filter(pk__in=ids).values_list("pk", "version"))
    above = sorted(sites_above(ids).items())
    return salted_hmac("hierarchy.admin.tree_page", f"{versions} {above}").hexdigest()


class SiteTreeAdmin(EntityAdmin):
    """Adds the tree and move views to the admin of sites."""

    def trail_of(self, request: HttpRequest, row: Any) -> list[tuple[int, str]]:
        return self.trail(request, row.parent_id)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        return [
            path("tree/", page(self.tree_view), name="hierarchy_site_tree"),
            path("tree/children/", page(self.children_view), name="hierarchy_site_topmost"),
            path("tree/<str:site_id>/children/", page(self.children_view), name="hierarchy_site_children"),
            path("<path:object_id>/move/", page(self.move_view), name="hierarchy_site_move"),
            *super().get_urls(),
        ]

    def tree_view(self, request: HttpRequest) -> HttpResponse:
        """The tree with its expanded branches, or the results of a search."""
        scope = scope_of(request)
        query = request.GET.get(SEARCH_VAR, "").strip()
        with snapshot():
            at = self._site_at(scope, request.GET.get(AT, ""))
            opened = _expanded_ids(request)
            if query:
                context = self._found(request, scope, at, query)
            else:
                context = {"lines": TreeBranches(scope, at, _page(request)).read(opened).lines(opened)}
            trail = self.trail(request, at.pk) if at else []
        url = reverse("admin:hierarchy_site_tree")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Below %(site)s") % {"site": at} if at else gettext("Tree of sites"),
            "opts": self.opts,
            "at": at,
            "trail": trail,
            "asked": query,
            "address": url,
            "cookie": COOKIE,
            "most_open": MOST_OPEN,
            "may_move_to_top": not scope.is_restricted,
            "has_add_permission": self.has_add_permission(request),
            **context,
        }
        response = TemplateResponse(request, "admin/hierarchy/site/tree.html", context)
        if OPEN in request.GET or CLOSE in request.GET:
            remembered = "-".join(str(pk) for pk in opened)
            response.set_cookie(COOKIE, remembered, path=url, secure=request.is_secure(), samesite="Lax")
        return response

    def children_view(self, request: HttpRequest, site_id: str = "") -> HttpResponse:
        """The rows below one site, or the next topmost sites, which the script adds to the page."""
        scope = scope_of(request)
        with snapshot():
            at = self._site_at(scope, site_id)
            opened = _expanded_ids(request)
            lines = TreeBranches(scope, at, _page(request)).read(opened).lines(opened)
        context = {"lines": lines, "at": at}
        return TemplateResponse(request, "admin/hierarchy/site/tree_lines.html", context)

    def _found(self, request: HttpRequest, scope: Scope, at: Site | None, query: str) -> dict[str, Any]:
        sites = Site.objects.visible_to(scope)
        if at is not None:
            sites = sites.at_or_below(at).exclude(pk=at.pk)
        branches = TreeBranches(scope, at)
        found, has_more = branches.search(self.get_search_results(request, sites, query)[0])
        return {"lines": branches.lines(branches.inner, found), "found": len(found), "has_more": has_more}

    def _site_at(self, scope: Scope, site_id: str) -> Site | None:
        """The site with this id; None for an empty id. Raises Http404."""
        if not site_id:
            return None
        site: Site | None = Site.objects.visible_to(scope).filter(pk=site_id).first() if is_id(site_id) else None
        if site is None:
            raise Http404
        return site

    # Moving: choose the parent site, preview, confirm.

    def move_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        site = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, site):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        is_to_top = given.get(TO) == TOP
        form = self._target_form(request, site, given if TO in given and not is_to_top else None)
        if not is_to_top and not form.is_valid():
            context = {
                "form": form,
                "may_move_to_top": site.parent_id is not None and not scope_of(request).is_restricted,
            }
            return self._move_page(request, site, "tree_move", context)
        parent: Site | None = None if is_to_top else form.cleaned_data[TO]
        if site.parent_id == (parent.pk if parent else None):
            # Someone else did the same move, so this is not an error.
            text = gettext("%(site)s is already there. Nothing was moved.") % {"site": site}
            self.message_user(request, text, messages.INFO)
            return HttpResponseRedirect(_tree_url(site))
        return self._move(request, site, parent) if request.method == "POST" else self._confirm(request, site, parent)

    def _confirm(self, request: HttpRequest, site: Site, parent: Site | None, conflict: str = "") -> HttpResponse:
        move = Move.plan(scope_of(request), site, parent)
        answer = self._move_page(request, site, "tree_confirm", {"move": move, "conflict": conflict})
        answer.status_code = 409 if conflict else 200
        return answer

    def _move(self, request: HttpRequest, site: Site, parent: Site | None) -> HttpResponse:
        caller = caller_of(request)
        try:
            with journal.recording(caller), tree.lock():
                if request.POST.get("seen") != _state_digest(site, parent):
                    raise Conflict(
                        _(
                            "Someone changed or moved one of these sites after you opened the page. Nothing was moved. "
                            "The preview below is up to date."
                        ),
                        code="stale",
                    )
                services.site_move(caller, site, parent)
        except WRITE_ERRORS as error:
            return self._confirm(request, site, parent, error_message(error))
        target = path_labels(caller.scope, [parent.pk])[parent.pk] if parent else gettext("the top level")
        text = gettext("%(site)s was moved to %(target)s.") % {"site": site, "target": target}
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(_tree_url(site))

    def _target_form(self, request: HttpRequest, site: Site, given: Any) -> forms.Form:
        targets: Any = self.formfield_for_foreignkey(
            Site._meta.get_field("parent"), request, label=_("Parent site"), required=True
        )
        targets.queryset = targets.queryset.filter(customer_id=site.customer_id)
        targets.help_text = _("The new parent site. Type part of its name.")
        targets.widget.outside_of = site.pk
        form = forms.Form(given)
        form.fields[TO] = targets
        return form

    def _move_page(self, request: HttpRequest, site: Site, name: str, context: dict[str, Any]) -> TemplateResponse:
        whole = {
            **self.admin_site.each_context(request),
            "title": gettext("Move %(site)s") % {"site": site},
            "opts": self.opts,
            "original": site,
            "trail": self.trail(request, site.parent_id),
            "tree_address": _tree_url(site),
            "only_visible": scope_of(request).is_restricted,
            **context,
        }
        return TemplateResponse(request, f"admin/hierarchy/site/{name}.html", whole)


def _tree_url(site: Site) -> str:
    """The URL of the tree, expanded down to a site."""
    return f"{reverse('admin:hierarchy_site_tree')}?{OPEN}={site.pk}#site-{site.pk}"


def _expanded_ids(request: HttpRequest) -> list[int]:
    """The expanded sites: from the cookie and the query string, without those that it collapses."""
    opened = dict.fromkeys(_ids(request.COOKIES.get(COOKIE, ""), "-"))
    requested = _ids(request.GET.get(OPEN, ""), ",")[:MOST_OPEN]
    # An expanded branch is visible only if its ancestors are expanded.
    for line in sites_above(requested).values() if requested else ():
        for above in reversed(line):
            opened.pop(above, None)
            opened[above] = None
    for closed in _ids(request.GET.get(CLOSE, ""), ","):
        opened.pop(closed, None)
    return list(opened)[-MOST_OPEN:]


def _ids(text: str, separator: str) -> list[int]:
    return [int(one) for one in text.split(separator) if is_id(one)]


def _page(request: HttpRequest) -> int:
    number = request.GET.get(PAGE_VAR, "")
    return max(int(number), 1) if is_id(number) and len(number) < 10 else 1

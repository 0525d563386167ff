"""Conditions that more than one page asks of drivers and their tags."""

import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from drivers.models import ChargerRight, SiteRight
from hierarchy.models import Site
from hierarchy.scoping import Scope

EXPIRING_WITHIN = datetime.timedelta(days=30)


def expiring() -> Q:
    """The condition on tags that they end within 30 days, and have not ended yet."""
    now = timezone.now()
    return Q(expires_at__gt=now, expires_at__lte=now + EXPIRING_WITHIN)


def expired() -> Q:
    """The condition on tags that they have ended."""
    return Q(expires_at__lte=timezone.now())


def without_rights(scope: Scope) -> Q:
    """The condition on drivers that no right of theirs reaches a place that `scope` sees.

    A right on a site above the scope counts, as it does in documents; one on a place beside it does not.
    """
    on_sites = SiteRight.objects.filter(driver=OuterRef("pk")).order_by()
    on_chargers = ChargerRight.objects.filter(driver=OuterRef("pk")).order_by()
    if scope.is_restricted:
        visible = Site.objects.visible_to(scope).order_by()
        granted_below = Site.objects.filter(
            pk__in=scope.root_ids,
            customer_id=scope.customer_id,
            tree_id=OuterRef("site__tree_id"),
            lft__gte=OuterRef("site__lft"),
            rght__lte=OuterRef("site__rght"),
        )
        on_sites = on_sites.filter(Q(site__in=visible.values("pk")) | Q(Exists(granted_below.order_by())))
        on_chargers = on_chargers.filter(charger__site__in=visible.values("pk"))
    return ~Exists(on_sites) & ~Exists(on_chargers)

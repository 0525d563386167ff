"""Conditions that more than one page asks of chargers and their sites."""

import datetime

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from chargers.models import Charger

UNSEEN_AFTER = datetime.timedelta(days=1)


def unseen() -> Q:
    """The condition on chargers that nothing was heard of them for a day, or ever."""
    return Q(last_seen=None) | Q(last_seen__lt=timezone.now() - UNSEEN_AFTER)


def without_chargers() -> Q:
    """The condition on sites that they have neither chargers nor subsites: whatever lies empty has such an end."""
    here = Charger.objects.filter(site=OuterRef("pk")).order_by()
    return Q(rght=F("lft") + 1) & Q(~Exists(here))

"""Socket health: is a socket online, offline or in error, and how many of each lie at a site and below it."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import Case, Exists, OuterRef, Q, SmallIntegerField, When
from django.utils.translation import gettext_lazy as _

from chargers.models import Socket
from chargers.vocabulary import Status
from hierarchy.forest import Forest
from hierarchy.models import Site
from hierarchy.scoping import Scope

ONLINE, OFFLINE, ERROR = range(3)
# Online and at work: told apart where people look, not in the numbers. The larger a state, the more it needs them.
CHARGING = -1
# By state, that which says most first: its word in addresses and style sheets, and its label.
STATES = {
    ERROR: ("error", _("In error")),
    OFFLINE: ("offline", _("Offline")),
    CHARGING: ("charging", _("Charging")),
    ONLINE: ("online", _("Online")),
}


class Health(NamedTuple):
    """Numbers of sockets; their sum is all of them."""

    online: int = 0
    offline: int = 0
    error: int = 0


def charger_state(status: str, is_connected: bool, was_seen: bool) -> int:
    """What a charger says of all its sockets: OFFLINE, ERROR, or ONLINE when the sockets decide for themselves."""
    if not is_connected or not was_seen or status == Status.OFFLINE:
        return OFFLINE
    return ERROR if status == Status.ERROR else ONLINE


def socket_state(charger: int, status: str) -> int:
    """A socket's state, given its charger's and its own status. Offline outweighs error."""
    if charger == OFFLINE or status == Status.OFFLINE:
        return OFFLINE
    return ERROR if charger == ERROR or status == Status.ERROR else ONLINE


def _offline_chargers(path: str = "") -> Q:
    return (
        Q(**{f"{path}has_active_connection": False})
        | Q(**{f"{path}last_seen": None})
        | Q(**{f"{path}status": Status.OFFLINE})
    )


def socket_states() -> Case:
    """The state of each of many sockets, for the database to work out: `socket_state`, or CHARGING of an online one."""
    return Case(
        When(_offline_chargers("charger__") | Q(status=Status.OFFLINE), then=OFFLINE),
        When(Q(charger__status=Status.ERROR) | Q(status=Status.ERROR), then=ERROR),
        When(status=Status.CHARGING, then=CHARGING),
        default=ONLINE,
        output_field=SmallIntegerField(),
    )


def charger_states() -> Case:
    """The state that stands for a whole charger: OFFLINE when it is, else the worst of its own and its sockets'."""

    def with_socket(status: Status) -> Exists:
        return Exists(Socket.objects.filter(charger=OuterRef("pk"), status=status).order_by())

    return Case(
        When(_offline_chargers(), then=OFFLINE),
        When(Q(status=Status.ERROR) | Q(with_socket(Status.ERROR)), then=ERROR),
        When(with_socket(Status.OFFLINE), then=OFFLINE),
        When(with_socket(Status.CHARGING), then=CHARGING),
        default=ONLINE,
        output_field=SmallIntegerField(),
    )


def roll_up(forest: Forest, own: Mapping[int, Health]) -> dict[int, Health]:
    """The health of every site with everything below it, from that of its own sockets."""
    totals: dict[int, Health] = {}
    for site, entering in forest.walk():
        if not entering:
            online, offline, error = own.get(site, Health())
            for child in forest.children.get(site, ()):
                below = totals[child]
                online += below.online
                offline += below.offline
                error += below.error
            totals[site] = Health(online, offline, error)
    return totals


def health_of_sites(scope: Scope) -> dict[int, Health]:
    """The health of every site that `scope` sees, by id. Two statements."""
    parents = dict(Site.objects.visible_to(scope).order_by().values_list("pk", "parent_id"))
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    columns = ("charger__site_id", "charger__status", "charger__has_active_connection", "charger__last_seen", "status")
    sockets = Socket.objects.visible_to(scope).order_by().values_list(*columns)
    for site_id, charger_status, is_connected, last_seen, status in sockets.iterator():
        state = charger_state(charger_status, is_connected, last_seen is not None)
        counts[site_id][socket_state(state, status)] += 1
    own = {site_id: Health(*numbers) for site_id, numbers in counts.items()}
    return roll_up(Forest.assemble(parents, int), own)

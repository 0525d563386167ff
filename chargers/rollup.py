"""Socket health: is a socket online, offline or in error, and how many of each lie at a site and below it."""

from collections.abc import Mapping
from typing import NamedTuple

from chargers.vocabulary import Status
from hierarchy.forest import Forest

ONLINE, OFFLINE, ERROR = range(3)


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

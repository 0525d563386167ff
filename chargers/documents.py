"""Chargers as they stand in nested answers: read in three statements, rendered once each."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from api.rendering import Document, dumps
from chargers.models import ChargerConfiguration, Socket
from chargers.rollup import Health, charger_state, socket_state
from chargers.serializers import ChargerConfigurationSerializer, ChargerSerializer, SocketSerializer
from hierarchy.entity import EntityQuerySet

CHARGER = Document(ChargerSerializer, given=("socket_count", "ordered_configurations", "ordered_sockets"))
SOCKET = Document(SocketSerializer)
CONFIGURATION = Document(ChargerConfigurationSerializer)

_CHARGER_WIDTH = len(CHARGER.columns)
_FACTS = itemgetter(*map(CHARGER.place, ("pk", "site_id", "status", "has_active_connection", "last_seen")))
_SORTING = ("name_key", "charger_id_key")
_SOCKET_STATUS = SOCKET.place("status")
_ROWS_AT_ONCE = 2000


@dataclass(slots=True)
class RenderedChargers:
    """`of_site`: a site's chargers in order, with commas. `single`: chargers asked for by id, with their sort keys.

    `health`: the sockets at a site itself.
    """

    of_site: dict[int, bytes] = field(default_factory=dict)
    single: dict[int, tuple[Any, bytes]] = field(default_factory=dict)
    health: dict[int, Health] = field(default_factory=dict)


def render_chargers(chargers: EntityQuerySet, singles: Collection[int] = ()) -> RenderedChargers:
    """Render `chargers`, which must be filtered by scope already. Three statements."""
    ids = chargers.order_by().values("pk")
    rows = chargers.order_by("pk").values_list(*CHARGER.columns, *_SORTING).iterator(_ROWS_AT_ONCE)
    sockets = _Children(Socket, SOCKET, ids, "number")
    configurations = _Children(ChargerConfiguration, CONFIGURATION, ids, "name_key")

    wanted = set(singles)
    rendered = RenderedChargers()
    by_site: dict[int, list[tuple[str, str, int, bytes]]] = defaultdict(list)
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        pk, site_id, status, is_connected, last_seen = _FACTS(row)
        name_key, charger_id_key = row[_CHARGER_WIDTH:]
        own_sockets = sockets.of(pk)
        if own_sockets:
            state = charger_state(status, is_connected, last_seen is not None)
            at_site = counts[site_id]
            for socket in own_sockets:
                at_site[socket_state(state, socket[_SOCKET_STATUS])] += 1
        document = dumps(
            CHARGER.build(
                row,
                len(own_sockets),
                [CONFIGURATION.build(configuration) for configuration in configurations.of(pk)],
                [SOCKET.build(socket) for socket in own_sockets],
            )
        )
        by_site[site_id].append((name_key, charger_id_key, pk, document))
        if pk in wanted:
            rendered.single[pk] = (name_key, charger_id_key), document
    rendered.health = {site_id: Health(*numbers) for site_id, numbers in counts.items()}
    # Emptied as it goes, so that each charger's own bytes can be given back.
    while by_site:
        site_id, documents = by_site.popitem()
        documents.sort(key=itemgetter(0, 1, 2))
        rendered.of_site[site_id] = b",".join(document for *_key, document in documents)
    return rendered


class _Children:
    """The rows that belong to chargers, read alongside these in the order of their ids."""

    def __init__(self, model: Any, document: Document, charger_ids: Any, order: str) -> None:
        rows = (
            model.objects.filter(charger__in=charger_ids)
            .order_by("charger_id", order)
            .values_list(*document.columns, "charger_id")
            .iterator(_ROWS_AT_ONCE)
        )
        self._groups: Iterator[tuple[int, Iterator[Any]]] = groupby(rows, key=itemgetter(-1))
        self._next = next(self._groups, None)

    def of(self, charger_id: int) -> list[Any]:
        if self._next is None or self._next[0] != charger_id:
            return []
        rows = list(self._next[1])
        self._next = next(self._groups, None)
        return rows

"""What chargers report of themselves: status, connection, last message. These are no edits and leave no history.

Reports come late, twice and out of order. A status is taken when it is newer than the one known, judged by the moment
that the report names; connection, message and firmware when nothing newer was heard of the charger at all.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from chargers.models import Charger, Socket
from hierarchy import revision, statements
from hierarchy.scoping import Caller
from hierarchy.services import refuse_read_only
from hierarchy.text import comparison_key

# How far the clocks of chargers and back ends may be ahead of ours.
TOLERANCE = datetime.timedelta(minutes=5)


class Outcome(StrEnum):
    """What became of a report."""

    APPLIED = "applied"
    OUTDATED = "outdated"
    AHEAD = "ahead"
    UNKNOWN_CHARGER = "unknown_charger"
    UNKNOWN_SOCKET = "unknown_socket"


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One report of a charger: socket 0 is the charger itself; None says nothing of connection, message, firmware."""

    charger_id: str
    status: str
    at: datetime.datetime
    socket_number: int = 0
    is_connected: bool | None = None
    message: str | None = None
    firmware_version: str | None = None


def apply_reports(caller: Caller, reports: Sequence[StatusReport]) -> list[Outcome]:
    """Take in what is new; the answer has an outcome for each report, in their order.

    A charger that the caller cannot see is unknown. Raises NotPermitted for a caller who may only read. Five
    statements, whatever the number of reports, and nothing in the journal.
    """
    refuse_read_only(caller.scope)
    keys = {comparison_key(report.charger_id) for report in reports}
    with transaction.atomic():
        # Locked in one order, so that two senders do not wait for one another.
        rows = Charger.objects.visible_to(caller.scope).filter(charger_id_key__in=keys)
        chargers = {row.charger_id_key: row for row in rows.order_by("pk").select_for_update(of=("self",))}
        sockets = Socket.objects.filter(charger__in=[row.pk for row in chargers.values()])
        taken = _Intake({(row.charger_id, row.number): row for row in sockets})
        latest = timezone.now() + TOLERANCE
        outcomes = [
            Outcome.AHEAD if report.at > latest else taken.take(chargers.get(comparison_key(report.charger_id)), report)
            for report in reports
        ]
        taken.write()
    return outcomes


@dataclass(slots=True)
class _Intake:
    """The state of chargers and sockets while a batch of reports is taken in."""

    sockets: dict[tuple[int, int], Socket]
    changed: dict[tuple[type[Any], int], Any] = field(default_factory=dict)
    # Moments that stood in the database before the batch: an equal one is a repetition, while of two equal ones
    # within the batch the second is the newer.
    known: dict[tuple[type[Any], int], datetime.datetime | None] = field(default_factory=dict)

    def take(self, charger: Charger | None, report: StatusReport) -> Outcome:
        if charger is None:
            return Outcome.UNKNOWN_CHARGER
        target: Any = charger
        if report.socket_number:
            target = self.sockets.get((charger.pk, report.socket_number))
            if target is None:
                return Outcome.UNKNOWN_SOCKET
        is_newest = charger.last_seen is None or report.at >= charger.last_seen
        if not self._is_news(target, report.at):
            return Outcome.OUTDATED
        target.status, target.reported_at = report.status, report.at
        if is_newest:
            charger.last_seen = report.at
            if report.is_connected is not None:
                charger.has_active_connection = report.is_connected
            if report.message is not None:
                charger.last_message = report.message
            if report.firmware_version is not None:
                charger.firmware_version = report.firmware_version
        for row in (charger, target):
            self.changed[type(row), row.pk] = row
        return Outcome.APPLIED

    def _is_news(self, target: Any, at: datetime.datetime) -> bool:
        known = self.known.setdefault((type(target), target.pk), target.reported_at)
        return (known is None or at > known) and (target.reported_at is None or at >= target.reported_at)

    def write(self) -> None:
        chargers = [row for row in self.changed.values() if isinstance(row, Charger)]
        for charger in chargers:
            charger.status_version += 1
        _update(chargers, sorted(Charger.rules.reported_fields))
        _update((row for row in self.changed.values() if isinstance(row, Socket)), sorted(Socket.rules.reported_fields))
        for customer_id in sorted({row.customer_id for row in chargers}):
            revision.leave_mark(customer_id)


def _update(rows: Iterable[Any], columns: Sequence[str]) -> None:
    statements.update((row, columns) for row in rows)

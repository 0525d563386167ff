"""The journal: who changed what, when and by which road, written in the writer's transaction.

Every write to an `Entity` is recorded here by `Entity.save`, `Entity.delete` and bulk imports. The rows are written
when the outermost `recording` block ends, with the customer's next sequence numbers. Taking these locks the
customer's counter row until commit and is the last thing a transaction does, so whoever follows the sequence
never misses a late commit.
"""

from __future__ import annotations

import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import IO, TYPE_CHECKING, Any, Protocol

from django.db import connection, transaction

from config.middleware import is_in_request
from hierarchy.scoping import Caller, Scope

if TYPE_CHECKING:
    from hierarchy.entity import Entity

ADMIN, API, COMMAND, IMPORT, SYSTEM = SOURCES = ("admin", "api", "command", "import", "system")
CREATED, CHANGED, MOVED, DELETED = ACTIONS = ("created", "changed", "moved", "deleted")

# What stands in the journal for a value that must not be read there.
REDACTED = "***"

# So many entries of one transaction stay in memory.
_IN_MEMORY = 2_000


@dataclass(slots=True)
class Entry:
    """One change of one object, not yet written."""

    customer_id: int | None
    action: str
    object_type: str
    object_id: int
    natural_key: str
    fields: dict[str, list[Any]]
    site_path: str
    driver_path: str | None = None
    from_path: str | None = None


@dataclass(slots=True)
class Recorder:
    """The changes of one transaction. `paths` has the places of sites in the tree that were asked for so far.

    `import_id` is the import that makes the changes, if one does.
    """

    caller: Caller
    entries: list[Entry] = field(default_factory=list)
    paths: dict[int, str] = field(default_factory=dict)
    import_id: int | None = None
    _spooled: IO[bytes] | None = None

    def spool(self) -> None:
        """Put a large number of entries out of memory until they are written. They stay recorded."""
        if len(self.entries) >= _IN_MEMORY:
            if self._spooled is None:
                # Closed by whoever reads it, or with the last reference to it when the transaction fails.
                self._spooled = tempfile.TemporaryFile(prefix="chargetree-")  # noqa: SIM115
            pickle.dump(self.entries, self._spooled, pickle.HIGHEST_PROTOCOL)
            self.entries.clear()

    @property
    def has_entries(self) -> bool:
        return bool(self.entries) or self._spooled is not None

    def parts(self) -> Iterator[list[Entry]]:
        """Everything that was recorded, in order, so many at a time as memory may hold."""
        if self._spooled is not None:
            with self._spooled as spooled:
                spooled.seek(0)
                while True:
                    try:
                        yield pickle.load(spooled)  # noqa: S301  (written by this very transaction)
                    except EOFError:
                        break
        yield self.entries


def join_path(site_ids: Any) -> str:
    """The form in which a place in the tree is written down: `/1/7/12/`."""
    return "/" + "".join(f"{site_id}/" for site_id in site_ids)


_current: ContextVar[Recorder | None] = ContextVar("journal_recorder", default=None)

# The product itself: what it notes and cleans up on nobody's behalf.
PRODUCT = Caller(scope=Scope(customer_id=None), label="Chargetree", source=SYSTEM)


def current() -> Recorder | None:
    """What records the changes of the transaction that is under way."""
    return _current.get()


@contextmanager
def recording(caller: Caller | None = None) -> Iterator[Recorder]:
    """A transaction whose changes are written to the journal when it ends.

    Inside another block it joins that one: the outermost caller is the one who is written down. Inside a request there
    must be one: `PRODUCT` for what is nobody's. What may fail and be
    passed over needs a block of its own inside, not a bare `atomic`, whose end the journal would not notice.
    """
    outer = _current.get()
    if outer is not None:
        mark = len(outer.entries)
        try:
            with transaction.atomic():
                yield outer
        except BaseException:
            del outer.entries[mark:]
            outer.paths.clear()
            raise
        return
    if caller is None and is_in_request():
        raise RuntimeError("A request writes on somebody's behalf: open journal.recording(caller) around it.")
    recorder = Recorder(caller or PRODUCT)
    token = _current.set(recorder)
    try:
        with transaction.atomic():
            yield recorder
            _write(recorder)
    finally:
        _current.reset(token)


def _write(recorder: Recorder) -> None:
    if recorder.has_entries and connection.vendor == "postgresql":
        # Foreign keys wait for whoever is writing the row referred to. At commit that would be too late: that writer
        # may be waiting for the counter which this transaction holds from here on.
        connection.check_constraints()
    for part in recorder.parts():
        by_customer: dict[int | None, list[Entry]] = defaultdict(list)
        for entry in part:
            by_customer[entry.customer_id].append(entry)
        # Ordered, so that two writers who touch two customers each do not wait for one another.
        for customer_id in sorted(by_customer, key=lambda key: key or 0):
            _stores[0].append(recorder, customer_id, by_customer[customer_id])


class Store(Protocol):
    """Who keeps the entries: the model of the journal."""

    def append(self, recorder: Recorder, customer_id: int | None, entries: list[Entry]) -> None:
        """Write entries of one customer with the next sequence numbers."""


# The model registers itself when it is loaded, so that what is below it can write without knowing it.
_stores: list[Store] = []


def register_store(store: Store) -> None:
    _stores[:] = [store]


def differences(before: Entity | None, after: Entity | None) -> dict[str, list[Any]]:
    """Field by field `[old, new]`, as JSON can carry it; for a created or deleted object, what is not empty."""
    shown = after or before
    assert shown is not None
    result: dict[str, list[Any]] = {}
    for model_field in shown.journaled_fields():
        old = None if before is None else _plain(getattr(before, model_field.attname))
        new = None if after is None else _plain(getattr(after, model_field.attname))
        if old != new:
            if model_field.name in shown.rules.secret_fields:
                old, new = (old and REDACTED), (new and REDACTED)
            result[model_field.name] = [old, new]
    return result


def _plain(value: Any) -> Any:
    if not value:
        return None if value in ("", [], {}) else value
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, date) else value

"""Comparing a file with the network: what would be created, changed or left as it is, and what is in the way."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from config.api.errors import NotFound
from hierarchy.bulk.source import Draft, Findings
from hierarchy.bulk.stored import IndexKey, Row, State
from hierarchy.bulk.tables import Table, Unique, Values, tables, with_referred
from hierarchy.forest import Forest
from hierarchy.scoping import Scope
from hierarchy.services import refuse_read_only
from hierarchy.text import comparison_key

# As many keys as one statement asks for.
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of a table a plan creates, changes, moves to another place, and leaves as they are."""

    created: int
    changed: int
    moved: int
    unchanged: int


@dataclass(slots=True)
class Plan:
    """What a file would do to one customer's network; with errors among the findings, nothing.

    `states` are the tables of the file and those that they refer to, in the order in which they are written.
    """

    customer_id: int | None
    states: dict[str, State]
    findings: Findings

    def created(self, state: State) -> list[Row]:
        return [row for row in state.rows.values() if row.is_new]

    def changed(self, state: State) -> list[Row]:
        """The stored rows that get other values, moved ones included."""
        return [row for row in state.rows.values() if not row.is_new and row.values]

    def counts(self) -> dict[str, Counts]:
        """By table, those of the file only."""
        result = {}
        for name, state in self.states.items():
            if state.rows:
                changed = self.changed(state)
                moved = sum(not state.table.model.place_fields.isdisjoint(row.values) for row in changed)
                created = sum(row.is_new for row in state.rows.values())
                unchanged = len(state.rows) - created - len(changed)
                result[name] = Counts(created, len(changed) - moved, moved, unchanged)
        return result

    def governing_sites(self, state: State, values: Values) -> Iterator[int | None]:
        """The sites through which the right to write a row is decided, and at which it lies; None is no site."""
        for path in state.table.governing_paths:
            at, row, target = state, values, None
            for step in path.split("__"):
                target = row[step]
                if target is None:
                    break
                at = self.states[at.table.reference(step).refers_to]
                row = at.after(target)
            yield target

    @property
    def is_empty(self) -> bool:
        return not any(row.is_new or row.values for state in self.states.values() for row in state.rows.values())


# The rows of a file by table, each value as its field takes it, not yet compared with anything.
Rows = dict[str, list[Row]]


def check_rows(drafts: Iterable[Draft], findings: Findings) -> Rows:
    """Read and check every row by itself, without the database."""
    known = tables()
    rows: Rows = {}
    for draft in drafts:
        rows.setdefault(draft.table, []).append(_clean(known[draft.table], draft, findings))
    return rows


def make_plan(scope: Scope, customer_id: int | None, rows: Rows, findings: Findings) -> Plan:
    """Compare rows, which go into the plan, with what the customer has; None is a customer who has nothing yet.

    Takes a constant number of statements, and one more for each few thousand keys that must be unique over all
    customers. To be applied, the plan must be made in the same transaction, with the tree locked.
    """
    refuse_read_only(scope)
    if not scope.is_platform and (customer_id is None or scope.customer_id != customer_id):
        raise NotFound("Customer")
    plan = Plan(customer_id, {}, findings)
    for table in with_referred(rows):
        given = {name for row in rows.get(table.name, ()) for name in row.fields}
        plan.states[table.name] = State.load(table, customer_id, scope, given)
    planner = _Planner(plan, scope)
    for name, state in plan.states.items():
        planner.plan(state, rows.get(name, ()))
    return plan


def _clean(table: Table, draft: Draft, findings: Findings) -> Row:
    """The values of a row as its fields take them. A wrong text is kept, so that the rows that name it are found."""
    row = Row(draft, {})
    for name, value in draft.values.items():
        name, _dot, entry = name.partition(".")
        column = table.by_name[name]
        if column.refers_to:
            continue
        field = table.fields[column.field]
        try:
            if entry:
                row.entries.setdefault(field.name, {}).update(field.clean({entry: value}, None))
            else:
                row.values[field.name] = field.clean(column.parse(value) if column.parse else value, None)
        except ValidationError as error:
            heading = draft.heading(f"{name}.{entry}" if entry else name)
            findings.invalid(error, row=draft.row, column=heading, value=value)
            if isinstance(value, str) and not entry:
                row.values[field.name] = value
    for key in table.key_fields:
        if key.of in row.values:
            row.values[key.name] = key.key(row.values[key.of] or "")
    return row


class _Planner:
    """Carries one table after the other from its rows to its part of the plan."""

    def __init__(self, plan: Plan, scope: Scope) -> None:
        self.whole = plan
        self.states = plan.states
        self.findings = plan.findings
        self.customer_id = plan.customer_id
        self.scope = scope
        self.new_ids = itertools.count(-1, -1)

    def plan(self, state: State, rows: Iterable[Row]) -> None:
        self._identify(state, rows)
        for row in state.rows.values():
            self._compare(state, row)
        touched = [row for row in state.rows.values() if row.is_new or row.values]
        for row in touched:
            self._check_values(state, row)
        for unique in state.table.uniques:
            self._check_unique(state, unique, touched)
        self._check_circles(state, touched)
        if self.scope.is_restricted:
            for row in touched:
                self._check_rights(state, row)

    def _error(self, row: Row, column: str, message: Any, value: Any = None) -> None:
        heading = row.draft.heading(column) if column else ""
        self.findings.error(message, row=row.draft.row, column=heading, value=value)

    def _identify(self, state: State, rows: Iterable[Row]) -> None:
        """Find out which stored row each row is. One that refers to a later row of the same table waits for it."""
        # Rows found by their strongest key come first: they may leave a name that another row then takes.
        pending = deque(sorted(rows, key=lambda row: not _is_found_for_sure(state, row)))
        waiting: dict[IndexKey, list[Row]] = {}
        while pending:
            row = pending.popleft()
            awaited = self._resolve(state, row)
            if awaited is not None:
                waiting.setdefault(awaited, []).append(row)
            elif self._find(state, row):
                for key in state.enter(row):
                    pending.extend(waiting.pop(key, ()))
        for row in itertools.chain.from_iterable(waiting.values()):
            assert state.table.parent is not None
            self._unknown(row, state.table.parent.name)

    def _resolve(self, state: State, row: Row) -> IndexKey | None:
        """Turn the references of a row into ids; the key that is missing in the row's own table, if one is."""
        for column in state.table.references:
            value = row.draft.values.get(column.name)
            if value is None or column.field in row.values:
                continue
            found, key = _look_up(self.states[column.refers_to], value)
            if found is not None:
                row.values[column.field] = found
            elif column.refers_to == state.table.name:
                return key
            else:
                self._unknown(row, column.name)
        return None

    def _unknown(self, row: Row, column: str) -> None:
        self._error(row, column, _("Is unknown: there is none in the file or the network."), row.draft.values[column])

    def _find(self, state: State, row: Row) -> bool:
        """Give the row its id; False for one that cannot have any."""
        keys = list(state.keys_of(row.values))
        if not keys:
            # A reference that was not found has been noted already.
            if all(column.field in row.values for column in state.table.references if column.name in row.draft.values):
                names = " / ".join(state.table.keys[-1])
                self._error(row, "", _("Nothing says which row this is: fill in %(names)s.") % {"names": names})
            return False
        for key in keys:
            found = state.index.get(key)
            if found is None or self._is_another(state, found, keys, key):
                continue
            twin = state.rows.get(found)
            if twin is not None:
                named = state.table.keys[key[0]][-1]
                message = _("Stands in row %(row)s already: each may occur once.") % {"row": twin.draft.row}
                self._error(row, named, message, row.draft.values.get(named))
                return False
            row.id = found
            return True
        row.id = next(self.new_ids)
        for column in state.table.required:
            if column.field not in row.values and column.name not in row.draft.values:
                self._error(row, column.name, _("Is needed for what does not exist yet: fill it in."))
        return True

    def _is_another(self, state: State, found: int, keys: list[IndexKey], key: IndexKey) -> bool:
        """Whether the row found by a weaker key has another stronger one than the file says."""
        has = {held[0] for held in state.keys_of(state.after(found))}
        return any(given[0] < key[0] and given[0] in has for given in keys)

    def _compare(self, state: State, row: Row) -> None:
        before = {} if row.is_new else state.before(row.id)
        for name, entries in row.entries.items():
            row.values[name] = {**(before.get(name) or {}), **entries}
        row.entries = {}
        if not row.is_new:
            row.values = {name: value for name, value in row.values.items() if before[name] != value}
        elif state.table.derive:
            state.table.derive(row.values)

    def _check_values(self, state: State, row: Row) -> None:
        """What the model says of several fields together."""
        together = state.table.together
        if not together or row.values.keys().isdisjoint(together):
            return
        after = state.after(row.id)
        try:
            state.table.model(**{name: after[name] for name in together}).clean()
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                for message in messages:
                    self._error(row, state.table.column_of(name), message, after.get(name))

    def _check_unique(self, state: State, unique: Unique, touched: list[Row]) -> None:
        contenders = [row for row in touched if row.is_new or not unique.watched.isdisjoint(row.values)]
        if not contenders:
            return
        contending = {row.id for row in contenders}
        holders = {unique.key(state.after(id_)): id_ for id_ in state.stored if id_ not in contending}
        holders.pop(None, None)
        column = state.table.column_of(state.table.said(unique.fields[-1]))
        for row in contenders:
            key = unique.key(state.after(row.id))
            if key in holders and holders[key] not in state.rows and self._step_aside(state, row, column):
                key = unique.key(state.after(row.id))
            if key is None:
                continue
            holder = holders.setdefault(key, row.id)
            if holder != row.id:
                twin = state.rows.get(holder)
                where = _(" See row %(row)s.") % {"row": twin.draft.row} if twin else ""
                self._error(row, column, f"{unique.message}{where}", row.draft.values.get(column))
        if unique.is_global:
            self._check_elsewhere(state, unique, contenders, column)

    def _step_aside(self, state: State, row: Row, column: str) -> bool:
        """Take the value that the file has ready for when a row that it does not name has the first one."""
        if column not in row.draft.fallback:
            return False
        value = row.draft.fallback[column]
        aside = _clean(state.table, Draft(state.table.name, row.draft.row, {column: value}), self.findings)
        before = {} if row.is_new else state.before(row.id)
        row.values |= aside.values
        row.values = {name: new for name, new in row.values.items() if row.is_new or before[name] != new}
        self.findings.warning(
            _("Another row that the file does not name is called so already: %(value)s is taken instead.")
            % {"value": value},
            row=row.draft.row,
            column=row.draft.heading(column),
            value=row.draft.values.get(column),
        )
        return True

    def _check_elsewhere(self, state: State, unique: Unique, rows: list[Row], column: str) -> None:
        """Keys that no other customer may have. Whose they are is nobody's business."""
        (name,) = unique.fields
        by_key = {row.values[name]: row for row in rows if name in row.values}
        model = state.table.model
        # A key with characters that no database takes was noted as an error before, and cannot be asked for.
        keys = (key for key in by_key if key.isprintable())
        while batch := list(itertools.islice(keys, _BATCH)):
            others = model._base_manager.filter(**{f"{name}__in": batch})
            if self.customer_id is not None:
                others = others.exclude(**{model.customer_path: self.customer_id})
            for key in others.values_list(name, flat=True):
                self._error(by_key[key], column, unique.message, by_key[key].draft.values.get(column))

    def _check_circles(self, state: State, touched: list[Row]) -> None:
        parent = state.table.parent
        if parent is None:
            return
        moved = [row for row in touched if not row.is_new and parent.field in row.values]
        if not moved:
            return
        ids = [*state.stored, *(row.id for row in touched if row.is_new)]
        forest = Forest.assemble({id_: state.after(id_)[parent.field] for id_ in ids}, int)
        lost = forest.unreachable()
        for row in moved:
            if row.id in lost:
                self._error(row, parent.name, _("Would lie below itself: choose a place outside of its own subtree."))

    def _check_rights(self, state: State, row: Row) -> None:
        """A restricted operator writes below what that operator sees, before and after."""
        versions = [state.after(row.id)] if row.is_new else [state.after(row.id), state.before(row.id)]
        sites = {site for values in versions for site in self.whole.governing_sites(state, values)}
        if None in sites or not all(self.states["sites"].sees(site) for site in sites):
            self._error(row, "", _("This lies outside of the sites that you may change."))


def _is_found_for_sure(state: State, row: Row) -> bool:
    strongest = next(state.keys_of(row.values), None)
    return strongest is not None and strongest[0] == 0 and strongest in state.index


def _look_up(state: State, value: Any) -> tuple[int | None, IndexKey]:
    """The id that a reference means, or the key at which the search ended."""
    if not isinstance(value, tuple):
        key: IndexKey = (0, comparison_key(value))
        return state.index.get(key), key
    found = None
    for name in value:
        key = (len(state.table.keys) - 1, found, comparison_key(name))
        found = state.index.get(key)
        if found is None:
            break
    return found, key

"""Comparing a file with the network: what would be created, changed, deleted or left, and what is in the way."""

from __future__ import annotations

import copy
import datetime
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from bulk import cells
from bulk.naming import Naming
from bulk.prune import Chosen, Prune, doom
from bulk.source import Draft, Findings, Stored
from bulk.stored import SEVERAL, IndexKey, Row, State
from bulk.tables import Column, Field, Table, Unique, Values, tables, with_referred
from hierarchy.entity import Entity
from hierarchy.errors import NotFound
from hierarchy.forest import Forest
from hierarchy.scoping import Scope
from hierarchy.services import refuse_read_only

# As many keys as one statement asks for.
_BATCH = 5_000
# The column whose ids tell rows apart that have one name; no key, and nothing that is written.
MARK = "id"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of a table a plan creates, changes, moves to another place, deletes, and leaves as they are."""

    created: int = 0
    changed: int = 0
    moved: int = 0
    deleted: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Plan:
    """What a file would do to one customer's network; with errors among the findings, nothing.

    `states` are the tables of the file and those that they refer to, in the order in which they are written.
    `deletions` are all rows that go, by model, those first that others need: the ones that the file no longer names or
    that were chosen, and what cannot be without them. `hidden` are those of them that the caller does not see.
    """

    customer_id: int | None
    states: dict[str, State]
    findings: Findings
    deletions: dict[type[Entity], list[int]] = field(default_factory=dict)
    hidden: dict[type[Entity], frozenset[int]] = field(default_factory=dict)

    def created(self, state: State) -> list[Row]:
        return [row for row in state.rows.values() if row.is_new]

    def changed(self, state: State) -> list[Row]:
        """The stored rows that get other values, moved ones included."""
        return [row for row in state.rows.values() if not row.is_new and row.values]

    def counts(self) -> dict[str, Counts]:
        """By table, those of the file and those that lose rows."""
        result = {}
        deleted = {model._meta.label: len(ids) for model, ids in self.deletions.items()}
        for table in tables().values():
            gone = deleted.get(table.model._meta.label, 0)
            state = self.states.get(table.name)
            if state is None or not state.rows:
                if gone:
                    result[table.name] = Counts(deleted=gone)
                continue
            changed = self.changed(state)
            moved = sum(not table.model.rules.place_fields.isdisjoint(row.values) for row in changed)
            created = sum(row.is_new for row in state.rows.values())
            unchanged = len(state.rows) - created - len(changed)
            result[table.name] = Counts(created, len(changed) - moved, moved, gone, unchanged)
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
        return not self.deletions and not any(
            row.is_new or row.values for state in self.states.values() for row in state.rows.values()
        )


# The rows of a file by table, each value as its field takes it, not yet compared with anything.
Rows = dict[str, list[Row]]


def check_rows(drafts: Iterable[Draft], findings: Findings, zone: datetime.tzinfo = datetime.UTC) -> Rows:
    """Read and check every row by itself, without the database. Moments without an offset are those of `zone`."""
    checks: dict[str, _Check] = {}
    rows: Rows = {}
    for draft in drafts:
        if draft.table not in checks:
            checks[draft.table] = _Check(tables()[draft.table], findings, zone)
        rows.setdefault(draft.table, []).append(checks[draft.table].row(draft))
    return rows


def make_plan(
    scope: Scope, customer_id: int | None, rows: Rows, findings: Findings, prune: Prune | Chosen | None = None
) -> Plan:
    """Compare rows, which go into the plan, with what the customer has; None is a customer who has nothing yet.

    Takes a constant number of statements, and one more for each few thousand keys that must be unique over all
    customers. To be applied, the plan must be made in the same transaction, with the tree locked.
    """
    refuse_read_only(scope)
    if not scope.is_platform and (customer_id is None or scope.customer_id != customer_id):
        raise NotFound("Customer")
    plan = Plan(customer_id, {}, findings)
    for table in with_referred([*rows, *(prune.tables if prune else ())]):
        given = {name for row in rows.get(table.name, ()) for name in row.fields}
        plan.states[table.name] = State.load(table, customer_id, scope, given)
    planner = _Planner(plan, scope)
    for name, state in plan.states.items():
        planner.identify(state, rows.get(name, ()))
    if prune is not None:
        doom(plan, scope, prune)
    for state in plan.states.values():
        planner.compare(state)
    return plan


class _Check:
    """Checks the rows of one table by themselves."""

    # Files say the same again and again; so many different values are remembered.
    _REMEMBERED = 50_000

    def __init__(self, table: Table, findings: Findings, zone: datetime.tzinfo) -> None:
        self.table = table
        self.findings = findings
        self.zone = zone
        self._columns: dict[str, tuple[Column, Field, str]] = {}
        self._known: dict[tuple[str, type, Any], Any] = {}

    def row(self, draft: Draft) -> Row:
        """The values of a row as its fields take them.

        A wrong text is kept, so that the rows that name it are found.
        """
        row = Row(draft, dict(self.table.assumed))
        for name, value in draft.values.items():
            if name == MARK and self.table.has_namesakes:
                row.mark = cells.mark(value)
                continue
            column, field, entry = self._columns.get(name) or self._column(name)
            try:
                if column.refers_to:
                    self._check_reference(row, field, value)
                elif entry:
                    row.entries.setdefault(field.name, {})[entry] = self._value(name, value)
                else:
                    row.values[field.name] = self._value(name, value)
            except ValidationError as error:
                for message in error.messages:
                    self.findings.error(
                        message, sheet=draft.sheet, row=draft.row, column=draft.heading(name), value=value
                    )
                row.wrong |= {field.name}
                if column.refers_to:
                    row.values[field.name] = None
                elif isinstance(value, str) and not entry and isinstance(field, models.CharField):
                    row.values[field.name] = value
        for key in self.table.key_fields:
            if key.of in row.values:
                row.values[key.name] = key.key(row.values[key.of] or "")
        return row

    def _column(self, name: str) -> tuple[Column, Field, str]:
        column_name, _dot, entry = name.partition(".")
        column = self.table.by_name[column_name]
        self._columns[name] = column, self.table.fields[column.field], entry
        return self._columns[name]

    def _value(self, name: str, value: Any) -> Any:
        """What the column `name` takes for a value; raises ValidationError."""
        if not isinstance(value, str | int | float):
            return self._cleaned(name, value)
        key = (name, type(value), value)
        if key not in self._known:
            if len(self._known) >= self._REMEMBERED:
                self._known.clear()
            self._known[key] = self._cleaned(name, value)
        return self._known[key]

    def _cleaned(self, name: str, value: Any) -> Any:
        column, field, entry = self._columns[name]
        if entry:
            return None if value is None else field.clean({entry: cells.text_of(value)}, None)[entry]
        if value is None:
            return _cleared(field)
        return field.clean(cells.value_of(column, field, value, self.zone), None)

    @staticmethod
    def _check_reference(row: Row, field: Field, value: Any) -> None:
        if value is None:
            row.values[field.name] = _cleared(field)
        elif not isinstance(value, tuple | Stored):
            cells.text_of(value)


def _cleared(field: Field) -> Any:
    """What a field holds when there is nothing in it."""
    if field.null:
        return None
    if not field.blank or not field.has_default():
        raise ValidationError(_("Cannot be empty: every row has it."), code="blank")
    return field.get_default()


class _Planner:
    """Carries one table after the other from its rows to its part of the plan."""

    def __init__(self, plan: Plan, scope: Scope) -> None:
        self.whole = plan
        self.states = plan.states
        self.naming = Naming(plan.states)
        self.findings = plan.findings
        self.customer_id = plan.customer_id
        self.scope = scope
        self.new_ids = itertools.count(-1, -1)
        self.probes: dict[str, Any] = {}
        # How many more times to look for what is nearly the same, which takes its time.
        self.hints = 20
        self.found: dict[str, dict[Any, tuple[int | None, IndexKey]]] = {}

    def compare(self, state: State) -> None:
        """Keep of each row what differs, and note what speaks against it."""
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
            self._check_refusals(state, touched)

    def _error(self, row: Row, column: str, message: Any, value: Any = None) -> None:
        if not row.draft.row:
            # It stands in no file, so its name says where.
            name = self.naming.of(self.states[row.draft.table], row.id) if row.id else ""
            self.findings.error(f"{name}: {message}" if name else message, sheet="")
            return
        heading = row.draft.heading(column) if column else ""
        self.findings.error(message, sheet=row.draft.sheet, row=row.draft.row, column=heading, value=value)

    def identify(self, state: State, rows: Iterable[Row]) -> None:
        """Find out which stored row each row is. One that refers to a later row of the same table waits for it."""
        rows = list(rows)
        for row in rows:
            given = list(state.keys_of(row.values))
            state.expected.update(key for key in given if key[0] in state.table.single_keys)
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
            self._unknown(row, state.table.parent, *state.look_up(row.draft.values[state.table.parent.name]))
        state.rows = dict(sorted(state.rows.items(), key=lambda item: item[1].draft.row))

    def _resolve(self, state: State, row: Row) -> IndexKey | None:
        """Turn the references of a row into ids; the key that is missing in the row's own table, if one is."""
        for column in state.table.references:
            value = row.draft.values.get(column.name)
            if value is None or column.field in row.values:
                continue
            if column.refers_to == state.table.name:
                found, key = state.look_up(value)
                if not found:
                    return key
            else:
                found, key = self._look_up(column.refers_to, value)
            if found:
                row.values[column.field] = found
            else:
                self._unknown(row, column, found, key)
        return None

    def _look_up(self, table: str, value: Any) -> tuple[int | None, IndexKey]:
        known = self.found.setdefault(table, {})
        # The rows of a file name the same few rows of another table again and again.
        if value not in known:
            known[value] = self.states[table].look_up(value)
        return known[value]

    def _unknown(self, row: Row, column: Column, found: int | None, key: IndexKey) -> None:
        message = str(_("Is unknown: there is none in the file or the network."))
        if isinstance(row.draft.values[column.name], Stored):
            message = str(_("Something that was chosen was deleted in the meantime, or you do not see it any more."))
        elif found == SEVERAL:
            message = str(_("Several are called so: write the external id, or what the export writes for it."))
        elif self.hints:
            self.hints -= 1
            near = self.states[column.refers_to].near(key)
            if near:
                message += _(" Did you mean %(near)s?") % {"near": near}
        self._error(row, column.name, message, row.draft.values[column.name])

    def _find(self, state: State, row: Row) -> bool:
        """Give the row its id; False for one that cannot have any."""
        if row.draft.stored:
            # What was deleted in the meantime has nothing left to change.
            row.id = row.draft.stored
            return row.id in state.stored and state.sees(row.id)
        keys = list(state.keys_of(row.values))
        if not keys:
            # A reference that was not found has been noted already.
            if all(column.field in row.values for column in state.table.references if column.name in row.draft.values):
                names = _(" or ").join(" / ".join(key) for key in state.table.keys)
                self._error(row, "", _("Nothing says which row this is: fill in %(names)s.") % {"names": names})
            return False
        found = state.marked(row.mark, state.name_key(row.values)) if row.mark else None
        if found:
            return self._take(state, row, found, state.table.keys[-1][-1])
        for key in keys:
            found = state.find(key)
            named = state.table.keys[key[0]][-1]
            if found is None or (found and self._is_another(state, row, found, keys, key)):
                continue
            if not found or (row.mark and found > 0):
                self._error(row, named, self._shared_name(), row.draft.values.get(named))
                return False
            return self._take(state, row, found, named)
        row.id = next(self.new_ids)
        for column in state.table.required:
            if column.field not in row.values and column.name not in row.draft.values:
                self._error(row, column.name, _("Is needed for what does not exist yet: fill it in."))
        return True

    @staticmethod
    def _shared_name() -> Any:
        return _("Others are called so, too, and nothing says which one this is: fill in the external id.")

    def _take(self, state: State, row: Row, found: int, named: str) -> bool:
        """Let the row be a stored one, or tell that another row of the file is that one."""
        twin = state.rows.get(found)
        if twin is not None:
            message = _("Stands in row %(row)s already: each may occur once.") % {"row": twin.draft.row}
            self._error(row, named, message, row.draft.values.get(named))
            return False
        row.id = found
        return True

    def _is_another(self, state: State, row: Row, found: int, keys: list[IndexKey], key: IndexKey) -> bool:
        """Whether the row found by a weaker key has another stronger one than the file says."""
        twin = state.rows.get(found)
        if twin is not None and found < 0 and row.mark != twin.mark:
            return True
        has = {held[0] for held in state.keys_of(state.after(found))}
        return any(given[0] < key[0] and given[0] in has for given in keys)

    def _compare(self, state: State, row: Row) -> None:
        before = {} if row.is_new else state.before(row.id)
        parent = state.table.parent
        if parent and before and row.values.get(parent.field) is None and not state.sees(before[parent.field]):
            # To its reader the row stands at the top, and to say so moves nothing.
            row.values.pop(parent.field, None)
        for name, entries in row.entries.items():
            merged = {**(before.get(name) or {}), **entries}
            row.values[name] = {entry: text for entry, text in merged.items() if text is not None}
        row.entries = {}
        if not row.is_new:
            row.values = {name: value for name, value in row.values.items() if before[name] != value}
        elif state.table.derive:
            state.table.derive(row.values)

    def _check_values(self, state: State, row: Row) -> None:
        """What the model says of several fields together."""
        together = state.table.together
        if not together or row.values.keys().isdisjoint(together) or not row.wrong.isdisjoint(together):
            return
        after = state.after(row.id)
        probe = self.probes.get(state.table.name) or self.probes.setdefault(state.table.name, state.table.model())
        for name in together:
            setattr(probe, name, after[name])
        try:
            probe.clean()
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                for message in messages:
                    self._error(row, state.table.column_of(name), message, after.get(name))

    def _check_unique(self, state: State, unique: Unique, touched: list[Row]) -> None:
        contenders = [row for row in touched if row.is_new or not unique.watched.isdisjoint(row.values)]
        if not contenders:
            return
        contending = {row.id for row in contenders}
        staying = (id_ for id_ in state.stored if id_ not in contending and id_ not in state.doomed)
        holders = {unique.key(state.after(id_)): id_ for id_ in staying}
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
                where = _(" See row %(row)s.") % {"row": twin.draft.row} if twin and twin.draft.row else ""
                self._error(row, column, f"{unique.message}{where}", row.draft.values.get(column))
        if unique.is_global:
            self._check_elsewhere(state, unique, contenders, column)

    def _step_aside(self, state: State, row: Row, column: str) -> bool:
        """Take the value that the file has ready for when a row that it does not name has the first one."""
        if column not in row.draft.fallback:
            return False
        value = row.draft.fallback[column]
        draft = Draft(state.table.name, row.draft.row, {column: value}, sheet=row.draft.sheet)
        aside = _Check(state.table, self.findings, datetime.UTC).row(draft)
        before = {} if row.is_new else state.before(row.id)
        row.values |= aside.values
        row.values = {name: new for name, new in row.values.items() if row.is_new or before[name] != new}
        self.findings.warning(
            _("Another row that the file does not name is called so already: %(value)s is taken instead.")
            % {"value": value},
            sheet=row.draft.sheet,
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
            others = model.unscoped.filter(**{f"{name}__in": batch})
            if self.customer_id is not None:
                others = others.exclude(**{model.rules.customer: self.customer_id})
            for key in others.values_list(name, flat=True):
                self._error(by_key[key], column, unique.message, by_key[key].draft.values.get(column))

    def _check_circles(self, state: State, touched: list[Row]) -> None:
        parent = state.table.parent
        if parent is None:
            return
        moved = [row for row in touched if not row.is_new and parent.field in row.values]
        if not moved:
            return
        ids = [*(id_ for id_ in state.stored if id_ not in state.doomed), *(row.id for row in touched if row.is_new)]
        forest = Forest.assemble({id_: state.after(id_)[parent.field] for id_ in ids}, int)
        lost = forest.unreachable()
        for row in moved:
            if row.id in lost:
                self._error(row, parent.name, _("Would lie below itself: choose a place outside of its own subtree."))

    def _check_refusals(self, state: State, touched: list[Row]) -> None:
        """What the model itself keeps restricted operators from. Few models say anything, and few rows are asked."""
        model = state.table.model
        if model.refusal is Entity.refusal or not touched:
            return
        ids = [row.id for row in touched if not row.is_new]
        stored = model.with_references().in_bulk(ids)
        for row in touched:
            before = stored.get(row.id)
            after = copy.copy(before) if before is not None else model()
            for name, value in row.values.items():
                self._put(state, after, name, value)
            refusal = after.refusal(self.scope, before)
            if refusal:
                self._error(row, "", refusal)

    def _put(self, state: State, instance: Entity, name: str, value: Any) -> None:
        """Set a field; a reference to a new row leads to an instance of it, not to an id that it does not have."""
        field = state.table.fields[name]
        if not field.is_relation or value is None or value > 0:
            setattr(instance, field.attname, value)
            return
        there = self.states[state.table.reference(name).refers_to]
        target = there.table.model()
        for inner, planned in there.rows[value].values.items():
            self._put(there, target, inner, planned)
        setattr(instance, name, target)

    def _check_rights(self, state: State, row: Row) -> None:
        """A restricted operator writes below what that operator sees, before and after."""
        versions = [state.after(row.id)] if row.is_new else [state.after(row.id), state.before(row.id)]
        sites = {site for values in versions for site in self.whole.governing_sites(state, values)}
        if None in sites or not all(self.states["sites"].sees(site) for site in sites):
            self._error(row, "", _("This lies outside of the sites that you may change."))


def _is_found_for_sure(state: State, row: Row) -> bool:
    strongest = next(state.keys_of(row.values), None)
    return strongest is not None and strongest[0] == 0 and bool(state.find(strongest))

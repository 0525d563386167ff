"""The plan of an import: what would be created, changed, deleted or left unchanged, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bulk.checks import PlanChecks
from bulk.compare import compare
from bulk.drafts import Findings
from bulk.identify import Identifier
from bulk.prune import Chosen, Prune, plan_deletions
from bulk.row_checks import Rows
from bulk.row_errors import RowErrors
from bulk.row_names import Naming
from bulk.table_state import ImportRow, TableState
from bulk.tables import Values, tables, with_referred
from hierarchy.entity import Entity
from hierarchy.errors import NotFound
from hierarchy.scoping import Scope
from hierarchy.services import refuse_read_only


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
    states: dict[str, TableState]
    findings: Findings
    deletions: dict[type[Entity], list[int]] = field(default_factory=dict)
    hidden: dict[type[Entity], frozenset[int]] = field(default_factory=dict)

    def created(self, state: TableState) -> list[ImportRow]:
        return [row for row in state.rows.values() if row.is_new]

    def changed(self, state: TableState) -> list[ImportRow]:
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

    def governing_sites(self, state: TableState, values: Values) -> Iterator[int | None]:
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
        plan.states[table.name] = TableState.load(table, customer_id, scope, given)
    errors = RowErrors(plan.states, findings, Naming(plan.states))
    identifier, checks = Identifier(plan.states, errors), PlanChecks(plan, scope, errors)
    for name, state in plan.states.items():
        identifier.identify(state, rows.get(name, ()))
    if prune is not None:
        plan_deletions(plan, scope, prune)
    for state in plan.states.values():
        for row in state.rows.values():
            _compare(state, row)
        checks.check(state)
    return plan


def _compare(state: TableState, row: ImportRow) -> None:
    """Keep of a row the values that are to be written."""
    existing = None if row.is_new else state.before(row.id)
    parent = state.table.parent
    if parent and existing and row.values.get(parent.field) is None and not state.sees(existing[parent.field]):
        # Its reader sees it at the top, and to say so moves nothing.
        row.values.pop(parent.field, None)
    row.values = compare(existing, row.values, row.entries).values
    row.entries = {}
    if existing is None and state.table.derive:
        state.table.derive(row.values)

"""Checking planned rows against one another, the database and the caller's rights."""

from __future__ import annotations

import copy
import datetime
import itertools
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from bulk.drafts import Draft
from bulk.row_checks import RowCheck
from bulk.row_errors import RowErrors
from bulk.table_state import ImportRow, TableState
from bulk.tables import Unique
from hierarchy.entity import Entity
from hierarchy.forest import Forest
from hierarchy.scoping import Scope

if TYPE_CHECKING:
    from bulk.plan import Plan

# As many keys as one statement asks for.
_BATCH = 5_000


class PlanChecks:
    """Checks the rows of one table after the other that are created or changed, and notes what is wrong."""

    def __init__(self, plan: Plan, scope: Scope, errors: RowErrors) -> None:
        self.plan = plan
        self.states = plan.states
        self.errors = errors
        self.scope = scope
        self.probes: dict[str, Any] = {}

    def check(self, state: TableState) -> None:
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

    def _check_values(self, state: TableState, row: ImportRow) -> None:
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
                    self.errors.add(row, state.table.column_of(name), message, after.get(name))

    def _check_unique(self, state: TableState, unique: Unique, touched: list[ImportRow]) -> None:
        contenders = [row for row in touched if row.is_new or not unique.watched.isdisjoint(row.values)]
        if not contenders:
            return
        contending = {row.id for row in contenders}
        staying = (id_ for id_ in state.existing if id_ not in contending and id_ not in state.to_delete)
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
                self.errors.add(row, column, f"{unique.message}{where}", row.draft.values.get(column))
        if unique.is_global:
            self._check_elsewhere(state, unique, contenders, column)

    def _step_aside(self, state: TableState, row: ImportRow, column: str) -> bool:
        """Take the value that the file has ready for when a row that it does not name has the first one."""
        if column not in row.draft.fallback:
            return False
        value = row.draft.fallback[column]
        draft = Draft(state.table.name, row.draft.row, {column: value}, sheet=row.draft.sheet)
        aside = RowCheck(state.table, self.plan.findings, datetime.UTC).row(draft)
        before = {} if row.is_new else state.before(row.id)
        row.values |= aside.values
        row.values = {name: new for name, new in row.values.items() if row.is_new or before[name] != new}
        self.plan.findings.warning(
            _("A row that is not in the file already has this name. %(value)s is used instead.") % {"value": value},
            sheet=row.draft.sheet,
            row=row.draft.row,
            column=row.draft.heading(column),
            value=row.draft.values.get(column),
        )
        return True

    def _check_elsewhere(self, state: TableState, unique: Unique, rows: list[ImportRow], column: str) -> None:
        """Keys that no other customer may have. Whose they are is nobody's business."""
        (name,) = unique.fields
        by_key = {row.values[name]: row for row in rows if name in row.values}
        model = state.table.model
        # A key with characters that no database takes was noted as an error before, and cannot be asked for.
        keys = (key for key in by_key if key.isprintable())
        while batch := list(itertools.islice(keys, _BATCH)):
            others = model.unscoped.filter(**{f"{name}__in": batch})
            if self.plan.customer_id is not None:
                others = others.exclude(**{model.rules.customer: self.plan.customer_id})
            for key in others.values_list(name, flat=True):
                self.errors.add(by_key[key], column, unique.message, by_key[key].draft.values.get(column))

    def _check_circles(self, state: TableState, touched: list[ImportRow]) -> None:
        parent = state.table.parent
        if parent is None:
            return
        moved = [row for row in touched if not row.is_new and parent.field in row.values]
        if not moved:
            return
        staying = (id_ for id_ in state.existing if id_ not in state.to_delete)
        ids = [*staying, *(row.id for row in touched if row.is_new)]
        forest = Forest.assemble({id_: state.after(id_)[parent.field] for id_ in ids}, int)
        lost = forest.unreachable()
        for row in moved:
            if row.id in lost:
                self.errors.add(
                    row, parent.name, _("Cannot be below itself. Choose a parent site outside of its own subtree.")
                )

    def _check_refusals(self, state: TableState, touched: list[ImportRow]) -> None:
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
                self.errors.add(row, "", refusal)

    def _put(self, state: TableState, instance: Entity, name: str, value: Any) -> None:
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

    def _check_rights(self, state: TableState, row: ImportRow) -> None:
        """A restricted operator writes below what that operator sees, before and after."""
        versions = [state.after(row.id)] if row.is_new else [state.after(row.id), state.before(row.id)]
        sites = {site for values in versions for site in self.plan.governing_sites(state, values)}
        if None in sites or not all(self.states["sites"].sees(site) for site in sites):
            self.errors.add(row, "", _("Outside of the sites you may change."))

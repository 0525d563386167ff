"""Writing a plan: bulk statements, the tree's numbers computed in memory, every row with its line in the journal."""

from __future__ import annotations

import copy
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any, TypeVar

from django.db import IntegrityError, connection
from django.db.models import CharField, Max, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bulk.drafts import Findings, Progress, silent
from bulk.plan import Plan, make_plan
from bulk.prune import Chosen, Prune
from bulk.row_checks import Rows
from bulk.table_state import ImportRow, TableState
from hierarchy import journal, services, statements, tree
from hierarchy.db import snapshot
from hierarchy.entity import Entity
from hierarchy.errors import Conflict
from hierarchy.fields import KeyField
from hierarchy.forest import Forest, Numbers
from hierarchy.models import Customer, Import, Site
from hierarchy.scoping import Caller, Scope

T = TypeVar("T")

_BATCH = 500
# Keeps a unique place free while rows change their keys with one another. No key has both capitals and a space.
_PARKED = "PARKED "


def dry_run(
    caller: Caller, customer: Customer, rows: Rows, findings: Findings, *, prune: Prune | Chosen | None = None
) -> Plan:
    """What `run` would do, from one snapshot; nothing is written or locked."""
    with snapshot():
        return make_plan(caller.scope, customer.pk, rows, findings, prune)


def run(
    caller: Caller,
    customer: Customer,
    rows: Rows,
    findings: Findings,
    progress: Progress[Any] = silent,
    *,
    prune: Prune | Chosen | None = None,
    record: Import | None = None,
    check: Callable[[Plan], None] | None = None,
) -> Plan:
    """Plan, and without errors apply exactly that plan, in one transaction; a new customer is saved in it, too.

    `record` is saved as the import to which every change belongs, unless there is none. `check` may refuse the plan
    by raising. Raises `Conflict`, and writes nothing, when somebody else changed one of the rows at the same moment.
    """
    try:
        with journal.recording(caller) as recorder, tree.lock():
            plan = make_plan(caller.scope, customer.pk, rows, findings, prune)
            if check is not None:
                check(plan)
            if not findings.error_count:
                if customer.pk is None:
                    services.save(caller, customer)
                if record is not None and not plan.is_empty:
                    record.customer, record.operator_id = customer, caller.scope.operator_id
                    record.counts = {name: asdict(counts) for name, counts in plan.counts().items()}
                    record.save()
                    recorder.import_id = record.pk
                if not plan.is_empty:
                    _PlanWriter(plan, customer.pk, recorder, progress).write()
                    statements.analyze_on_commit(state.table.model for state in plan.states.values())
    except IntegrityError as error:
        raise _collision() from error
    return plan


def _collision() -> Conflict:
    return Conflict(_("Somebody else changed the same rows at this moment, so nothing was written: import it again."))


class _PlanWriter:
    """Turns a plan into rows. `ids` leads from the planned id of a new row to the one that it got."""

    def __init__(self, plan: Plan, customer_id: int, recorder: journal.Recorder, progress: Progress[Any]) -> None:
        self.plan = plan
        self.customer_id = customer_id
        self.recorder = recorder
        self.progress = progress
        self.now = timezone.now()
        self.ids: dict[int, int] = {}
        self.forest = _forest(plan.states["sites"], {})
        # Where everything lay before.
        self.former = journal.Recorder(recorder.caller)
        self.former_forest = Forest.assemble(_parents(plan.states["sites"]), int)

    def write(self) -> None:
        self.recorder.paths.clear()
        for state in self.plan.states.values():
            created, changed = self.plan.created(state), self.plan.changed(state)
            numbers = self._number(state, created, changed) if state.table.model is Site else {}
            self._park(state, created, changed)
            for rows in _by_level(created, numbers):
                for batch in _batches(self.progress(rows, state.table.name, len(rows))):
                    self._create(state, batch, numbers)
                    self.recorder.spool()
            for batch in _batches(self.progress(changed, state.table.name, len(changed))):
                self._change(state, batch)
                self.recorder.spool()
        for model, ids in self.plan.deletions.items():
            self._delete(model, ids)

    def _number(self, state: TableState, created: list[ImportRow], changed: list[ImportRow]) -> dict[int, Numbers]:
        """Number the customer's trees anew, write what is different for the sites there are, and give all numbers.

        Siblings keep their order, new and moved ones come after them; new roots come after those of all customers.
        """
        moved = {row.id for row in changed if "parent" in row.values}
        if not created and not moved and not state.to_delete:
            return {}
        sites = Site.objects.visible_to(Scope.whole_customer(self.customer_id)).order_by("pk")
        columns = ("pk", "tree_id", "lft", "rght", "level")
        stored = {pk: Numbers(*rest) for pk, *rest in sites.values_list(*columns) if pk not in state.to_delete}
        self.forest = _forest(state, {id_: place for id_, place in stored.items() if id_ not in moved})
        highest = Site.unscoped.aggregate(highest=Max("tree_id"))["highest"] or 0
        new_trees = itertools.count(highest + 1)
        numbers = self.forest.number(
            {
                root: stored[root].tree_id if root in stored and root not in moved else next(new_trees)
                for root in self.forest.roots
            }
        )
        Site.objects.write_numbers((id_, place) for id_, place in numbers.items() if id_ > 0 and stored[id_] != place)
        return numbers

    def _park(self, state: TableState, created: list[ImportRow], changed: list[ImportRow]) -> None:
        """Free the unique keys that rows leave and others take, whatever the order in which they are written."""
        for unique in state.table.uniques:
            name = unique.fields[-1]
            leaving = [row for row in changed if not unique.watched.isdisjoint(row.values)]
            leaving_ids = [*(row.id for row in leaving), *state.to_delete]
            if not leaving_ids or not isinstance(state.table.fields[name], KeyField):
                continue
            taken = {unique.key(state.after(row.id)) for row in [*created, *leaving]} - {None}
            parked = [id_ for id_ in leaving_ids if unique.key(state.before(id_)) in taken]
            for batch in _batches(parked):
                state.table.model.unscoped.filter(pk__in=batch).update(
                    **{name: Concat(Value(_PARKED), Cast("pk", CharField()))}
                )

    def _create(self, state: TableState, batch: list[ImportRow], numbers: dict[int, Numbers]) -> None:
        self._know_paths(state, batch)
        referred: dict[tuple[str, int], Entity] = {}
        instances = [self._instance(state, row, numbers, referred) for row in batch]
        statements.insert(state.table.model, instances)
        for row, instance in zip(batch, instances, strict=True):
            self.ids[row.id] = instance.pk
            self.recorder.entries.append(instance.journal_entry(self.recorder, None, instance))

    def _instance(
        self, state: TableState, row: ImportRow, numbers: dict[int, Numbers], referred: dict[tuple[str, int], Entity]
    ) -> Entity:
        values = {state.table.fields[name].attname: self._real(state, name, row.values[name]) for name in row.values}
        # One moment for all, so that it need be turned into the database's once only.
        values |= {"created_at": self.now, "updated_at": self.now}
        if "customer" in state.table.fields:
            values["customer_id"] = self.customer_id
        if row.id in numbers:
            values |= numbers[row.id]._asdict()
        instance = state.table.model(**values)
        for name in state.table.named_with:
            key = (name, row.values[name])
            if key not in referred:
                referred[key] = self._outline(self.plan.states[state.table.reference(name).refers_to], key[1])
            setattr(instance, name, referred[key])
        return instance

    def _outline(self, state: TableState, id_: int) -> Entity:
        """A row with the fields that name and place it, without reading it."""
        after = {**state.after(id_), "id": self.ids.get(id_, id_), "customer": self.customer_id}
        names = state.table.always_loaded
        attnames = [state.table.fields[name].attname for name in names]
        return state.table.model.from_db(
            connection.alias, attnames, [self._real(state, name, after[name]) for name in names]
        )

    def _real(self, state: TableState, name: str, value: Any) -> Any:
        """A planned value as it is written: new rows are referred to by the ids that they got."""
        return self.ids.get(value, value) if state.table.fields[name].is_relation else value

    def _change(self, state: TableState, batch: list[ImportRow]) -> None:
        self._know_paths(state, batch)
        table = state.table
        stored = table.model.unscoped.select_related(*table.named_with).select_for_update(of=("self",))
        found: dict[int, Any] = stored.in_bulk([row.id for row in batch])
        written: list[tuple[Entity, tuple[str, ...]]] = []
        for row in batch:
            before = found.get(row.id)
            if before is None or before.version != state.before(row.id)["version"]:
                raise _collision()
            after = copy.copy(before)
            for name, value in row.values.items():
                setattr(after, table.fields[name].attname, self._real(state, name, value))
            after.stamp(before)
            names = dict.fromkeys([*row.values, *(key.name for key in table.key_fields), *after.rules.all_stamps])
            written.append((after, tuple(names)))
            entry = after.journal_entry(self.recorder, before, after)
            if entry.from_path is not None:
                entry.from_path = before.journal_paths(self.former)[0]
            self.recorder.entries.append(entry)
        statements.update(written)

    def _delete(self, model: type[Entity], ids: list[int]) -> None:
        for site in self.plan.states["sites"].existing:
            self._know_former_path(site)
        rows = model.with_references().select_for_update(of=("self",)).order_by("pk")
        for batch in _batches(self.progress(ids, str(model._meta.verbose_name_plural), len(ids))):
            found = list(rows.filter(pk__in=batch))
            if len(found) != len(batch):
                raise _collision()
            self.recorder.entries.extend(row.journal_entry(self.former, row, None) for row in found)
            self.recorder.spool()
            statements.delete(model, batch)

    def _know_paths(self, state: TableState, batch: list[ImportRow]) -> None:
        """Tell the journal where the rows lie and lay, so that it need not ask."""
        for row in batch:
            for site in self.plan.governing_sites(state, state.after(row.id)):
                real = self.ids.get(site, site) if site is not None else None
                if real is not None and real not in self.recorder.paths:
                    path = self.forest.path(site)
                    self.recorder.paths[real] = journal.join_path(self.ids.get(id_, id_) for id_ in path)
            if not row.is_new:
                for site in self.plan.governing_sites(state, state.before(row.id)):
                    self._know_former_path(site)

    def _know_former_path(self, site: int | None) -> None:
        if site is not None and site not in self.former.paths:
            self.former.paths[site] = journal.join_path(self.former_forest.path(site))


def _parents(state: TableState) -> dict[int, int | None]:
    """The site above each stored site."""
    place = state.fields.index("parent")
    return {id_: values[place] for id_, values in state.existing.items()}


def _forest(state: TableState, numbers: dict[int, Numbers]) -> Forest:
    """The customer's sites as they will be: those in `numbers` in their order, then the others as they came."""
    position = {id_: (place.tree_id, place.lft) for id_, place in numbers.items()}
    staying = (id_ for id_ in state.existing if id_ not in state.to_delete)
    ids = [*staying, *(id_ for id_ in state.rows if id_ < 0)]
    order = {id_: (0, *position[id_]) if id_ in position else (1, turn) for turn, id_ in enumerate(ids)}
    return Forest.assemble({id_: state.after(id_)["parent"] for id_ in ids}, order.__getitem__)


def _by_level(rows: list[ImportRow], numbers: dict[int, Numbers]) -> list[list[ImportRow]]:
    """Rows with those first to which others refer."""
    levels: dict[int, list[ImportRow]] = defaultdict(list)
    for row in rows:
        levels[numbers[row.id].level if row.id in numbers else 0].append(row)
    return [levels[level] for level in sorted(levels)]


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch

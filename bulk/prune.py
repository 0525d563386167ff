"""Deleting what a file no longer names, or what was chosen: what goes with it, and what keeps it from going."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _

from bulk.row_names import Naming
from bulk.tables import tables
from hierarchy.entity import Entity
from hierarchy.forest import Forest

if TYPE_CHECKING:
    from bulk.plan import Plan
    from bulk.table_state import TableState
    from hierarchy.scoping import Scope

# The whole network, where a site is asked for.
EVERYWHERE = "/"
_BATCH = 5_000
# More names of what stands in the way nobody reads.
_NEEDED_SHOWN = 20

Model = type[Entity]
Deletions = dict[Model, dict[int, None]]


@dataclass(frozen=True, slots=True)
class Prune:
    """Which rows a file should have named: those of `tables` that lie below `site`, written as in a cell."""

    tables: tuple[str, ...]
    site: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows that somebody chose: those of one table with these ids."""

    table: str
    ids: tuple[int, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.table,)


def plan_deletions(plan: Plan, scope: Scope, prune: Prune | Chosen) -> None:
    """Enter into the plan what is to be deleted, and note what is in the way.

    Of each table, the visible rows that no row of the file is and that lie below the site, now and after the import;
    or those that were chosen. Takes a constant number of statements, and some more for each few thousand rows that go.
    """
    to_delete = _chosen(plan, scope, prune) if isinstance(prune, Chosen) else _pruned(plan, scope, prune)
    _add_what_depends(to_delete)
    for state in plan.states.values():
        state.to_delete = to_delete.get(state.table.model, {})
    if scope.is_restricted:
        plan.hidden = {model: frozenset(ids) - _seen(model, ids, scope) for model, ids in to_delete.items()}
    if isinstance(prune, Chosen):
        _refuse_while_needed(plan, to_delete, partial(_note_needed, scope=scope))
    else:
        _refuse_while_named(plan)
        _refuse_while_needed(plan, to_delete, _note_blockers)
    order = _order(to_delete)
    plan.deletions = {model: list(to_delete[model]) for model in order}


def _pruned(plan: Plan, scope: Scope, prune: Prune) -> Deletions:
    inside = _inside(plan, prune.site)
    if inside is None:
        return {}
    to_delete: Deletions = {}
    for name in prune.tables:
        state = plan.states[name]
        spared = state.table.spares(scope) if state.table.spares else ()
        unnamed = [id_ for id_ in _unnamed(plan, state, scope, inside) if id_ not in spared]
        if unnamed:
            message = _("%(object)s, which the file does not name, cannot be deleted: %(why)s")
            _note_refusals(plan, state, scope, unnamed, message)
            to_delete[state.table.model] = dict.fromkeys(unnamed)
    return to_delete


def _chosen(plan: Plan, scope: Scope, chosen: Chosen) -> Deletions:
    """The chosen rows that are there, those noted that may not be deleted."""
    state = plan.states[chosen.table]
    spared = state.table.spares(scope) if state.table.spares else ()
    found = [id_ for id_ in chosen.ids if id_ in state.existing and state.sees(id_) and id_ not in spared]
    if scope.is_restricted:
        naming = Naming(plan.states)
        for id_ in found:
            if not _is_writable(plan, _places(plan, state, id_)):
                name = naming.of(state, id_, is_before=True)
                message = _("%(object)s is outside of the sites you may change.")
                plan.findings.error(message % {"object": name}, sheet="")
        _note_refusals(plan, state, scope, found, _("%(object)s cannot be deleted: %(why)s"))
    return {state.table.model: dict.fromkeys(found)} if found else {}


def _seen(model: Model, ids: Iterable[int], scope: Scope) -> set[int]:
    rows = model.objects.visible_to(scope).order_by().values_list("pk", flat=True)
    return {pk for batch in _batches(ids) for pk in rows.filter(pk__in=batch)}


def _inside(plan: Plan, site: str) -> Collection[int | None] | None:
    """The sites at or below which rows may go; None when the site is unknown, which is noted."""
    state = plan.states["sites"]
    visible = [id_ for id_ in state.existing if state.sees(id_)]
    if site.strip() == EVERYWHERE:
        return {*visible, None}
    root, _key = state.look_up(site)
    if not root or root < 0:
        message = _("There is no site %(site)s below which something could be deleted: give its path or external id.")
        plan.findings.error(message % {"site": site}, sheet="")
        return None
    inside: set[int | None] = set(visible)
    for values in (state.before, state.after):
        inside &= set(Forest.assemble({id_: values(id_)["parent"] for id_ in state.existing}, int).subtree(root))
    return inside


def _unnamed(plan: Plan, state: TableState, scope: Scope, inside: Collection[int | None]) -> Iterator[int]:
    for id_ in state.existing:
        if id_ in state.rows or not state.sees(id_):
            continue
        places = _places(plan, state, id_)
        if places[0] in inside and (not scope.is_restricted or _is_writable(plan, places)):
            yield id_


def _places(plan: Plan, state: TableState, id_: int) -> list[int | None]:
    return list(plan.governing_sites(state, state.before(id_)))


def _is_writable(plan: Plan, places: list[int | None]) -> bool:
    """Whether a restricted operator may write a row that lies there."""
    return all(place is not None and plan.states["sites"].sees(place) for place in places)


def _note_refusals(plan: Plan, state: TableState, scope: Scope, ids: list[int], message: str) -> None:
    """What the model itself keeps restricted operators from."""
    model = state.table.model
    if not scope.is_restricted or model.refusal is Entity.refusal:
        return
    for row in model.with_references().in_bulk(ids).values():
        refusal = row.refusal(scope, row)
        if refusal:
            plan.findings.error(message % {"object": row.natural_key_text, "why": refusal}, sheet="")


def _add_what_depends(to_delete: Deletions) -> None:
    """Add the rows that go with others: sockets with their charger, tags with their driver …"""
    pending = [(model, list(ids)) for model, ids in to_delete.items()]
    while pending:
        model, ids = pending.pop()
        for relation in model.related_rows(models.CASCADE):
            found = to_delete.setdefault(relation.related_model, {})
            fresh = [pk for pk in _referring(relation, ids) if pk not in found]
            found.update(dict.fromkeys(fresh))
            if fresh:
                pending.append((relation.related_model, fresh))
    for model in [model for model, ids in to_delete.items() if not ids]:
        del to_delete[model]


def _referring(relation: Any, ids: Iterable[int]) -> Iterator[int]:
    rows = relation.related_model.unscoped.order_by("pk").values_list("pk", flat=True)
    for batch in _batches(ids):
        yield from rows.filter(**{f"{relation.field.name}__in": batch})


def _refuse_while_named(plan: Plan) -> None:
    for state in plan.states.values():
        for row in state.rows.values():
            for column in state.table.references:
                target = state.after(row.id).get(column.field)
                if column.name in row.draft.values and target in plan.states[column.refers_to].to_delete:
                    message = _(
                        "Refers to a row that is missing from the file and would be deleted. Add it to the file."
                    )
                    plan.findings.error(
                        message,
                        sheet=row.draft.sheet,
                        row=row.draft.row,
                        column=row.draft.heading(column.name),
                        value=row.draft.values.get(column.name),
                    )


def _refuse_while_needed(plan: Plan, to_delete: Deletions, note: Callable[[Plan, Any, list[int]], None]) -> None:
    named = {table.model: plan.states.get(table.name) for table in tables().values()}
    for model, ids in to_delete.items():
        for relation in model.related_rows(models.PROTECT):
            planned = named.get(relation.related_model)
            gone = to_delete.get(relation.related_model, {})
            held = [
                pk
                for pk in _referring(relation, ids)
                if pk not in gone and (planned is None or planned.after(pk)[relation.field.name] in ids)
            ]
            if held:
                note(plan, relation, held)


def _note_blockers(plan: Plan, relation: Any, held: list[int]) -> None:
    rows = relation.related_model.with_references().order_by("pk")
    shown = "; ".join(
        _("%(object)s, which has the %(noun)s %(blocker)s")
        % {
            "object": getattr(row, relation.field.name).natural_key_text,
            "noun": relation.related_model._meta.verbose_name,
            "blocker": row.natural_key_text,
        }
        for row in rows.filter(pk__in=held[:3])
    )
    more = _(" and %(count)s more") % {"count": len(held) - 3} if len(held) > 3 else ""
    message = _(
        "What the file does not name cannot be deleted while something needs it: %(blockers)s. Name it in the file, or "
        "move or delete first what needs it."
    )
    plan.findings.error(message % {"blockers": shown + more}, sheet="")


def _note_needed(plan: Plan, relation: Any, held: list[int], scope: Scope) -> None:
    """What needs chosen rows, one by one, as far as the caller sees it."""
    model = relation.related_model
    seen = _seen(model, held, scope)
    shown = [pk for pk in held if pk in seen][:_NEEDED_SHOWN]
    for row in model.with_references().filter(pk__in=shown).order_by("pk"):
        message = _("%(object)s has the %(noun)s %(blocker)s: move or delete that first.")
        needed = {
            "object": getattr(row, relation.field.name).natural_key_text,
            "noun": model._meta.verbose_name,
            "blocker": row.natural_key_text,
        }
        plan.findings.error(message % needed, sheet="")
    if len(held) > len(shown):
        message = _("%(count)s %(noun)s more need what was chosen: move or delete them first.")
        rest = {"count": len(held) - len(shown), "noun": model._meta.verbose_name_plural}
        plan.findings.error(message % rest, sheet="")


def _order(to_delete: Deletions) -> list[Model]:
    """The models in an order in which none goes before those that refer to it."""
    order: list[Model] = []

    def put(model: Model) -> None:
        if model in order:
            return
        for relation in [*model.related_rows(models.CASCADE), *model.related_rows(models.PROTECT)]:
            if relation.related_model in to_delete and relation.related_model is not model:
                put(relation.related_model)
        order.append(model)

    for model in to_delete:
        put(model)
    return order


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    remaining = iter(ids)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch

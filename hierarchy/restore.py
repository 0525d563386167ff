"""Taking back what the journal tells: a change undone, a row as it was after a line, a deleted row made anew.

What comes back is written as any other change: by the services, with the rights and rules of now. Only columns that
people edit come back. Secrets are not in the journal, so that no key, password or webhook's secret ever does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.utils.translation import gettext as _

from hierarchy import journal, services, tree
from hierarchy.entity import Entity
from hierarchy.errors import Conflict, DomainError, NotFound
from hierarchy.models import Change, Customer, Import
from hierarchy.object_history import kinds
from hierarchy.scoping import Caller, Scope

UNDO, RESTORE = WAYS = ("undo", "restore")

# Each is rehearsed and written row by row, while others wait.
MOST_OTHERS = 200

# The same, for all that was written together.
MOST_LINES = 500

# Nobody edits the one; the journal of the other ended with it.
_NEVER = (Import, Customer)
_LEFT = [str(Import._meta.model_name)]


@dataclass(frozen=True, slots=True)
class RestoredColumn:
    """One column that is set back, its values as the journal writes them. `is_newer`: somebody changed it since."""

    name: str
    now: Any
    then: Any
    is_newer: bool = False


@dataclass(slots=True)
class Restoration:
    """What taking back one line of the journal would write, or that it cannot be: then `refusal` says why.

    `row` holds the values to come. For a deleted one, `others` are the rows that went with it, and `called` what the
    journal calls them: they cannot say so while what they refer to is gone.
    `kept` are columns of the line that stay as they are, because the journal does not have them or nobody edits them.
    """

    change: Change
    row: Entity
    is_new: bool = False
    columns: list[RestoredColumn] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    others: list[Entity] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    refusal: str = ""


def can_return(change: Change) -> bool:
    """Whether lines such as this one can be taken back at all."""
    model = kinds().get(change.object_type)
    if model is None or issubclass(model, _NEVER) or _needs_secrets(model):
        return False
    return change.action in (journal.CREATED, journal.DELETED) or bool(_editable(model).keys() & change.fields.keys())


def plan(scope: Scope, change: Change, way: str) -> Restoration | None:
    """What `way` would do about a line that `scope` sees. None for the undoing of a creation, which is a deletion.

    Raises NotFound for a row that `scope` does not see, Conflict when there is nothing to take back.
    """
    model = kinds().get(change.object_type)
    if model is None or not can_return(change):
        raise Conflict(
            _("This cannot be undone: the change log does not have the values it needs, or they are not editable.")
        )
    if way == RESTORE and change.visible_fields(model.rules.place_fields, scope).keys() != change.fields.keys():
        # It left with values that are not told; the state after it would tell them.
        raise NotFound(services.noun(model))
    row = model._default_manager.visible_to(scope).filter(pk=change.object_id).first()
    if row is None:
        if model.unscoped.filter(pk=change.object_id).exists():
            raise NotFound(services.noun(model))
        if way == UNDO and change.action != journal.DELETED:
            raise Conflict(_("%(object)s was deleted later. Restore it first.") % {"object": change.natural_key})
        return _anew(scope, change, model)
    if change.action == journal.DELETED:
        raise Conflict(_("%(object)s already exists. Nothing to restore.") % {"object": row.natural_key_text})
    if change.action == journal.CREATED and way == UNDO:
        return None
    return _back(change, row, way)


def write(caller: Caller, restoration: Restoration, without: Collection[str] = ()) -> None:
    """Do it in one transaction, leaving out the rows named.

    Raises what the services raise, and has written nothing then.
    """
    with journal.recording(_named(caller, restoration.change)):
        for error in _written(caller, restoration, without).values():
            raise error


def rehearse(caller: Caller, restoration: Restoration) -> dict[str, Exception]:
    """Why which rows could not come back now: everything is written, and taken back again."""
    try:
        with journal.recording(caller):
            raise _Rehearsed(_written(caller, restoration))
    except _Rehearsed as rehearsed:
        return rehearsed.refused


class _Rehearsed(Exception):
    def __init__(self, refused: dict[Any, Exception]) -> None:
        super().__init__()
        self.refused = refused


def _written(caller: Caller, restoration: Restoration, without: Collection[str] = ()) -> dict[str, Exception]:
    """Save the rows one by one; the answer is what was refused, and why. Without the first there are no others."""
    refused: dict[str, Exception] = {}
    for row in (restoration.row, *restoration.others):
        if name_of(restoration.row) in refused or (row is not restoration.row and name_of(row) in without):
            continue
        try:
            with journal.recording():
                services.save(caller, row)
        except (DomainError, ValidationError, IntegrityError) as error:
            refused[name_of(row)] = error
    return refused


def name_of(row: Entity) -> str:
    """A row as the journal names it, kind and id: `tag.7`."""
    return f"{row._meta.model_name}.{row.pk}"


def _named(caller: Caller, change: Change) -> Caller:
    room = Change._meta.get_field("actor_label").max_length or 0
    note = _(" (restores line %(number)s)") % {"number": change.pk}
    return replace(caller, label=caller.label[: room - len(note)] + note)


# A whole step.


def step_of(scope: Scope, change: Change) -> list[Change]:
    """All lines that were written together with `change` and that `scope` sees, newest first; at most one more than
    `MOST_LINES`. The record of an import stays, whatever becomes of the rows."""
    together = {"at": change.at, "request_id": change.request_id, "customer_id": change.customer_id}
    lines = Change.objects.visible_to(scope).filter(**together).exclude(object_type__in=_LEFT)
    return list(lines.order_by("-id")[: MOST_LINES + 1])


def rehearse_step(caller: Caller, lines: Sequence[Change]) -> dict[int, Exception]:
    """Why which of these lines, by id, could not be taken back now: all is written, and taken back again."""
    try:
        with journal.recording(caller), tree.lock():
            raise _Rehearsed(_taken_back(caller, lines))
    except _Rehearsed as rehearsed:
        return rehearsed.refused


def write_step(caller: Caller, lines: Sequence[Change], without: Set[int]) -> None:
    """Take these lines back in one transaction, without those of which is known that they cannot be.

    Raises Conflict, and has written nothing then, when it is others that cannot be.
    """
    with journal.recording(_named(caller, lines[0])), tree.lock():
        if _taken_back(caller, lines).keys() != without:
            raise Conflict(_("Something changed after you opened the page."))


def _taken_back(caller: Caller, lines: Sequence[Change]) -> dict[int, Exception]:
    """Newest first, and again as long as that helps: what refers to a row comes back after it, and goes before it."""
    ours = {(line.object_type, line.object_id) for line in lines}
    pending, refused = list(lines), dict[int, Exception]()
    while pending:
        refused = {}
        for line in pending:
            try:
                with journal.recording():
                    _undo(caller, line, {one.pk for one in lines}, ours)
            except (DomainError, ValidationError, IntegrityError) as error:
                refused[line.pk] = error
        if len(refused) == len(pending):
            break
        pending = [line for line in pending if line.pk in refused]
    return refused


def _undo(caller: Caller, line: Change, ours: Set[int], rows_of_ours: Set[tuple[str, int]]) -> None:
    model = kinds().get(line.object_type)
    is_there = model is not None and model.unscoped.filter(pk=line.object_id).exists()
    if is_there == (line.action == journal.DELETED):
        # It came back, or went, with another row.
        return
    later = Change.objects.filter(object_type=line.object_type, object_id=line.object_id, pk__gt=line.pk)
    since = {name for one in later.exclude(pk__in=ours) for name in one.fields}
    found = plan(caller.scope, line, UNDO)
    if found is None:
        assert model is not None
        row = model._default_manager.visible_to(caller.scope).get(pk=line.object_id)
        if since or _has_others(row, rows_of_ours):
            raise Conflict(_("Changed since then. Delete it on its own page."))
        services.delete(caller, row)
    elif found.columns:
        if since & {one.name for one in found.columns}:
            raise Conflict(_("Changed again since then. Undo the later change first, or undo this one separately."))
        for error in _written(caller, replace(found, others=[])).values():
            raise error


def _has_others(row: Entity, rows_of_ours: Set[tuple[str, int]]) -> bool:
    """Whether anything would go with the row that did not come with it."""
    for relation in row.related_rows(models.CASCADE):
        related = relation.related_model
        ids = related.unscoped.filter(**{relation.field.name: row.pk}).values_list("pk", flat=True)
        if any((str(related._meta.model_name), pk) not in rows_of_ours for pk in ids):
            return True
    return False


# A row that is there.


def _back(change: Change, row: Entity, way: str) -> Restoration:
    later = list(
        Change.objects.visible_to(Scope.platform())
        .filter(object_type=change.object_type, object_id=change.object_id, id__gt=change.pk)
        .order_by("-id")
    )
    changed_since = {name for line in later for name in line.fields}
    if way == UNDO:
        then = {name: old for name, (old, _new) in change.fields.items()}
    else:
        then = {name: old for line in later for name, (old, _new) in line.fields.items()}
    found = Restoration(change, row)
    editable = _editable(type(row))
    now = _values(row)
    for name, value in then.items():
        if name not in editable:
            found.kept.append(name)
        elif now[name] != value:
            found.columns.append(RestoredColumn(name, now[name], value, way == UNDO and name in changed_since))
            _set(row, editable[name], value)
    if not found.columns:
        found.refusal = _("Nothing to undo: the fields already have these values.")
    return found


# A row that is gone.


def _anew(scope: Scope, change: Change, model: type[Entity]) -> Restoration:
    """The row as it was when it went, set back to the values after `change`, with the rows that went with it."""
    lines = Change.objects.visible_to(Scope.platform()).filter(
        object_type=change.object_type, object_id=change.object_id, id__gte=change.pk
    )
    later = list(lines.order_by("-id"))
    if not Change.objects.visible_to(scope).filter(pk=later[0].pk, action=journal.DELETED).exists():
        raise NotFound(services.noun(model))
    then: dict[str, Any] = {}
    for line in later:
        if line.pk > change.pk or line.action == journal.DELETED:
            then |= {name: old for name, (old, _new) in line.fields.items()}
    row = _made(later[0], then)
    found = Restoration(change, row, is_new=True)
    found.columns = [RestoredColumn(name, None, value) for name, value in then.items() if name in _editable(model)]
    found.kept = [name for name in then if name not in _editable(model)]
    for other in _gone_with(scope, later[0], model):
        gone = _made(other, {name: old for name, (old, _new) in other.fields.items()})
        found.others.append(gone)
        found.called[name_of(gone)] = other.natural_key
    if len(found.others) > MOST_OTHERS:
        found.refusal = _(
            "%(count)s rows were deleted with it, more than can be restored at once. Import them from a file."
        ) % {"count": len(found.others)}
    return found


def _gone_with(scope: Scope, deletion: Change, model: type[Entity]) -> Iterator[Change]:
    """The deletions of the rows that went because this one did: in one transaction, at one moment."""
    columns = {
        str(relation.related_model._meta.model_name): (relation.related_model, relation.field.name)
        for relation in model.related_rows(models.CASCADE)
    }
    lines = Change.objects.visible_to(scope).filter(
        at=deletion.at, request_id=deletion.request_id, action=journal.DELETED, object_type__in=columns
    )
    for line in lines.order_by("id"):
        related, column = columns[line.object_type]
        if line.fields.get(column, [None])[0] == deletion.object_id and not _needs_secrets(related):
            yield line


def _made(deletion: Change, values: dict[str, Any]) -> Entity:
    """A new row of the old id, which nobody has got since, one version after the last."""
    model = kinds()[deletion.object_type]
    row: Any = model()
    row.pk = deletion.object_id
    row.version = (
        Change.objects.visible_to(Scope.platform())
        .filter(object_type=deletion.object_type, object_id=deletion.object_id)
        .count()
    )
    if any(one.name == "customer" for one in model._meta.concrete_fields):
        row.customer_id = deletion.customer_id
    for name, column in _editable(model).items():
        # A deletion tells what was not empty.
        _set(row, column, values.get(name))
    if isinstance(row, AbstractBaseUser):
        row.set_unusable_password()
    return row


# Columns and values.


def _editable(model: type[Entity]) -> dict[str, Any]:
    return {
        one.name: one for one in model.journaled_fields() if one.editable and one.name not in model.rules.secret_fields
    }


def _needs_secrets(model: type[Entity]) -> bool:
    """Whether a row is nothing without a secret, which was never written down. A password can be set again."""
    return not issubclass(model, AbstractBaseUser) and any(
        one.name in model.rules.secret_fields and not one.has_default() and not one.null
        for one in model.journaled_fields()
    )


def _values(row: Entity) -> dict[str, Any]:
    """The columns of a row as the journal would write them."""
    new = journal.differences(None, row)
    return {one.name: new.get(one.name, [None, None])[1] for one in row.journaled_fields()}


def _set(row: Entity, column: Any, value: Any) -> None:
    """Write a value of the journal into a row; there, None stands for whatever is empty."""
    if value is None and not column.null and not column.is_relation:
        value = type(column.get_default())() if isinstance(column, models.JSONField) else ""
    typed = column.target_field if column.is_relation else column
    setattr(row, column.attname, typed.to_python(value))

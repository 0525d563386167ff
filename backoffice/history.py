"""Change log entries prepared for display, with labels of fields and names of referenced objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Max, Q, Value
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.times import UTC, local
from hierarchy import journal, restore, scoping
from hierarchy.entity import Entity
from hierarchy.fields import TimestampField
from hierarchy.models import Change, Import
from hierarchy.object_history import kinds
from hierarchy.scoping import Scope

NOTHING = "–"

# The column with the name of a referenced object. For other models, the change log entries have it.
_NAMES = {
    "site": "name",
    "charger": "charger_id",
    "driver": "name",
    "operator": "email",
    "customer": "name",
    "import": "file_name",
}

# An object as the change log identifies it: model and id.
ObjectRef = tuple[type[Entity], int]


@dataclass(frozen=True, slots=True)
class Difference:
    """The old and new value of one field, as text."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change log entry, ready to display.

    `kind` is the label of the model, `url` the page of the object (empty if it was deleted or is not accessible) and
    `record` the name of the import, if any. `undo` and `restore` are URLs, empty where not possible.
    """

    change: Change
    kind: str
    differences: list[Difference]
    record: str
    url: str
    undo: str
    restore: str


def kind_of(change: Change) -> str:
    model = kinds().get(change.object_type)
    return capfirst(str(model._meta.verbose_name)) if model else change.object_type


def entries(changes: Iterable[Change], scope: Scope, zone: ZoneInfo = UTC) -> list[HistoryEntry]:
    """The changes as entries. Three statements. References are named if they are or were accessible to `scope`."""
    rows = list(changes)
    redact_names(rows, scope)
    fields = {change.pk: _visible_fields(change, scope) for change in rows}
    referred, shown = _objects_in(rows, fields)
    names = _current_names(referred | shown, scope)
    texts = names | _last_names(referred - names.keys(), scope)
    latest = _latest(rows)
    return [
        HistoryEntry(
            change,
            kind_of(change),
            list(_differences(change.object_type, fields[change.pk], texts, zone)),
            names.get((Import, change.import_id or 0), ""),
            *_urls(change, names, scope, change.pk in latest),
        )
        for change in rows
    ]


def redact_names(changes: Iterable[Change], scope: Scope) -> None:
    """Replace the object's name in changes that `scope` sees only in part: the new name may not be accessible."""
    for change in changes:
        if not _is_fully_visible(change, scope):
            change.natural_key = _("an object you have no access to")


def differences(kind: str, fields: dict[str, list[Any]], scope: Scope, zone: ZoneInfo = UTC) -> list[Difference]:
    """Old and new values of some fields of one object, ready to display."""
    referred = set(_references(kind, fields))
    names = _current_names(referred, scope)
    return list(_differences(kind, fields, names | _last_names(referred - names.keys(), scope), zone))


def change_log_url(change: Change) -> str:
    """The URL of the change log of one object, which may be deleted."""
    return f"{reverse('admin:hierarchy_change_changelist')}?object={change.object_type}.{change.object_id}"


def label_of(kind: str, column: str) -> str:
    """The label of a column."""
    field = _field(kinds().get(kind), column)
    return capfirst(str(field.verbose_name) if field is not None else column.replace("_", " "))


def _visible_fields(change: Change, scope: Scope) -> dict[str, list[Any]]:
    model = kinds().get(change.object_type)
    return change.visible_fields(model.rules.place_fields if model else (), scope)


def _is_fully_visible(change: Change, scope: Scope) -> bool:
    """Whether `scope` has access to all changed fields."""
    return _visible_fields(change, scope).keys() == change.fields.keys()


# Names and URLs of objects.


def _objects_in(rows: list[Change], fields: dict[int, dict[str, list[Any]]]) -> tuple[set[ObjectRef], set[ObjectRef]]:
    """The objects that the changes refer to, and the changed objects."""
    referred: set[ObjectRef] = set()
    shown: set[ObjectRef] = set()
    models_of = kinds()
    for change in rows:
        referred.update(_references(change.object_type, fields[change.pk]))
        if change.object_type in models_of:
            shown.add((models_of[change.object_type], change.object_id))
        if change.import_id:
            shown.add((Import, change.import_id))
    return referred, shown


def _references(kind: str, fields: dict[str, list[Any]]) -> Iterable[ObjectRef]:
    for column, values in fields.items():
        target = _target(kinds().get(kind), column)
        if target is not None:
            yield from ((target, value) for value in values if isinstance(value, int))


def _current_names(wanted: set[ObjectRef], scope: Scope) -> dict[ObjectRef, str]:
    """The names of those objects that exist and are accessible to `scope`. One statement."""
    ids: dict[type[Entity], set[int]] = defaultdict(set)
    for model, pk in wanted:
        ids[model].add(pk)
    parts = []
    for model, pks in sorted(ids.items(), key=lambda pair: str(pair[0]._meta.model_name)):
        kind = str(model._meta.model_name)
        label: Any = F(_NAMES[kind]) if kind in _NAMES else Value("", models.TextField())
        rows = model._default_manager.visible_to(scope).order_by().filter(pk__in=pks)
        parts.append(rows.values_list(Value(kind, models.TextField()), "pk", label))
    if not parts:
        return {}
    models_of = kinds()
    return {(models_of[kind], pk): name for kind, pk, name in parts[0].union(*parts[1:], all=True)}


def _last_names(wanted: set[ObjectRef], scope: Scope) -> dict[ObjectRef, str]:
    """The last names of deleted objects in change log entries accessible to `scope`. One statement."""
    ids: dict[str, set[int]] = defaultdict(set)
    for model, pk in wanted:
        ids[str(model._meta.model_name)].add(pk)
    if not ids:
        return {}
    # A move out of the accessible sites may have a new name, which is not accessible.
    seen = Change.objects.visible_to(scope).order_by().filter(_of(ids)).exclude(action=journal.MOVED)
    newest = seen.values("object_type", "object_id").annotate(newest=Max("pk")).values("newest")
    found = Change.objects.order_by().filter(pk__in=newest)
    models_of = kinds()
    return {
        (models_of[kind], pk): name for kind, pk, name in found.values_list("object_type", "object_id", "natural_key")
    }


def _latest(rows: list[Change]) -> set[int]:
    """The ids of the changes that are the latest of their objects. One statement."""
    ids: dict[str, set[int]] = defaultdict(set)
    for change in rows:
        ids[change.object_type].add(change.object_id)
    newest = Change.objects.order_by().filter(_of(ids)).values("object_type", "object_id").annotate(newest=Max("pk"))
    return set(newest.values_list("newest", flat=True)) if ids else set()


def _of(ids: dict[str, set[int]]) -> Q:
    """The condition on changes of these objects, given as ids by model name."""
    of_them = scoping.NOTHING
    for kind, pks in sorted(ids.items()):
        of_them |= Q(object_type=kind, object_id__in=pks)
    return of_them


def _urls(change: Change, names: dict[ObjectRef, str], scope: Scope, is_latest: bool) -> tuple[str, str, str]:
    """The URLs of the object, of undoing the change, and of restoring the version after it."""
    model = kinds().get(change.object_type)
    if model is None:
        return "", "", ""
    is_there = (model, change.object_id) in names
    url = ""
    if is_there:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[change.object_id])
    is_gone_here = change.action == journal.DELETED
    ways = []
    for way, fits in (
        (restore.UNDO, is_there != is_gone_here),
        (restore.RESTORE, is_there and not is_gone_here and not is_latest and _is_fully_visible(change, scope)),
    ):
        possible = fits and scope.may_write_something and restore.can_return(change)
        ways.append(reverse(f"admin:hierarchy_change_{way}", args=[change.pk]) if possible else "")
    return url, ways[0], ways[1]


# Fields and values.


def _differences(
    kind: str, fields: dict[str, list[Any]], names: dict[ObjectRef, str], zone: ZoneInfo
) -> Iterable[Difference]:
    model = kinds().get(kind)
    for column, (old, new) in fields.items():
        field, target = _field(model, column), _target(model, column)
        yield Difference(label_of(kind, column), *(_text(value, field, target, names, zone) for value in (old, new)))


def _field(model: type[Entity] | None, column: str) -> models.Field[Any, Any] | None:
    """The field of the current model; None if it was renamed or removed since the change."""
    if model is None:
        return None
    return next((field for field in model._meta.concrete_fields if field.name == column), None)


def _target(model: type[Entity] | None, column: str) -> type[Entity] | None:
    related = getattr(_field(model, column), "related_model", None)
    return related if isinstance(related, type) and issubclass(related, Entity) else None


def _text(value: Any, field: Any, target: type[Entity] | None, names: dict[ObjectRef, str], zone: ZoneInfo) -> str:
    if value is None:
        return NOTHING
    if target is not None:
        return names.get((target, value)) or _("deleted, or not accessible to you")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return "; ".join(f"{name} = {text}" for name, text in value.items()) or NOTHING
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    if isinstance(field, TimestampField) and isinstance(value, str):
        at = parse_datetime(value)
        return local(at, zone) if at else value
    choices = dict(getattr(field, "flatchoices", None) or ())
    return str(choices.get(value, value))

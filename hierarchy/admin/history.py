"""The journal as people read it: one line a change, columns and references by their names."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from hierarchy.entity import Entity
from hierarchy.models import Change, Import
from hierarchy.scoping import Scope

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """One column's old and new value, as text."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Line:
    """One change of one object; `kind` is what the object is, `record` the import that made it, where one is seen."""

    change: Change
    kind: str
    differences: list[Difference]
    record: Import | None


def kinds() -> dict[str, type[Entity]]:
    """The models that the journal knows, by the name that it writes down."""
    return {str(model._meta.model_name): model for model in apps.get_models() if issubclass(model, Entity)}


def kind_of(change: Change) -> str:
    model = kinds().get(change.object_type)
    return capfirst(str(model._meta.verbose_name)) if model else change.object_type


def lines(changes: Iterable[Change], scope: Scope) -> list[Line]:
    """Ready to show. What a reference leads to is named when `scope` sees it: one statement a kind of reference."""
    rows = list(changes)
    models_of = kinds()
    names = _names(rows, models_of, scope)
    imports = Import.objects.visible_to(scope).in_bulk({change.import_id for change in rows if change.import_id})
    return [
        Line(
            change,
            kind_of(change),
            list(_differences(change, models_of.get(change.object_type), names)),
            imports.get(change.import_id),
        )
        for change in rows
    ]


def _names(rows: list[Change], models_of: dict[str, type[Entity]], scope: Scope) -> dict[tuple[Any, Any], str]:
    wanted: dict[type[Entity], set[int]] = defaultdict(set)
    for change in rows:
        for column, values in change.fields.items():
            target = _target(models_of.get(change.object_type), column)
            if target is not None:
                wanted[target].update(value for value in values if isinstance(value, int))
    return {
        (target, row.pk): str(row)
        for target, ids in wanted.items()
        for row in target.objects.visible_to(scope).filter(pk__in=ids)
    }


def _differences(change: Change, model: type[Entity] | None, names: dict[tuple[Any, Any], str]) -> Iterable[Difference]:
    for column, (old, new) in change.fields.items():
        field = _field(model, column)
        target = _target(model, column)
        label = capfirst(str(field.verbose_name)) if field is not None else column
        yield Difference(label, *(_text(value, field, target, names) for value in (old, new)))


def _field(model: type[Entity] | None, column: str) -> models.Field[Any, Any] | None:
    """The column as the model has it now; a change may be older than the last renaming."""
    if model is None:
        return None
    return next((field for field in model._meta.concrete_fields if field.name == column), None)


def _target(model: type[Entity] | None, column: str) -> type[Entity] | None:
    related = getattr(_field(model, column), "related_model", None)
    return related if isinstance(related, type) and issubclass(related, Entity) else None


def _text(value: Any, field: Any, target: type[Entity] | None, names: dict[tuple[Any, Any], str]) -> str:
    if value is None:
        return NOTHING
    if target is not None:
        return names.get((target, value), _("one that is gone, or that you do not see"))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    choices = dict(getattr(field, "flatchoices", None) or ())
    return str(choices.get(value, value))

"""Which lines of the journal belong to an object: its own, and those of rows that belonged to it, gone or not.

Every row says when it is made, and when it changes hands, whose it is: that line holds the reference's new value. Each
kind of row refers to at most one person (`PERSON`) and to at most one place (`PLACE`), so that two indexes find them.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q

from hierarchy.entity import Entity
from hierarchy.journal_references import LOST_PERSON, LOST_PLACE, PERSON, PERSONS, PLACE
from hierarchy.models import Change
from hierarchy.scoping import Scope


def kinds() -> dict[str, type[Entity]]:
    """The models that the journal knows, by the name that it writes down."""
    return {str(model._meta.model_name): model for model in apps.get_models() if issubclass(model, Entity)}


def lines_of(model: Any, pk: int, scope: Scope, *, only_own: bool = False) -> Any:
    """What `scope` sees of the history of a row and of what belongs to it, newest first.

    Of a row that would go with it when it is deleted, such as a driver's tag: everything. Of one that only lies there,
    such as a charger at a site: that it came and that it left.
    """
    seen = Change.objects.visible_to(scope).order_by()
    own = seen.filter(object_type=model._meta.model_name, object_id=pk)
    if only_own:
        return own.order_by("-id")
    parts = []
    for relation in _owned(model):
        column = relation.field.name
        gained, lost = (PERSON, LOST_PERSON) if column in PERSONS else (PLACE, LOST_PLACE)
        of_kind = Q(object_type=relation.related_model._meta.model_name)
        came = Change.objects.order_by().alias(gained=gained).filter(of_kind, gained=str(pk)).values("object_id")
        lines = seen.filter(of_kind, object_id__in=came)
        if relation.on_delete is models.PROTECT:
            lines = lines.alias(gained=gained, lost=lost).filter(Q(gained=str(pk)) | Q(lost=str(pk)))
        parts.append(lines)
    return own.union(*parts, all=True).order_by("-id") if parts else own.order_by("-id")


def has_belongings(model: Any) -> bool:
    return bool(_owned(model))


def _owned(model: Any) -> list[Any]:
    """Relations to the model whose rows the journal tells of; whose customer a row is, it does not."""
    relations = [*model.related_rows(models.CASCADE), *model.related_rows(models.PROTECT)]
    return [relation for relation in relations if relation.field.name != "customer"]

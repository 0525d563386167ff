"""Which lines of the journal belong to an object: its own, and those of rows that belonged to it, gone or not.

Every row says when it is made, and when it changes hands, whose it is: that line holds the reference's new value. Each
kind of row refers to at most one person (`PERSON`) and to at most one place (`PLACE`), so that two indexes find them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import F, Func, Q

from hierarchy.scoping import Scope

if TYPE_CHECKING:
    from hierarchy.entity import Entity

PERSONS = ("driver", "operator")
PLACES = ("charger", "site", "parent", "home_site")


class Reference(Func):
    """The id that a line has as the new (1) or the old (0) value of one of the columns, as text.

    Written without parameters, which no index would be found by.
    """

    output_field = models.TextField()

    def __init__(self, side: int, *columns: str) -> None:
        super().__init__(F("fields"))
        self.side, self.columns = side, columns

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_context: Any) -> Any:
        line, params = compiler.compile(self.source_expressions[0])
        if connection.vendor == "postgresql":
            read = f"({line} -> '{{column}}' ->> {self.side})"
        else:
            read = f"CAST(JSON_EXTRACT({line}, '$.{{column}}[{self.side}]') AS TEXT)"
        return f"COALESCE({', '.join(read.format(column=column) for column in self.columns)})", params


PERSON, PLACE = (Reference(1, *columns) for columns in (PERSONS, PLACES))
_LOST_PERSON, _LOST_PLACE = (Reference(0, *columns) for columns in (PERSONS, PLACES))


def kinds() -> dict[str, type[Entity]]:
    """The models that the journal knows, by the name that it writes down."""
    from hierarchy.entity import Entity

    return {str(model._meta.model_name): model for model in apps.get_models() if issubclass(model, Entity)}


def lines_of(model: Any, pk: int, scope: Scope, *, only_own: bool = False) -> Any:
    """What `scope` sees of the history of a row and of what belongs to it, newest first.

    Of a row that would go with it when it is deleted, such as a driver's tag: everything. Of one that only lies there,
    such as a charger at a site: that it came and that it left.
    """
    from hierarchy.models import Change

    seen = Change.objects.visible_to(scope).order_by()
    own = seen.filter(object_type=model._meta.model_name, object_id=pk)
    if only_own:
        return own.order_by("-id")
    parts = []
    for relation in _owned(model):
        column = relation.field.name
        gained, lost = (PERSON, _LOST_PERSON) if column in PERSONS else (PLACE, _LOST_PLACE)
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

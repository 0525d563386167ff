"""Preview of a deletion: the related rows it deletes, and the protected rows that prevent it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from hierarchy.entity import Entity
from hierarchy.scoping import Scope

# Limits the names only; the counts are complete.
MOST_NAMED = 20


@dataclass(slots=True)
class Consequences:
    """Names of the rows to delete, counts per model, and links to the protected rows."""

    to_delete: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    protected: list[str] = field(default_factory=list)


def consequences(rows: Sequence[Entity], scope: Scope) -> Consequences:
    """Of deleting `rows`, all of one model. A constant number of statements."""
    model = type(rows[0])
    ids = [row.pk for row in rows]
    result = Consequences()
    result.to_delete += _named(model, rows[:MOST_NAMED], len(rows))
    result.counts[str(model._meta.verbose_name_plural)] = len(rows)
    for relation, found in _related(model, models.CASCADE, ids, scope):
        count = found.count()
        if count:
            result.to_delete += _named(relation, found[:MOST_NAMED], count)
            result.counts[str(relation._meta.verbose_name_plural)] = count
    for relation, found in _related(model, models.PROTECT, ids, scope):
        count = found.count()
        if count:
            result.protected += _linked(relation, found[:MOST_NAMED], count)
    return result


def _related(model: type[Entity], on_delete: Any, ids: list[int], scope: Scope) -> list[tuple[type[Entity], Any]]:
    found = []
    for relation in model.related_rows(on_delete):
        related = relation.related_model
        references = [one.name for one in related._meta.concrete_fields if one.is_relation]
        rows = related.objects.visible_to(scope).filter(**{f"{relation.field.name}__in": ids})
        found.append((related, rows.select_related(*references)))
    return found


def _named(model: type[Entity], rows: Sequence[Entity], count: int) -> list[str]:
    kind = capfirst(str(model._meta.verbose_name))
    return [f"{kind}: {row.natural_key_text}" for row in rows] + _rest(count)


def _linked(model: type[Entity], rows: Sequence[Entity], count: int) -> list[str]:
    """As HTML links to the pages of the rows."""
    kind = capfirst(str(model._meta.verbose_name))
    page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    links = [
        format_html('{}: <a href="{}"><bdi>{}</bdi></a>', kind, reverse(page, args=[row.pk]), row.natural_key_text)
        for row in rows
    ]
    return [*links, *_rest(count)]


def _rest(count: int) -> list[str]:
    return [_("… and %(count)s more") % {"count": count - MOST_NAMED}] if count > MOST_NAMED else []

"""The journal as it is told to other systems: public words for kinds and columns, and nothing that is out of sight."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.utils.module_loading import autodiscover_modules

from api.flat import FlatSerializer
from hierarchy import journal
from hierarchy.models import Change
from hierarchy.scoping import Scope
from hierarchy.timestamps import format_timestamp


@functools.cache
def kinds() -> dict[str, type[FlatSerializer]]:
    """The flat objects by what the journal calls them. What is none, such as an API key, is told to nobody."""
    autodiscover_modules("flat")
    return FlatSerializer.kinds


def item(change: Change, scope: Scope) -> dict[str, Any]:
    """One line of the journal that `scope` sees, as JSON."""
    kind = kinds()[change.object_type]
    fields = change.visible_fields(kind.model.rules.place_fields, scope)
    return {
        "sequence": change.sequence,
        "at": format_timestamp(change.at),
        "action": change.action,
        "objectType": kind.kind,
        "objectId": change.object_id,
        # One that left may have got another name on its way out.
        "key": change.natural_key if fields.keys() == change.fields.keys() else "",
        "fields": dict(_named(change, kind, fields)),
        "actor": change.actor_label,
        "requestId": change.request_id,
    }


def _named(change: Change, kind: type[FlatSerializer], fields: dict[str, list[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Old and new values by key, as the flat object has them; a column that is no key goes by its own name."""
    keys = {field.model_field.name: (key, field) for key, field in kind.own_fields().items()}
    for column, (old, new) in fields.items():
        if column in kind.model.rules.secret_fields:
            continue
        key, field = keys.get(column, (column, None))
        if field is not None:
            old = field.from_journal(old) if change.action != journal.CREATED else None
            new = field.from_journal(new) if change.action != journal.DELETED else None
        if old != new:
            yield key, [old, new]

"""The journal as it is told to other systems: public words for kinds and columns, and nothing that is out of sight."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.module_loading import autodiscover_modules

from config.api import wire
from config.api.flat import FlatSerializer
from hierarchy import journal
from hierarchy.models import Change, Site
from hierarchy.scoping import Scope


@functools.cache
def kinds() -> dict[str, type[FlatSerializer]]:
    """The flat objects by what the journal calls them. What is none, such as an API key, is told to nobody."""
    autodiscover_modules("flat")
    return FlatSerializer.kinds


def item(change: Change, scope: Scope) -> dict[str, Any]:
    """One line of the journal that `scope` sees, as JSON."""
    kind = kinds()[change.object_type]
    fields = seen(change, kind.model.place_fields, scope)
    return {
        "sequence": change.sequence,
        "at": wire.moment(change.at),
        "action": change.action,
        "objectType": kind.kind,
        "objectId": change.object_id,
        # One that left may have got another name on its way out.
        "key": change.natural_key if fields.keys() == change.fields.keys() else "",
        "fields": dict(_named(change, kind, fields)),
        "actor": change.actor_label,
        "requestId": change.request_id,
    }


def seen(change: Change, place_fields: Iterable[str], scope: Scope) -> dict[str, list[Any]]:
    """The columns that `scope` may know: of one that moved out of sight, that it did; of one that moved in, nothing of
    what it was; of sites out of sight, none.
    """
    fields: dict[str, list[Any]] = change.fields
    if not scope.is_restricted:
        return fields
    is_site = change.object_type == Site._meta.model_name
    came_from = change.site_path if change.from_path is None else change.from_path
    if not _is_below(change.site_path, scope):
        fields = {name: values for name, values in fields.items() if name in place_fields}
    sees_old, sees_new = (_is_below(path, scope, above=is_site) for path in (came_from, change.site_path))
    was_in_sight = _is_below(came_from, scope)
    return {
        name: [old if sees_old else None, new if sees_new else None]
        if name in place_fields
        else [old if was_in_sight else None, new]
        for name, (old, new) in fields.items()
    }


def _is_below(path: str, scope: Scope, above: bool = False) -> bool:
    """Whether a place lies at or below a granted site; with `above`, whether the site over it does."""
    ids = [int(site_id) for site_id in path.split("/") if site_id]
    return not scope.root_ids.isdisjoint(ids[:-1] if above else ids)


def _named(change: Change, kind: type[FlatSerializer], fields: dict[str, list[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Old and new values by key, as the flat object has them; a column that is no key goes by its own name."""
    keys = {field.model_field.name: (key, field) for key, field in kind.own_fields().items()}
    for column, (old, new) in fields.items():
        if column in kind.model.journal_redacts:
            continue
        key, field = keys.get(column, (column, None))
        if field is not None:
            old = field.from_journal(old) if change.action != journal.CREATED else None
            new = field.from_journal(new) if change.action != journal.DELETED else None
        if old != new:
            yield key, [old, new]

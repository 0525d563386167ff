"""Writing the network into files from which an import reads exactly the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from django.db.models import Count, Q

from bulk import cells, files
from bulk.drafts import Progress, silent
from bulk.table_state import NAME_WITH_ID
from bulk.tables import ID_COLUMN, Sheet, Table, sheets, tables
from hierarchy.column_types import Column, cell_value
from hierarchy.db import snapshot
from hierarchy.models import Site
from hierarchy.scoping import Scope, ScopedQuerySet
from hierarchy.text import comparison_key
from hierarchy.timestamps import format_timestamp

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class ExportSelection:
    """What to export: of `sheets` (all unless said) the rows that `scope` sees, at and below `site` where one is given.

    `among` narrows tables down to the rows of query sets, which are filtered by scope here.
    """

    scope: Scope
    site: Site | None = None
    sheets: tuple[str, ...] = ()
    among: Mapping[str, ScopedQuerySet] = field(default_factory=dict)

    def rows(self, table: Table) -> Any:
        rows = self.among.get(table.name, table.model.objects.all()).visible_to(self.scope)
        if self.site is None:
            return rows
        subtree = Site.objects.visible_to(self.scope).at_or_below(self.site)
        return rows.filter(pk__in=subtree.order_by().values("pk")) if table.model is Site else rows.within(subtree)


def export(selection: ExportSelection, kind: str, target: IO[bytes], progress: Progress[Any] = silent) -> None:
    """Write the selection as a file of `kind`, one of `files.KINDS`: the network of one moment, read as it is written.

    A CSV file has one sheet. Raises `files.Unwritable` for a value that the format cannot hold.
    """
    with snapshot(), files.open_writer(kind, target) as writer:
        exporter = _Exporter(selection, is_json=kind == "json")
        for name, sheet in sheets().items():
            if name in selection.sheets or (not selection.sheets and sheet.is_exported):
                writer.table(name, exporter.header(sheet))
                for row in progress(exporter.rows(sheet), name, None):
                    writer.row(row)


class _Exporter:
    def __init__(self, selection: ExportSelection, is_json: bool) -> None:
        self.selection = selection
        self.is_json = is_json
        self.names = Names(selection.scope)

    def header(self, sheet: Sheet) -> list[str]:
        header = [heading.name for heading in sheet.headings]
        for table in self._tables(sheet):
            if self.names.marks(table):
                header.append(ID_COLUMN)
            header += [report.name for report in table.reports]
        return header

    @staticmethod
    def _tables(sheet: Sheet) -> list[Table]:
        return [tables()[name] for name in sheet.tables]

    def rows(self, sheet: Sheet) -> Iterator[list[Any]]:
        for table in self._tables(sheet):
            yield from self._rows(sheet, table)

    def _rows(self, sheet: Sheet, table: Table) -> Iterator[list[Any]]:
        """The rows of one table in the columns of the sheet; those of other tables stay empty."""
        columns = [self._column(table, heading.column, heading.table) for heading in sheet.headings]
        wanted = list(dict.fromkeys(itertools.chain.from_iterable(paths for paths, _make in columns)))
        place = {path: index for index, path in enumerate(wanted, start=1)}
        reports = [report for report in table.reports if not report.tally]
        selected = {f"report_{report.name}": report.source for report in reports if not isinstance(report.source, str)}
        sources = [report.source if isinstance(report.source, str) else f"report_{report.name}" for report in reports]
        tally = table.tally(self.selection.scope) if table.tally else {}
        makers = [([place[path] for path in paths], make) for paths, make in columns]
        marks = self.names.marks(table)
        first_report = len(wanted) + 1
        for row in self._stored(table, selected, ["pk", *wanted, *sources]):
            result = [make(*[row[index] for index in indexes]) for indexes, make in makers]
            if marks:
                result.append(row[0] if row[0] in marks else None)
            reported = iter(row[first_report:])
            for report in table.reports:
                value = tally[row[0]][report.source] if report.tally else next(reported)
                result.append(self._plain(value))
            yield result

    def _stored(self, table: Table, selected: Mapping[str, Any], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        rows = self.selection.rows(table).annotate(**selected)
        if table.parent is None:
            yield from rows.order_by(*_order(table), "pk").values_list(*columns).iterator(_ROWS_AT_ONCE)
            return
        # A tree in the order of its paths, which no column has.
        ids = sorted(rows.order_by().values_list("pk", flat=True), key=self.names.site_keys.__getitem__)
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            found = {row[0]: row for row in rows.filter(pk__in=part).values_list(*columns)}
            yield from (found[id_] for id_ in part)

    def _column(self, table: Table, name: str, of_table: str) -> tuple[tuple[str, ...], Callable[..., Any]]:
        """What to select for a column, and what makes a cell of it. A column of another table stays empty."""
        own = table.by_name.get(name)
        if own is None or (of_table != table.name and not own.refers_to):
            return (), lambda: None
        if own.refers_to:
            paths, name_of = self.names.of_reference(own)
            return paths, name_of if self.is_json else lambda *values: cells.write(name_of(*values))
        if self.is_json:
            return (own.field,), self._plain
        to_cell = table.types[own.name].to_cell
        return (own.field,), lambda value: cells.write(to_cell(value))

    def _plain(self, value: Any) -> Any:
        if self.is_json:
            return format_timestamp(value) if hasattr(value, "tzinfo") else value
        return cells.write(cell_value(value))


def _order(table: Table) -> Iterator[str]:
    """By the natural key; references by what they refer to is called."""
    for name in table.natural_keys[-1]:
        if table.fields[name].is_relation:
            there = tables()[table.reference(name).refers_to]
            yield f"{name}__{there.natural_keys[-1][-1]}"
            yield f"{name}_id"
        else:
            yield name


class Names:
    """How rows are called in files, so that an import by the same scope finds them again."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.site_keys: dict[int, tuple[str, ...]] = {}
        self._sites: dict[int, str] = {}
        self._marked: dict[str, set[int]] = {}
        self._read_sites()

    def _read_sites(self) -> None:
        columns = ("pk", "parent_id", "name", "name_key", "external_id_key")
        rows = {pk: rest for pk, *rest in Site.objects.visible_to(self.scope).order_by("level").values_list(*columns)}
        external_ids = {rest[3]: pk for pk, rest in rows.items() if rest[3]}
        paths: dict[int, tuple[str, ...]] = {}
        for pk, (parent, name, key, _external_id) in rows.items():
            self.site_keys[pk] = (*self.site_keys.get(parent, ()), key)
            paths[pk] = (*paths.get(parent, ()), name)
        shared = _repeated(self.site_keys.values())
        marked = self._marked["sites"] = set()
        for pk, names in paths.items():
            text = cells.path_text(names)
            if self.site_keys[pk] in shared or NAME_WITH_ID.fullmatch(text):
                marked.add(pk)
                text = f"{text} (id {pk})"
            elif external_ids.get(comparison_key(text), pk) != pk:
                text = f"/{text}"
            self._sites[pk] = text

    def site(self, site_id: int | None) -> str | None:
        """A site as it is written in a cell: its path, as far as the scope sees it."""
        return self._sites.get(site_id) if site_id is not None else None

    def marks(self, table: Table) -> Collection[int]:
        """The rows that only their id tells from others of their name."""
        if not table.has_namesakes:
            return ()
        if table.name not in self._marked:
            self._marked[table.name] = self._find_marked(table)
        return self._marked[table.name]

    def _find_marked(self, table: Table) -> set[int]:
        (strong,), (weak,) = table.natural_keys
        rows = table.model.objects.visible_to(self.scope).order_by()
        shared = rows.values(weak).annotate(number=Count("pk")).filter(number__gt=1).values(weak)
        strong_keys = rows.exclude(**{strong: ""}).values(strong)
        unclear = Q(**{f"{weak}__in": shared}) | Q(**{f"{weak}__in": strong_keys})
        looks_marked = Q(**{f"{table.said(weak)}__contains": "(id "}) | Q(**{f"{table.said(strong)}__contains": "(id "})
        found = rows.filter(Q(**{strong: ""}) & unclear | looks_marked)
        return set(found.values_list("pk", flat=True))

    def of_reference(self, column: Column) -> tuple[tuple[str, ...], Callable[..., str | None]]:
        """What to select for a reference, and what makes a name of it."""
        if column.refers_to == "sites":
            return (f"{column.field}_id",), self.site
        there = tables()[column.refers_to]
        paths = tuple(f"{column.field}__{there.by_name[key[-1]].field}" for key in there.keys)
        marks = self.marks(there)

        def name(id_: int | None, *texts: str) -> str | None:
            if id_ is None:
                return None
            return f"{texts[-1]} (id {id_})" if id_ in marks else next(text for text in texts if text)

        return (f"{column.field}_id", *paths), name


def _repeated(keys: Collection[tuple[str, ...]]) -> set[tuple[str, ...]]:
    seen: set[tuple[str, ...]] = set()
    return {key for key in keys if key in seen or seen.add(key)}  # type: ignore[func-returns-value]

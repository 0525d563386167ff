"""What can be imported and exported: tables with their columns and natural keys, and how files show them.

Each app declares its own in `bulk.py`, found as Django finds `admin.py`. What the models say already (fields, their
validators, unique constraints) is read from them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from hierarchy.column_types import Column, ColumnType, type_of
from hierarchy.entity import Entity
from hierarchy.fields import KeyField
from hierarchy.scoping import Scope

if TYPE_CHECKING:
    from bulk.drafts import Draft, Findings, Reader

Field: TypeAlias = "models.Field[Any, Any]"
# The column whose ids tell rows apart that have one name; no key, and never written.
ID_COLUMN = "id"
# A row by field, existing or planned.
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportedColumn:
    """A column that is exported and ignored on the way in: what chargers say of themselves, and what is counted.

    `source` is a path or an expression to select; with `tally`, a name among those that `Table.tally` counts.
    """

    name: str
    source: Any
    tally: bool = False


@dataclass(frozen=True, slots=True)
class Unique:
    """A unique constraint of a model, as it can be looked at among one customer's rows without the database.

    `watched` are the fields on which it depends. `is_global`: it holds over all customers.
    """

    fields: tuple[str, ...]
    condition: Q | None
    message: str
    watched: frozenset[str]
    is_global: bool

    def key(self, values: Values) -> tuple[Any, ...] | None:
        """What must not occur twice; None for a row that the constraint lets be."""
        if self.condition is not None and not _holds(self.condition, values):
            return None
        key = tuple(values[name] for name in self.fields)
        return None if None in key else key


def _holds(condition: Q, values: Values) -> bool:
    results = (
        _holds(child, values) if isinstance(child, Q) else values[child[0]] == child[1]  # type: ignore[index]
        for child in condition.children
    )
    return (any(results) if condition.connector == Q.OR else all(results)) != condition.negated


def _names(condition: Q | None) -> Iterator[str]:
    for child in condition.children if condition else ():
        if isinstance(child, Q):
            yield from _names(child)
        else:
            yield child[0]  # type: ignore[index]


@dataclass(frozen=True)
class Table:
    """A kind of rows.

    `keys` are the natural keys, strongest first, as columns: a row that gives a key is the stored row that has it.
    The last of them names a row of a tree by its path; with `has_namesakes` several rows may have it, and their `id`
    tells them apart. `governed_by` are the references through which a restricted operator's right to write is
    decided, the model's `site_paths` unless said. `derive` fills in what a new row leaves open. `together` are fields
    that the model's `clean` compares without asking the database. `reports` are exported only; `tally` counts some of
    them for the rows that a scope sees, by id. `spares` are the ids of rows that no import by a scope deletes.
    """

    name: str
    model: type[Entity]
    columns: tuple[Column, ...]
    keys: tuple[tuple[str, ...], ...]
    has_namesakes: bool = False
    governed_by: tuple[str, ...] = ()
    derive: Callable[[dict[str, Any]], None] | None = None
    together: tuple[str, ...] = ()
    reports: tuple[ReportedColumn, ...] = ()
    tally: Callable[[Scope], Mapping[int, Mapping[str, Any]]] | None = None
    spares: Callable[[Scope], Collection[int]] | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def types(self) -> Mapping[str, ColumnType]:
        """The types of the columns, by name."""
        fields = self.fields
        return {
            column.name: (column.type or type_of(fields[column.field]))(fields[column.field]) for column in self.columns
        }

    @cached_property
    def assumed(self) -> Values:
        """What a row says by saying nothing."""
        return {column.field: column.assumed for column in self.columns if column.assumed is not None}

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.model._meta.concrete_fields}

    @cached_property
    def key_fields(self) -> tuple[KeyField, ...]:
        """The comparison keys that follow from other fields."""
        return tuple(field for field in self.fields.values() if isinstance(field, KeyField))

    @cached_property
    def natural_keys(self) -> tuple[tuple[str, ...], ...]:
        """`keys` as fields, each text by its comparison key."""
        compared = {field.of: field.name for field in self.key_fields}
        fields = [[self.by_name[name].field for name in key] for key in self.keys]
        return tuple(tuple(compared.get(name, name) for name in key) for key in fields)

    @cached_property
    def single_keys(self) -> tuple[int, ...]:
        """Which of the natural keys are one text."""
        return tuple(number for number, key in enumerate(self.keys) if len(key) == 1)

    @cached_property
    def parent(self) -> Column | None:
        """The column that refers to this very table."""
        return next((column for column in self.columns if column.refers_to == self.name), None)

    @cached_property
    def references(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.refers_to)

    def reference(self, field_name: str) -> Column:
        return next(column for column in self.references if column.field == field_name)

    @cached_property
    def named_with(self) -> tuple[str, ...]:
        """The references without which a row cannot be named or placed in the journal."""
        paths = (self.model.rules.customer, *self.model.rules.sites)
        names = {path.split("__")[0] for path in paths if "__" in path} | set(itertools.chain(*self.natural_keys))
        return tuple(column.field for column in self.references if column.field in names and column != self.parent)

    @cached_property
    def required(self) -> tuple[Column, ...]:
        """What a new row cannot be without."""
        fields = self.fields
        return tuple(
            column
            for column in self.columns
            if not (fields[column.field].has_default() or fields[column.field].null or fields[column.field].blank)
        )

    @cached_property
    def governing_paths(self) -> tuple[str, ...]:
        return self.governed_by or self.model.rules.sites

    @cached_property
    def uniques(self) -> tuple[Unique, ...]:
        constraints = [
            constraint
            for constraint in self.model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and "id" not in constraint.fields
        ]
        return tuple(
            Unique(
                fields=tuple(name for name in constraint.fields if name != "customer"),
                condition=constraint.condition,
                message=str(constraint.get_violation_error_message()),
                watched=frozenset({*constraint.fields, *_names(constraint.condition)}),
                is_global=not any(self.fields[name].is_relation for name in constraint.fields),
            )
            for constraint in constraints
        )

    @cached_property
    def always_loaded(self) -> tuple[str, ...]:
        """The fields without which a stored row cannot be found, placed or kept apart from others."""
        names = {"id", "version", *self.together, *(path.split("__")[0] for path in self.governing_paths)}
        names.update(*self.natural_keys, *(unique.fields for unique in self.uniques))
        names.update(column.field for column in self.references)
        names.update(field.of for field in self.key_fields if field.name in names)
        if "customer" in self.fields:
            names.add("customer")
        return tuple(name for name in self.fields if name in names)

    @cached_property
    def defaults(self) -> Values:
        """What `always_loaded` fields hold in a row that says nothing of them."""
        return {name: self.fields[name].get_default() for name in self.always_loaded}

    @cached_property
    def _columns_by_field(self) -> Values:
        return {column.field: column.name for column in self.columns}

    def column_of(self, field_name: str) -> str:
        """The name of the column for a field; empty where there is none."""
        return str(self._columns_by_field.get(field_name, ""))

    def said(self, field_name: str) -> str:
        """The field that people fill in for `field_name`: of a comparison key, the text that it is of."""
        field = self.fields[field_name]
        return field.of if isinstance(field, KeyField) else field_name


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a sheet, and the table's column that it fills. `also` are other words that people write for it.

    `example` is its own where the column's would be the same row once more.
    """

    name: str
    table: str
    column: str
    also: tuple[str, ...] = ()
    example: Any = None


# Turns the rows of one sheet, as they come, into drafts: `take(row, values)`.
RowParser: TypeAlias = "Callable[[int, dict[str, Any]], Iterable[Draft]]"


@dataclass(frozen=True)
class Sheet:
    """A table as files have it. Most have the columns of one table; others spread each row over several.

    `needs` are the columns, one of each tuple, that tell this sheet from others in a file that does not name it.
    """

    name: str
    headings: tuple[Heading, ...]
    needs: tuple[tuple[str, ...], ...]
    taker: Callable[[Findings], RowParser] | None = None
    is_exported: bool = True

    @cached_property
    def tables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(heading.table for heading in self.headings))

    @classmethod
    def of(cls, table: Table) -> Sheet:
        """The sheet that shows one table as it is."""
        keys = [[name for name in key if table.by_name[name].assumed is None] for key in table.keys]
        return cls(
            name=table.name,
            headings=tuple(Heading(column.name, table.name, column.name) for column in table.columns),
            needs=tuple((name,) for name in keys[0]) if len(keys) == 1 else (tuple(key[-1] for key in keys),),
        )


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file with columns of its own: `read` turns an open file into rows."""

    name: str
    title: str | Promise
    read: Reader


_tables: dict[str, Table] = {}
_sheets: dict[str, Sheet] = {}
_formats: dict[str, Format] = {}


def register(*declared: Table | Sheet | Format) -> None:
    """Make tables, sheets and formats known. Tables come in the order in which they are written: what others refer to
    first. A table that no sheet was declared for has one of its own."""
    for one in declared:
        if isinstance(one, Format):
            _formats[one.name] = one
        elif isinstance(one, Sheet):
            for name in one.tables if one.is_exported else ():
                _sheets.pop(name, None)
            _sheets[one.name] = one
        else:
            missing = {column.refers_to for column in one.references} - {one.name, *_tables}
            assert not missing, f"{one.name} refers to {missing}, which must be registered before it."
            _tables[one.name] = one
            _sheets[one.name] = Sheet.of(one)


@functools.cache
def _discover() -> None:
    autodiscover_modules("bulk")


def tables() -> Mapping[str, Table]:
    """Every table by name, what others refer to first."""
    _discover()
    return _tables


def sheets() -> Mapping[str, Sheet]:
    """Every sheet by name, in the order in which files have them."""
    _discover()
    return _sheets


def formats() -> Mapping[str, Format]:
    """Every format by name."""
    _discover()
    return _formats


def with_referred(names: Iterable[str]) -> list[Table]:
    """The tables of these names and all that they refer to, in the order in which they are written."""
    wanted = set(names)
    for table in reversed(list(tables().values())):
        if table.name in wanted:
            wanted.update(column.refers_to for column in table.references)
    return [table for table in tables().values() if table.name in wanted]

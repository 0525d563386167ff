"""Comparing the tables of the database with the models: what is missing, and what no insert could fill."""

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps
from django.db import connection

# By table, the columns with whether an insert must give them a value; and all names of constraints and indexes.
_COLUMNS = {
    "sqlite": 'SELECT m.name, c.name, c."notnull" = 1 AND c.dflt_value IS NULL AND c.pk = 0'
    " FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
    "postgresql": "SELECT table_name, column_name,"
    " is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
    " FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false))",
}
_NAMES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL",
    "postgresql": "SELECT relname FROM pg_class WHERE relkind = 'i' UNION SELECT conname FROM pg_constraint",
}


class SchemaDifference(NamedTuple):
    """Something that the tables have otherwise than the models."""

    table: str
    what: str

    def __str__(self) -> str:
        return f"{self.table}: {self.what}"


def schema_differences() -> list[SchemaDifference]:
    """How the tables differ from the models, empty when they do not. Two statements.

    Columns that the models do not know are left alone, unless no insert could do without them: while servers of two
    versions run, the older meets those of the newer.
    """
    found: dict[str, dict[str, bool]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS[connection.vendor])
        for table, column, is_required in cursor.fetchall():
            found.setdefault(table, {})[column] = bool(is_required)
        cursor.execute(_NAMES[connection.vendor])
        names = [name for (name,) in cursor.fetchall()]
    # SQLite has the names in the text of its tables and indexes.
    known = set(names) if connection.vendor == "postgresql" else "\n".join(names)
    return [*_columns(found), *_named(known)]


def _columns(found: dict[str, dict[str, bool]]) -> Iterator[SchemaDifference]:
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if not model._meta.managed or model._meta.proxy:
            continue
        if table not in found:
            yield SchemaDifference(table, "the table is missing")
            continue
        expected = {field.column for field in model._meta.local_concrete_fields}
        for column in sorted(str(one) for one in expected - found[table].keys()):
            yield SchemaDifference(table, f"the column {column} is missing")
        for column, is_required in sorted(found[table].items()):
            if is_required and column not in expected:
                yield SchemaDifference(table, f"the column {column} must be filled, and no model knows it")


def _named(known: set[str] | str) -> Iterator[SchemaDifference]:
    for model in apps.get_models(include_auto_created=True):
        for one in (*model._meta.constraints, *model._meta.indexes):
            if one.name not in known:
                yield SchemaDifference(model._meta.db_table, f"{one.name} is missing")

"""Which person and which place an entry of the journal refers to, as indexes and queries read it from the entry."""

from typing import Any

from django.db import models
from django.db.models import F, Func

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
LOST_PERSON, LOST_PLACE = (Reference(0, *columns) for columns in (PERSONS, PLACES))

"""Template context of a plan: counts, steps with their field differences, and errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import DateTimeField
from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice import history
from backoffice.times import local, zone_named
from bulk.edits import FORMAT
from bulk.imports import plan_steps
from bulk.tables import sheets, tables
from hierarchy import journal
from hierarchy.column_types import cell_text, cell_value
from hierarchy.models import ImportPlan

STEPS_PER_PAGE = 100
ERRORS_SHOWN = 200

# The riskiest actions come first.
ACTIONS = {
    journal.DELETED: _("deleted"),
    journal.MOVED: _("moved"),
    journal.CHANGED: _("changed"),
    journal.CREATED: _("new"),
}


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step of a plan, ready to display."""

    action: str
    action_label: Any
    kind: str
    object: str
    row: int
    differences: list[history.Difference]


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """Numbers of rows of one table in a plan, per action, in the order of `ACTIONS`."""

    table: str
    label: str
    numbers: list[tuple[str, int]]
    unchanged: int


def label_of(table: str, is_one: bool = False) -> str:
    """The verbose name of the rows of a table, plural or singular."""
    known = tables().get(table)
    if known is None:
        return capfirst(table)
    names = known.model._meta
    return capfirst(str(names.verbose_name if is_one else names.verbose_name_plural))


def errors_context(plan: ImportPlan) -> dict[str, Any]:
    # In the order of dependencies between tables, so that consequential errors come after their cause.
    positions = {name.casefold(): position for position, name in enumerate(sheets())}
    last = len(positions)
    errors = sorted(
        plan.findings["errors"],
        key=lambda error: (positions.get(error["sheet"].casefold(), last), error["sheet"], error["row"]),
    )
    count = plan.findings["errorCount"]
    return {
        "errors": errors[:ERRORS_SHOWN],
        "error_count": count,
        "more_count": max(count - ERRORS_SHOWN, 0),
        "has_sheets": any(error["sheet"] for error in errors),
        "has_rows": any(error["row"] for error in errors),
    }


def steps_context(plan: ImportPlan, query: QueryDict) -> dict[str, Any]:
    """One page of the steps that match the query string, and the counts of all."""
    steps = list(plan_steps(plan))
    numbers = Counter((step["table"], step["action"]) for step in steps)
    # The table of the plan comes before the tables of dependent rows.
    changed = sorted(dict.fromkeys(table for table, _action in numbers), key=lambda table: table != plan.table)
    unchanged = {name: counts["unchanged"] for name, counts in plan.counts.items()}
    table, action = query.get("table", ""), query.get("action", "")
    selected = [step for step in steps if table in ("", step["table"]) and action in ("", step["action"])]
    rank = {name: number for number, name in enumerate(ACTIONS)}
    selected.sort(key=lambda step: (rank[step["action"]], step["table"] != plan.table))
    page = Paginator(selected, STEPS_PER_PAGE).get_page(query.get(PAGE_VAR, 1))
    warnings = plan.findings["warnings"]
    return {
        "count": len(steps),
        "deletion_count": sum(step["action"] == journal.DELETED for step in steps),
        "actions": list(ACTIONS.items()),
        "counts": [
            ShownCounts(name, label_of(name), [(one, numbers[name, one]) for one in ACTIONS], unchanged.get(name, 0))
            for name in changed
        ],
        "untouched": [(label_of(name), count) for name, count in unchanged.items() if name not in changed],
        "steps": [_shown(step, plan) for step in page.object_list],
        "is_filtered": len(selected) != len(steps),
        "page": page,
        "warnings": warnings[:ERRORS_SHOWN],
        "warning_count": plan.findings["warningCount"],
        "notes": plan.findings["notes"],
    }


def _shown(step: Mapping[str, Any], plan: ImportPlan) -> ShownStep:
    return ShownStep(
        step["action"],
        ACTIONS[step["action"]],
        label_of(step["table"], is_one=True),
        step["object"],
        step["row"],
        [
            _in_words(step["table"], name, old, new, zone_named(plan.customer.time_zone))
            if plan.format == FORMAT
            else history.Difference(name, _text(old), _text(new))
            for name, (old, new) in step["fields"].items()
        ],
    )


def _in_words(table_name: str, name: str, old: Any, new: Any, zone: ZoneInfo) -> history.Difference:
    """A difference of a bulk change: with the field's label, and times in the local zone."""
    table = tables()[table_name]
    field = table.fields[table.by_name[name].field]
    shown = [
        local(parse_datetime(value), zone) if isinstance(field, DateTimeField) and value else _text(value)
        for value in (old, new)
    ]
    return history.Difference(capfirst(str(field.verbose_name)), *shown)


def _text(value: Any) -> str:
    """A value as in a cell of a file."""
    return history.NOTHING if value is None else cell_text(cell_value(value))

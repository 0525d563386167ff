"""Noting what is wrong with a row: at its place in the file, or by its name where it is in none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bulk.drafts import Findings
from bulk.row_names import Naming
from bulk.table_state import ImportRow, TableState


@dataclass(frozen=True, slots=True)
class RowErrors:
    """Adds errors of rows to the findings of a plan."""

    states: Mapping[str, TableState]
    findings: Findings
    naming: Naming

    def add(self, row: ImportRow, column: str, message: Any, value: Any = None) -> None:
        if not row.draft.row:
            # It is in no file, so its name says which one.
            name = self.naming.of(self.states[row.draft.table], row.id) if row.id else ""
            self.findings.error(f"{name}: {message}" if name else message, sheet="")
            return
        heading = row.draft.heading(column) if column else ""
        self.findings.error(message, sheet=row.draft.sheet, row=row.draft.row, column=heading, value=value)

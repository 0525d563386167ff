"""Write the workbook to fill in for an import, or the reference of its tables and columns."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from bulk.reference import reference
from bulk.tables import sheets
from bulk.template import write_template

WRONG_USE = 2


class Command(BaseCommand):
    help = (
        "Write a workbook (XLSX) to fill in and give to import_network: a sheet for each table, with its columns "
        "explained and an example that is not imported. Exits with 2 when used wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; - or none is standard output")
        parser.add_argument(
            "--table",
            choices=list(sheets()),
            action="append",
            default=[],
            metavar="TABLE",
            help=f"only this table; may be given several times: {', '.join(sheets())}",
        )
        parser.add_argument(
            "--reference", action="store_true", help="write the reference of all tables and columns, in Markdown"
        )

    def handle(self, *args: Any, output: str | None, table: list[str], **options: Any) -> None:
        if options["reference"] and table:
            raise CommandError("The reference has all tables: leave out --table.", returncode=WRONG_USE)
        if options["reference"]:
            content = reference().encode()
        else:
            self._check_name(output)
            workbook = io.BytesIO()
            write_template(workbook, table)
            content = workbook.getvalue()
        if output in (None, "-"):
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        try:
            Path(str(output)).write_bytes(content)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.", returncode=WRONG_USE) from error

    @staticmethod
    def _check_name(output: str | None) -> None:
        if output in (None, "-"):
            if sys.stdout.isatty():
                raise CommandError(
                    "A terminal cannot show a workbook: name a file, as in -o network.xlsx.", returncode=WRONG_USE
                )
        elif Path(str(output)).suffix.lower() != ".xlsx":
            raise CommandError(
                f"{output} would be a workbook under another name: let it end in .xlsx.", returncode=WRONG_USE
            )

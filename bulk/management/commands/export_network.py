"""Export a customer's network."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management import BaseCommand, CommandError, CommandParser

from bulk import files
from bulk.export import ExportSelection, Names, export
from bulk.tables import sheets
from hierarchy.management.console import find, shown
from hierarchy.models import Customer, Site
from hierarchy.scoping import Scope
from hierarchy.text import comparison_key

WRONG_USE = 2


class Command(BaseCommand):
    help = (
        "Export a customer's network as tables that import_network reads back with nothing changed. Writes to standard "
        "output, or to the file of --output, which is there only when it is whole. Exits with 2 when used wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", metavar="NAME", help="whose network; may be left out where there is one")
        parser.add_argument("--site", metavar="PATH", help="only this site and all below: a path or an external id")
        parser.add_argument("--table", choices=_exported(), metavar="TABLE", help="only this table; CSV needs one")
        parser.add_argument("--format", choices=files.KINDS, help="by default what the name of --output says, or xlsx")
        parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; - or none is standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._export(**options)
        except CommandError as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error

    def _export(
        self, *, customer: str | None, site: str | None, table: str | None, output: str | None, **options: Any
    ) -> None:
        scope = Scope.whole_customer(self._customer(customer).pk)
        kind = options["format"] or self._kind(output)
        if kind == "csv" and not table:
            raise CommandError(f"A CSV file has one table: choose it with --table, one of {', '.join(_exported())}.")
        is_standard = output in (None, "-")
        if is_standard and kind in ("xlsx", "zip") and sys.stdout.isatty():
            raise CommandError(f"A terminal cannot show {kind}: name a file with --output.")
        selection = ExportSelection(scope, self._site(scope, site) if site else None, (table,) if table else ())
        with _standard_output() if is_standard else _whole_file(Path(str(output))) as target:
            try:
                export(selection, kind, target, shown)
            except files.Unwritable as error:
                raise CommandError(str(error)) from error

    def _customer(self, name: str | None) -> Customer:
        customers = Customer.objects.visible_to(Scope.platform())
        if name is not None:
            found: Customer = find(customers, name, by="name")
            return found
        if customers.count() != 1:
            raise CommandError("Say whose network it is: --customer NAME.")
        return customers.get()

    @staticmethod
    def _kind(output: str | None) -> str:
        if output in (None, "-"):
            return "xlsx"
        ending = Path(str(output)).suffix.lower().removeprefix(".")
        if ending not in files.KINDS:
            raise CommandError(
                f"{output} does not say which format it is to have: add --format {'|'.join(files.KINDS)}."
            )
        return ending

    @staticmethod
    def _site(scope: Scope, text: str) -> Site:
        sites = Site.objects.visible_to(scope)
        by_external_id = sites.filter(external_id_key=comparison_key(text)).first() if text.strip() else None
        if by_external_id is not None and not text.startswith("/"):
            return by_external_id
        names = Names(scope)
        for site_id in names.site_keys:
            if comparison_key((names.site(site_id) or "").removeprefix("/")) == comparison_key(text.removeprefix("/")):
                return sites.get(pk=site_id)
        raise CommandError(
            f"There is no site {text!r}: give its path, as in 'Region North / Garage', or its external id."
        )


def _exported() -> list[str]:
    return [name for name, sheet in sheets().items() if sheet.is_exported]


@contextlib.contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Who reads has read enough, as `head` does. What is left goes nowhere when Python closes the file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name when it is complete; until then, one of that name stays as it is."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with open(handle, "wb") as target:
            yield target
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

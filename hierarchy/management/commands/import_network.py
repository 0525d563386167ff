"""Import a file into a customer's network."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.functional import Promise
from tqdm import tqdm

from config.api.errors import Problem
from hierarchy.bulk import apply
from hierarchy.bulk.plan import Plan, check_rows
from hierarchy.bulk.source import Finding, Findings
from hierarchy.bulk.tables import formats
from hierarchy.journal import IMPORT
from hierarchy.models import Customer
from hierarchy.scoping import Caller, Scope
from hierarchy.text import comparison_key

DONE, DATA_ERRORS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import a file into a customer's network, all of it or, when anything in it is wrong, nothing. What the file "
        "does not name stays as it is. Exits with 0 when done or when there is nothing to do, 1 when the data has "
        "errors, 2 when the command was used wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        known = formats()
        described = "; ".join(f"{one.name}: {one.title}" for one in known.values())
        parser.add_argument("file", metavar="FILE", help="the file to read; - for standard input")
        parser.add_argument("--format", required=True, choices=sorted(known), help=described)
        parser.add_argument("--customer", required=True, metavar="NAME", help="whose network; made where it is new")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
        parser.add_argument("--no-input", action="store_true", help="never ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(**options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing was changed.", returncode=INTERRUPTED) from None

    def _import(self, *, file: str, format: str, customer: str, dry_run: bool, no_input: bool, **options: Any) -> None:
        caller = Caller(scope=Scope.platform(), label="manage.py import_network", road=IMPORT)
        findings = Findings("standard input" if file == "-" else Path(file).name)
        owner = self._customer(customer, ask=not no_input and file != "-")
        with _opened(file) as stream:
            rows = check_rows(_shown(formats()[format].read(stream, findings), "Reading", None), findings)
        is_new = owner.pk is None
        try:
            if dry_run or findings.error_count:
                plan = apply.dry_run(caller, owner, rows, findings)
            else:
                plan = apply.run(caller, owner, rows, findings, _shown)
        except Problem as error:
            raise CommandError(str(error), returncode=DATA_ERRORS) from error
        self._report(plan, owner, is_new=is_new, is_done=not dry_run)

    def _customer(self, name: str, ask: bool) -> Customer:
        """The customer of this name, or a new one, not yet saved."""
        names = dict(Customer.objects.visible_to(Scope.platform()).values_list("name_key", "name"))
        key = comparison_key(name)
        if key in names:
            return Customer.objects.visible_to(Scope.platform()).get(name_key=key)
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.8)
        if near and ask and sys.stdin.isatty():
            question = f"There is no customer {name!r}, but there is {names[near[0]]!r}. Make a new one? [y/N] "
            if input(question).strip().lower() not in ("y", "yes"):
                raise CommandError("Nothing was changed.", returncode=WRONG_USE)
        customer = Customer(name=name)
        try:
            customer.clean_fields()
        except ValidationError as error:
            raise CommandError(f"--customer: {' '.join(error.messages)}", returncode=WRONG_USE) from error
        return customer

    def _report(self, plan: Plan, owner: Customer, *, is_new: bool, is_done: bool) -> None:
        findings = plan.findings
        self._tell("warning", findings.warnings, findings.warning_count)
        if findings.error_count:
            self._tell("error", findings.errors, findings.error_count)
            raise CommandError(
                f"{_counted(findings.error_count, 'error')}: nothing was changed.", returncode=DATA_ERRORS
            )
        if is_new:
            self.stdout.write(f"{'Made the' if is_done else 'Would make the'} customer {owner.name!r}, who is new.")
        self.stdout.write(f"{'':10}{'created':>10}{'changed':>10}{'moved':>10}{'unchanged':>10}")
        for table, counts in plan.counts().items():
            numbers = (counts.created, counts.changed, counts.moved, counts.unchanged)
            self.stdout.write(f"{table:10}" + "".join(f"{number:10}" for number in numbers))
        for note in findings.notes:
            self.stdout.write(note)
        if plan.is_empty:
            self.stdout.write("Nothing to do: the network is as the file says.")
        elif not is_done:
            self.stdout.write("This was a dry run: nothing was changed.")

    def _tell(self, noun: str, shown: list[Finding], count: int) -> None:
        if count:
            self.stdout.write(f"{_counted(count, noun)}:")
        for finding in sorted(shown, key=lambda finding: finding.row)[:_SHOWN]:
            self.stdout.write(f"  {finding}")
        if count > _SHOWN:
            self.stdout.write(f"  … and {count - _SHOWN} more.")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


@contextlib.contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = open(file, "rb")  # noqa: SIM115  (only the opening is the user's mistake)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=WRONG_USE) from error
    with stream:
        yield stream


def _shown(rows: Iterable[Any], what: str | Promise, total: int | None) -> Iterable[Any]:
    """A progress bar on standard error, where that is a terminal."""
    return tqdm(rows, desc=str(what), total=total, unit=" rows", file=sys.stderr, disable=None, leave=False)

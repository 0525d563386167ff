"""Import a file into a customer's network."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import orjson
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser

from bulk import apply, files
from bulk.drafts import Finding, gc_disabled
from bulk.imports import FileContents, ImportRequest, messages, read
from bulk.plan import Plan
from bulk.steps import Step, steps
from bulk.tables import formats, sheets
from hierarchy import journal
from hierarchy.errors import DomainError
from hierarchy.management.console import shown
from hierarchy.models import Customer, Import
from hierarchy.scoping import Caller, Scope
from hierarchy.text import comparison_key

DONE, DATA_ERRORS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
_SHOWN = 20
_SHOWN_STEPS = 100
_SIGNS = {journal.CREATED: "+", journal.CHANGED: "~", journal.MOVED: ">", journal.DELETED: "-"}
_COLUMNS = ("created", "changed", "moved", "deleted", "unchanged")


class Command(BaseCommand):
    help = (
        "Import a file into a customer's network, all of it or, when anything in it is wrong, nothing. What the file "
        "does not name stays as it is. The file is a workbook (XLSX), CSV, a ZIP of CSV files or JSON with our own "
        "tables, or that of a register (--format). Exits with 0 when done or when there is nothing to do, 1 when the "
        "data has errors, 2 when the command was used wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        known = formats()
        described = "; ".join(f"{one.name}: {one.title}" for one in known.values())
        parser.add_argument("file", metavar="FILE", help="the file to read; - for standard input")
        parser.add_argument(
            "--customer", metavar="NAME", help="whose network; made where it is new; may be left out where there is one"
        )
        parser.add_argument("--format", choices=sorted(known), default="", help=f"the file of a register: {described}")
        parser.add_argument(
            "--table", choices=list(sheets()), default="", metavar="TABLE", help="which table a CSV file holds"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
        parser.add_argument(
            "--prune", action="store_true", help="delete what the file no longer names, in its tables and below --site"
        )
        parser.add_argument("--site", metavar="PATH", default="", help="where to prune; / is the whole network")
        parser.add_argument("--json", action="store_true", help="report as JSON, every step of the plan included")
        parser.add_argument("--errors", metavar="FILE", help="where errors are found, write the file with them here")
        parser.add_argument("--no-input", action="store_true", help="never ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with gc_disabled():
                self._import(**options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing was changed.", returncode=INTERRUPTED) from None

    def _import(self, *, file: str, customer: str | None, dry_run: bool, no_input: bool, **options: Any) -> None:
        if options["prune"] != bool(options["site"]):
            missing = "--site PATH, which says below which site" if options["prune"] else "--prune, which it is for"
            raise CommandError(f"--{'prune' if options['prune'] else 'site'} needs {missing}.", returncode=WRONG_USE)
        caller = Caller(scope=Scope.platform(), label="manage.py import_network", source=journal.IMPORT)
        owner = self._customer(customer, ask=not no_input and file != "-")
        name = "standard input" if file == "-" else Path(file).name
        request = ImportRequest(name, options["format"], options["table"], options["site"])
        is_new = owner.pk is None
        with _opened(file) as stream:
            contents = read(stream, request, owner, shown)
            try:
                if dry_run or contents.findings.error_count:
                    plan = apply.dry_run(caller, owner, contents.rows, contents.findings, prune=contents.prune)
                    planned = list(steps(plan)) if not contents.findings.error_count else []
                else:
                    record = Import(file_name=name, format=request.format or contents.kind, sha256=_sha256(stream))
                    planned = []
                    plan = apply.run(
                        caller,
                        owner,
                        contents.rows,
                        contents.findings,
                        shown,
                        prune=contents.prune,
                        record=record,
                        check=lambda plan: planned.extend(steps(plan) if options["json"] else ()),
                    )
            except DomainError as error:
                raise CommandError(str(error), returncode=DATA_ERRORS) from error
            if contents.findings.error_count and options["errors"]:
                self._write_errors(stream, contents, options["errors"])
        report = self._report_json if options["json"] else self._report
        report(plan, planned, owner, is_new=is_new, is_done=not dry_run)

    def _customer(self, name: str | None, ask: bool) -> Customer:
        """The customer of this name, or a new one, not yet saved."""
        customers = Customer.objects.visible_to(Scope.platform())
        names = dict(customers.values_list("name_key", "name"))
        if name is None:
            if len(names) != 1:
                raise CommandError("Say whose network it is: --customer NAME.", returncode=WRONG_USE)
            return customers.get()
        key = comparison_key(name)
        if key in names:
            return customers.get(name_key=key)
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

    def _write_errors(self, stream: IO[bytes], contents: FileContents, path: str) -> None:
        if not stream.seekable():
            raise CommandError(
                "--errors cannot repeat standard input: give the file by its name.", returncode=WRONG_USE
            )
        if not contents.kind:
            return
        stream.seek(0)
        found = messages(asdict(finding) for finding in contents.findings.errors)
        try:
            with open(path, "wb") as target:
                files.annotate(stream, contents.kind, found, target)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.", returncode=WRONG_USE) from error
        except files.Unreadable:
            Path(path).unlink()
            self.stderr.write("The file cannot be read far enough to write its errors beside its rows.")
            return
        self.stderr.write(f"The file with its errors beside the rows: {path}")

    def _report(self, plan: Plan, planned: list[Step], owner: Customer, *, is_new: bool, is_done: bool) -> None:
        findings = plan.findings
        self._tell("warning", findings.warnings, findings.warning_count)
        if findings.error_count:
            self._tell("error", findings.errors, findings.error_count)
            raise CommandError(
                f"{_counted(findings.error_count, 'error')}: nothing was changed.", returncode=DATA_ERRORS
            )
        if is_new:
            self.stdout.write(f"{'Made the' if is_done else 'Would make the'} customer {owner.name!r}, who is new.")
        self._tell_steps(planned)
        counted = plan.counts()
        width = max(map(len, counted), default=0) + 2
        self.stdout.write(" " * width + "".join(f"{name:>10}" for name in _COLUMNS))
        for table, counts in counted.items():
            numbers = (getattr(counts, name) for name in _COLUMNS)
            self.stdout.write(f"{table:{width}}" + "".join(f"{number:10}" for number in numbers))
        for note in findings.notes:
            self.stdout.write(note)
        if plan.is_empty:
            self.stdout.write("Nothing to do: the network is as the file says.")
        else:
            self.stdout.write("Done." if is_done else "This was a dry run: nothing was changed.")

    def _report_json(self, plan: Plan, planned: list[Step], owner: Customer, *, is_new: bool, is_done: bool) -> None:
        findings = plan.findings
        report = {
            "file": findings.file,
            "customer": owner.name,
            "isNewCustomer": is_new,
            "isApplied": is_done and not findings.error_count,
            "counts": {} if findings.error_count else {name: asdict(one) for name, one in plan.counts().items()},
            "errorCount": findings.error_count,
            "errors": [asdict(one) for one in findings.errors],
            "warningCount": findings.warning_count,
            "warnings": [asdict(one) for one in findings.warnings],
            "notes": findings.notes,
            "steps": [step.as_dict() for step in planned],
        }
        self.stdout.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
        if findings.error_count:
            raise CommandError(
                f"{_counted(findings.error_count, 'error')}: nothing was changed.", returncode=DATA_ERRORS
            )

    def _tell(self, noun: str, found: list[Finding], count: int) -> None:
        if count:
            self.stdout.write(f"{_counted(count, noun)}:")
        for finding in sorted(found, key=lambda finding: (finding.sheet, finding.row))[:_SHOWN]:
            self.stdout.write(f"  {finding}")
        if count > _SHOWN:
            self.stdout.write(f"  … and {count - _SHOWN} more; --json tells all.")

    def _tell_steps(self, planned: list[Step]) -> None:
        """What changes first: what is new is rarely the surprise."""
        ordered = sorted(planned, key=lambda step: step.action == journal.CREATED)
        for step in ordered[:_SHOWN_STEPS]:
            self.stdout.write(f"{_SIGNS[step.action]} {step.table}: {step.object}")
            for name, (old, new) in step.fields.items() if step.action != journal.CREATED else ():
                self.stdout.write(f"      {name}: {_value(old)} → {_value(new)}")
        if len(planned) > _SHOWN_STEPS:
            self.stdout.write(f"… and {len(planned) - _SHOWN_STEPS} more; --json tells all.")


def _sha256(stream: IO[bytes]) -> str:
    """The hash of the file, for the record of its import; of standard input, which has gone by, none."""
    if not stream.seekable():
        return ""
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _value(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


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

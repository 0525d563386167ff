"""Importing a file from end to end: read it, plan, keep the plan until somebody says yes, apply exactly that."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from bulk import apply, cells, files
from bulk.drafts import Draft, Findings, Progress, silent
from bulk.edits import FORMAT, Edit
from bulk.plan import Plan
from bulk.prune import Chosen, Prune
from bulk.row_checks import Rows, check_rows
from bulk.steps import steps
from bulk.table_files import Native
from bulk.tables import formats
from hierarchy import journal
from hierarchy.errors import Conflict, FieldError, NotFound
from hierarchy.models import Customer, Import, ImportPlan
from hierarchy.scoping import Caller, Scope

_MOST_DIFFERENCES = 100


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What is asked of an import.

    `format` is that of a register, empty for our own tables, `edits.FORMAT` for an edit in the place of a file.
    `table` says which one a CSV file or a list holds, where its columns do not. With `prune_site`, what the file no
    longer names below that site is deleted.
    """

    file_name: str
    format: str = ""
    table: str = ""
    prune_site: str = ""


@dataclass(slots=True)
class FileContents:
    """A file that was read: its rows, each checked by itself, and what is wrong with them."""

    kind: str
    rows: Rows
    findings: Findings
    prune: Prune | Chosen | None


def read(
    stream: IO[bytes], request: ImportRequest, customer: Customer, progress: Progress[Draft] = silent
) -> FileContents:
    """Read a file. What is wrong with it is among the findings; nothing is raised."""
    findings = Findings(request.file_name)
    if request.format == FORMAT:
        edit = Edit.unpacked(stream.read())
        findings.notes += edit.notes
        return FileContents(FORMAT, edit.rows(findings), findings, edit.to_delete)
    start, stream = files.peek(stream)
    tables: tuple[str, ...] = ()
    rows: Rows = {}
    try:
        kind = "csv" if request.format else files.kind_of(request.file_name, start)
    except files.Unreadable as error:
        findings.error(error)
        return FileContents("", {}, findings, None)
    zone = ZoneInfo(customer.time_zone)
    if request.format:
        drafts: Iterable[Draft] = formats()[request.format].read(stream, findings)
        rows = check_rows(progress(drafts, _("Reading"), None), findings, zone)
        tables = tuple(rows)
    else:
        native = Native(kind, findings, request.table)
        rows = check_rows(progress(native.read(stream), _("Reading"), None), findings, zone)
        tables = native.tables
        if not tables and not findings.error_count:
            findings.error(_("The file has no table: it needs at least one with a header or rows."))
    prune = Prune(tables, request.prune_site) if request.prune_site and tables else None
    return FileContents(kind, rows, findings, prune)


def import_plan(caller: Caller, customer: Customer, content: bytes, request: ImportRequest) -> ImportPlan:
    """Read a file, compare it with the network and keep the plan; nothing of the network is written.

    A file with errors becomes a plan that cannot be applied. Raises NotPermitted for a key that may only read.
    """
    contents = read(io.BytesIO(content), request, customer)
    plan = apply.dry_run(caller, customer, contents.rows, contents.findings, prune=contents.prune)
    is_wrong = bool(contents.findings.error_count)
    _forget_old(caller.scope)
    return ImportPlan.objects.create(
        customer=customer,
        operator_id=caller.scope.operator_id,
        file_name=request.file_name,
        format=request.format,
        table=request.table,
        prune_site=request.prune_site,
        sha256=hashlib.sha256(content).hexdigest(),
        content=zlib.compress(content),
        steps=b"" if is_wrong else _packed(plan),
        counts={} if is_wrong else {name: asdict(counts) for name, counts in plan.counts().items()},
        findings=_noted(contents.findings),
    )


def import_apply(caller: Caller, plan: ImportPlan, progress: Progress[Any] = silent) -> Import:
    """Do what a plan says, all of it or nothing.

    Raises Conflict, saying what is different, when the network is not any more as the plan found it, and when it was
    applied before, is too old, or has errors; NotFound for somebody else's.
    """
    if plan.operator_id != caller.scope.operator_id:
        raise NotFound("Import")
    if plan.applied_as is not None:
        raise Conflict(_("This plan was applied before: make a new one to see what is left to do."))
    if plan.findings["errorCount"]:
        raise Conflict(_("The plan has errors. Fix them and import the file again."))
    if plan.is_expired:
        raise Conflict(_("This plan is more than a week old: make a new one."))
    request = ImportRequest(plan.file_name, plan.format, plan.table, plan.prune_site)
    customer = plan.customer
    contents = read(io.BytesIO(zlib.decompress(plan.content)), request, customer)
    shown = list(plan_steps(plan))

    def check(now: Plan) -> None:
        _refuse_what_was_not_shown(shown, now)

    record = Import(file_name=plan.file_name, format=plan.format or contents.kind, sha256=plan.sha256)
    with journal.recording(caller):
        apply.run(
            *(caller, customer, contents.rows, contents.findings, progress),
            prune=contents.prune,
            record=record,
            check=check,
        )
        if record.pk is None:
            raise Conflict(_("There is nothing to do: everything is already so."))
        plan.applied_as, plan.content, plan.steps = record, b"", b""
        plan.save()
    return record


def plan_steps(plan: ImportPlan) -> Iterator[dict[str, Any]]:
    """What a plan that was not applied yet would do, as `Step.as_dict` has it."""
    if plan.steps:
        yield from orjson.loads(zlib.decompress(plan.steps))


def _packed(plan: Plan) -> bytes:
    return zlib.compress(orjson.dumps([step.as_dict() for step in steps(plan)]))


def _noted(findings: Findings) -> dict[str, Any]:
    return {
        "errorCount": findings.error_count,
        "warningCount": findings.warning_count,
        "errors": [asdict(finding) for finding in findings.errors],
        "warnings": [asdict(finding) for finding in findings.warnings],
        "notes": findings.notes,
    }


def _refuse_what_was_not_shown(shown: list[dict[str, Any]], now: Plan) -> None:
    """Raise Conflict when a plan made now does anything else than the one that was shown."""
    found = orjson.loads(orjson.dumps([step.as_dict() for step in steps(now)]))
    if found == shown and not now.findings.error_count:
        return
    before = {(step["table"], step["object"]): step for step in shown}
    after = {(step["table"], step["object"]): step for step in found}
    different = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    errors = [
        FieldError(f"/{table}", "changed_since", _difference(name, before.get((table, name)), after.get((table, name))))
        for table, name in different[:_MOST_DIFFERENCES]
    ]
    errors += [FieldError("", "changed_since", str(finding)) for finding in now.findings.errors[:_MOST_DIFFERENCES]]
    raise Conflict(
        _("The network was changed since this plan was made, so nothing was written: make a new plan.")
        + "".join(f" {error.detail}" for error in errors[:3]),
        errors=errors,
        code="changed_since",
    )


def _difference(name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    if before is None:
        return _("%(object)s was as it should be, and is not any more.") % {"object": name}
    if after is None:
        return _("%(object)s was changed or deleted, or is already as it should be.") % {"object": name}
    if before["action"] != after["action"] and journal.CREATED in (before["action"], after["action"]):
        message = _("%(object)s was deleted.") if after["action"] == journal.CREATED else _("%(object)s exists by now.")
        return message % {"object": name}
    for column in {**before["fields"], **after["fields"]}:
        old, new = before["fields"].get(column), after["fields"].get(column)
        if old is not None and new is not None and old[0] != new[0]:
            return _("%(object)s: %(column)s is now %(now)s and was %(then)s.") % {
                "object": name,
                "column": column,
                "now": _shown(new[0]),
                "then": _shown(old[0]),
            }
    return _("%(object)s was changed.") % {"object": name}


def _shown(cell: Any) -> Any:
    return cells.EMPTY if cell is None else cell


def _forget_old(scope: Scope) -> None:
    """Drop what nobody confirmed in time."""
    old = ImportPlan.objects.visible_to(scope).filter(created_at__lt=timezone.now() - ImportPlan.KEPT_FOR)
    old.filter(applied_as=None).delete()


def annotated(plan: ImportPlan, target: IO[bytes]) -> None:
    """Write the file of a plan once more, with what is wrong beside each row."""
    contents = zlib.decompress(plan.content)
    kind = "csv" if plan.format else files.kind_of(plan.file_name, contents[:512])
    files.annotate(io.BytesIO(contents), kind, messages(plan.findings["errors"]), target)


def messages(errors: Iterable[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """What is wrong with each row, by sheet and row."""
    found: dict[tuple[str, int], list[str]] = {}
    for error in errors:
        text = f"{error['column']}: {error['message']}" if error["column"] else error["message"]
        found.setdefault((error["sheet"], error["row"]), []).append(text)
    return {place: " ".join(texts) for place, texts in found.items()}


def largest() -> int:
    """How many bytes a file may have."""
    return settings.IMPORT_MAX_MEGABYTES * 1_000_000

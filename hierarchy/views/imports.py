"""Files coming in: compared with the network into a plan, looked at step by step, applied; and what was imported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.cursors import OFFSET_PAGING, offset_page, offset_parameters, page_response
from api.errors import BadBody
from api.parameters import choice, row_id, text_id
from api.schema import error_response, path_parameter, query_parameter
from api.uploads import FORM, MEDIA_TYPES, PART, Untouched, UploadNegotiation, read_upload
from api.views import ApiView
from bulk import imports
from bulk.drafts import Finding
from bulk.tables import formats, sheets, tables
from hierarchy import journal
from hierarchy.errors import Conflict, FieldError, NotFound
from hierarchy.models import Change, Customer, Import, ImportPlan
from hierarchy.scoping import Scope
from hierarchy.serializers import (
    ImportPageSerializer,
    ImportPlanDetailsSerializer,
    ImportPlanPageSerializer,
    ImportPlanSerializer,
    ImportSerializer,
    PlanState,
    StepPageSerializer,
    StepSerializer,
)
from hierarchy.services import refuse_read_only

_MOST_FINDINGS = 100
_READ_ONLY = {403: error_response("The key may only read")}
_PLAN_ID = path_parameter("planId", int, "The plan's id.")

_FILE = {"type": "string", "format": "binary", "minLength": 1}
_CSV = "idTag,driver,tokenName\r\n04A1B2C3,D-1,Card\r\n"
_COUNTS = {"chargers": {"created": 1, "changed": 1, "moved": 0, "deleted": 0, "unchanged": 240}}
_PLAN = {
    "id": 7,
    "state": "planned",
    "fileName": "network.xlsx",
    "format": "",
    "table": "",
    "pruneSite": "",
    "createdAt": "2026-06-01T12:00:00Z",
    "expiresAt": "2026-06-08T12:00:00Z",
    "importId": None,
    "counts": _COUNTS,
    "errorCount": 0,
    "warningCount": 0,
}
_DETAILS = {**_PLAN, "errors": [], "warnings": [], "notes": []}
_IMPORT = {
    "id": 3,
    "fileName": "network.xlsx",
    "format": "xlsx",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "appliedAt": "2026-06-01T12:05:00Z",
    "appliedBy": "ada@northwind.example",
    "road": "api",
    "counts": _COUNTS,
}
_STEP = {
    "table": "chargers",
    "action": "changed",
    "object": "QUAY-1",
    "row": 2,
    "fields": {"chargerName": ["Quay one", "Quay 1"]},
}


def _example(name: str, value: Any, code: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(code)])


class ImportsView(ApiView):
    parser_classes = (Untouched,)
    content_negotiation_class = UploadNegotiation

    def known_parameters(self) -> tuple[str, ...]:
        return ("format", "table", "pruneSite", "fileName") if self.request.method == "POST" else OFFSET_PAGING

    @extend_schema(
        operation_id="planImport",
        summary="Plan an import",
        description=(
            "Nothing of the network is written: the answer says what would be, and applying it does exactly that or "
            "nothing. The file is the body as it is, or the part `file` of a form. With errors in the file nothing is "
            "kept, and the answer names them, the first hundred: `pointer` is table, row and column, where the row "
            "is as a spreadsheet counts it, in JSON the place in the list from 0."
        ),
        parameters=[
            query_parameter("format", "The register whose file it is. Our own tables without it.", formats()),
            query_parameter("table", "Which table a CSV file or a JSON list holds.", sheets()),
            query_parameter(
                "pruneSite",
                "Delete what the file's tables no longer name below this site: its path or external id; / is all.",
            ),
            query_parameter("fileName", "What the file is called; a form says so itself."),
            OpenApiParameter(
                "Location", str, OpenApiParameter.HEADER, description="The address of the plan.", response=[201]
            ),
        ],
        request={
            **dict.fromkeys(MEDIA_TYPES.values(), _FILE),
            FORM: {
                "type": "object",
                "properties": {PART: _FILE},
                "required": [PART],
                "additionalProperties": False,
            },
        },
        responses={
            201: ImportPlanDetailsSerializer,
            **_READ_ONLY,
            413: error_response("The file is too large"),
            415: error_response("The body is of another kind than files are"),
        },
        examples=[
            OpenApiExample("A table as CSV", value=_CSV, request_only=True, media_type=MEDIA_TYPES["csv"]),
            _example("A plan", _DETAILS, 201),
        ],
        tags=["Imports"],
    )
    def post(self, request: Request) -> Response:
        refuse_read_only(self.scope)
        asked = request._request
        kind = choice(asked, "format", formats())
        table = choice(asked, "table", sheets())
        prune_site = text_id("pruneSite", asked.GET.get("pruneSite", ""), 4000)
        name = text_id("fileName", asked.GET.get("fileName", ""), 255)
        upload = read_upload(asked, imports.largest())
        customer = Customer.objects.visible_to(self.scope).get()
        wanted = imports.ImportRequest(name or upload.name, kind, table, prune_site)
        plan = imports.import_plan(self.caller, customer, upload.content, wanted)
        if plan.findings["errorCount"]:
            plan.delete()
            raise _refusal(plan.findings, is_json=upload.content.lstrip()[:1] in (b"{", b"["))
        plan = _find(self.scope, plan.pk)
        address = request.build_absolute_uri(f"{request.path}/{plan.pk}")
        return Response(_details(plan), status.HTTP_201_CREATED, headers={"Location": address})

    @extend_schema(
        operation_id="listPlannedImports",
        summary="List your planned imports",
        description="The newest first. A plan is seen by the operator who brought it, and by nobody else.",
        parameters=offset_parameters(),
        responses=ImportPlanPageSerializer,
        examples=[_example("Plans", {"items": [_PLAN], "next": None})],
        tags=["Imports"],
    )
    def get(self, request: Request) -> Response:
        plans, following = offset_page(request._request, _plans(self.scope).defer("content", "steps", "findings"))
        return page_response(ImportPlanSerializer([_outline(plan) for plan in plans], many=True).data, following)


class ImportPlanView(ApiView):
    @extend_schema(
        operation_id="getPlannedImport",
        summary="Get a planned import",
        description="How far it is, what it would do in numbers, and what was found in the file.",
        parameters=[_PLAN_ID],
        responses=ImportPlanDetailsSerializer,
        examples=[_example("A plan", _DETAILS)],
        tags=["Imports"],
    )
    def get(self, request: Request, planId: str) -> Response:
        return Response(_details(_find(self.scope, row_id("planId", planId))))

    @extend_schema(
        operation_id="dropPlannedImport",
        summary="Delete a planned import",
        description="One that was applied stays: what it did cannot be dropped.",
        parameters=[_PLAN_ID],
        responses={204: None, **_READ_ONLY, 409: error_response("It was applied")},
        tags=["Imports"],
    )
    def delete(self, request: Request, planId: str) -> Response:
        refuse_read_only(self.scope)
        plan = _find(self.scope, row_id("planId", planId))
        if plan.applied_as_id is not None:
            raise Conflict(_("This plan was already applied. Undo its changes, or import another file."))
        plan.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImportStepsView(ApiView):
    query_parameters = ("table", "action", *OFFSET_PAGING)

    @extend_schema(
        operation_id="listImportSteps",
        summary="List the changes of a planned import",
        description="Object by object, with old and new values; what is deleted comes last.",
        parameters=[
            _PLAN_ID,
            query_parameter("table", "Only objects of this table.", tables()),
            query_parameter("action", "Only what is done in this way.", journal.ACTIONS),
            *offset_parameters(),
        ],
        responses={200: StepPageSerializer, 409: error_response("It was applied, or its file has errors")},
        examples=[_example("Steps", {"items": [_STEP], "next": None})],
        tags=["Imports"],
    )
    def get(self, request: Request, planId: str) -> Response:
        asked = request._request
        table = choice(asked, "table", tables())
        action = choice(asked, "action", journal.ACTIONS)
        plan = _find(self.scope, row_id("planId", planId))
        if plan.applied_as_id is not None:
            raise Conflict(_("This plan was already applied. See the change log for its changes."))
        _refuse_errors(plan)
        steps = [
            step for step in imports.plan_steps(plan) if table in ("", step["table"]) and action in ("", step["action"])
        ]
        found, following = offset_page(asked, steps)
        return page_response(StepSerializer(found, many=True).data, following)


class ImportApplyView(ApiView):
    @extend_schema(
        operation_id="applyImport",
        summary="Apply a planned import",
        description=(
            "All of it or nothing. When the network is not any more as the plan found it, nothing is written, and the "
            "answer says what is different."
        ),
        parameters=[_PLAN_ID],
        request=None,
        responses={
            200: ImportSerializer,
            403: error_response("The key may only read, or the operator may not change it any more"),
            409: error_response("Applied before, too old, nothing to do, or the network was changed since"),
        },
        examples=[_example("The import", _IMPORT)],
        tags=["Imports"],
    )
    def post(self, request: Request, planId: str) -> Response:
        refuse_read_only(self.scope)
        plan = _find(self.scope, row_id("planId", planId))
        _refuse_errors(plan)
        if _state(plan) == PlanState.EXPIRED:
            raise Conflict(_("This plan has expired. Import the file again."))
        return Response(_records([imports.import_apply(self.caller, plan)])[0])


class AppliedImportsView(ApiView):
    query_parameters = OFFSET_PAGING

    @extend_schema(
        operation_id="listImports",
        summary="List applied imports",
        description="From any source, newest first. Admin operators see all, others their own.",
        parameters=offset_parameters(),
        responses=ImportPageSerializer,
        examples=[_example("Imports", {"items": [_IMPORT], "next": None})],
        tags=["Imports"],
    )
    def get(self, request: Request) -> Response:
        records, following = offset_page(request._request, Import.objects.visible_to(self.scope))
        return page_response(_records(records), following)


class AppliedImportView(ApiView):
    @extend_schema(
        operation_id="getImport",
        summary="Get an applied import",
        description="Who brought which file and when, and what it did in numbers.",
        parameters=[path_parameter("importId", int, "The import's id, which its changes carry.")],
        responses=ImportSerializer,
        examples=[_example("The import", _IMPORT)],
        tags=["Imports"],
    )
    def get(self, request: Request, importId: str) -> Response:
        records = _records(Import.objects.visible_to(self.scope).filter(pk=row_id("importId", importId)))
        if not records:
            raise NotFound("Import")
        return Response(records[0])


def _plans(scope: Scope) -> QuerySet[ImportPlan]:
    """The plans of the operator who asks: nobody else's, whatever else the operator may see."""
    plans = ImportPlan.objects.visible_to(scope).filter(operator_id=scope.operator_id)
    return plans.annotate(errors=F("findings__errorCount"), warnings=F("findings__warningCount"))


def _find(scope: Scope, plan_id: int) -> ImportPlan:
    plan = _plans(scope).defer("content", "steps").filter(pk=plan_id).first()
    if plan is None:
        raise NotFound("Import plan")
    return plan


def _state(plan: Any) -> PlanState:
    if plan.applied_as_id is not None:
        return PlanState.APPLIED
    if plan.errors:
        return PlanState.WITH_ERRORS
    return PlanState.EXPIRED if plan.is_expired else PlanState.PLANNED


def _outline(plan: Any) -> dict[str, Any]:
    return {
        "id": plan.pk,
        "state": _state(plan).value,
        "fileName": plan.file_name,
        "format": plan.format,
        "table": plan.table,
        "pruneSite": plan.prune_site,
        "createdAt": plan.created_at,
        "expiresAt": plan.expires_at,
        "importId": plan.applied_as_id,
        "counts": plan.counts,
        "errorCount": plan.errors,
        "warningCount": plan.warnings,
    }


def _details(plan: ImportPlan) -> Any:
    found = {kind: plan.findings[kind][:_MOST_FINDINGS] for kind in ("errors", "warnings")}
    return ImportPlanDetailsSerializer({**_outline(plan), **found, "notes": plan.findings["notes"]}).data


def _records(records: Iterable[Import]) -> Any:
    """Imports with who made them, and how: two statements with that for the imports themselves."""
    rows = list(records)
    lines = Change.objects.filter(
        object_type=Import._meta.model_name, object_id__in=[row.pk for row in rows], action=journal.CREATED
    )
    who = {line.object_id: (line.actor_label, line.source) for line in lines}
    documents = []
    for row in rows:
        label, road = who[row.pk]
        documents.append(
            {
                "id": row.pk,
                "fileName": row.file_name,
                "format": row.format,
                "sha256": row.sha256,
                "appliedAt": row.created_at,
                "appliedBy": label,
                "road": road,
                "counts": row.counts,
            }
        )
    return ImportSerializer(documents, many=True).data


def _refuse_errors(plan: Any) -> None:
    if plan.errors:
        raise Conflict(_("The plan has errors. Fix them and import the file again."))


def _refusal(findings: dict[str, Any], is_json: bool) -> BadBody:
    """What is wrong with a file, all at once. Its rows count from 1, in JSON pointers from 0."""
    count = findings["errorCount"]
    texts = [str(Finding(**error)) for error in findings["errors"][:_MOST_FINDINGS]]
    detail = ngettext(
        "The file has %(count)s error, so nothing of it was kept: mend it and send the file again.",
        "The file has %(count)s errors, so nothing of it was kept: mend them and send the file again.",
        count,
    )
    errors = [
        FieldError(_pointer(error, is_json), "invalid", text)
        for error, text in zip(findings["errors"], texts, strict=False)
    ]
    return BadBody(" ".join([detail % {"count": count}, *texts[:3]]), errors=errors)


def _pointer(error: dict[str, Any], is_json: bool) -> str:
    row = error["row"] - is_json
    parts = (error["sheet"], str(row) if error["row"] else "", error["column"])
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')[:100]}" for part in parts if part)

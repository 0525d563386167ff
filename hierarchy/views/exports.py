"""The network going out as a file."""

import tempfile
from contextlib import ExitStack
from typing import Any

from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request

from api.negotiation import CONTENT_TYPE, ContentNegotiation
from api.parameters import choice, row_id, wrong
from api.schema import query_parameter
from api.uploads import MEDIA_TYPES
from api.views import ApiView
from bulk import files
from bulk.export import ExportSelection, export
from bulk.tables import sheets, tables
from hierarchy.db import snapshot
from hierarchy.models import Site

_TAG = {"idTag": "04A1B2C3", "driver": "D-1", "tokenName": "Card", "startDate": None}
_CSV = "idTag,driver,tokenName,startDate\r\n04A1B2C3,D-1,Card,\r\n"


def _names() -> list[str]:
    """What a table may be called: as files have it, or as the counts and steps of imports do."""
    return list(dict.fromkeys([*sheets(), *tables()]))


class DownloadNegotiation(ContentNegotiation):
    """The address says which kind of file it is to be; what else is acceptable does not matter."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], CONTENT_TYPE


class ExportsView(ApiView):
    query_parameters = ("format", "table", "site")
    content_negotiation_class = DownloadNegotiation

    @extend_schema(
        operation_id="exportNetwork",
        summary="Export the network",
        description=(
            "Everything that the caller sees, at one moment, in tables that an import reads back without changing "
            "anything. CSV has one table, which `table` names."
        ),
        parameters=[
            query_parameter("format", "The kind of file.", files.KINDS, default="xlsx"),
            query_parameter("table", "Only this table.", _names()),
            OpenApiParameter(
                "site",
                OpenApiTypes.INT64,
                OpenApiParameter.QUERY,
                description="Only what lies at this site or below: its id.",
            ),
            OpenApiParameter(
                "Content-Disposition",
                str,
                OpenApiParameter.HEADER,
                description='The name of the file, as in `attachment; filename="network.xlsx"`.',
                response=[200],
            ),
        ],
        responses={
            (200, MEDIA_TYPES[kind]): OpenApiTypes.OBJECT if kind == "json" else OpenApiTypes.BINARY
            for kind in files.KINDS
        },
        examples=[
            OpenApiExample("A table as JSON", value={"tags": [_TAG]}, response_only=True),
            OpenApiExample("A table as CSV", value=_CSV, response_only=True, media_type=MEDIA_TYPES["csv"]),
        ],
        tags=["Exports"],
    )
    def get(self, request: Request) -> FileResponse:
        kind = choice(request._request, "format", files.KINDS, "xlsx")
        table = choice(request._request, "table", _names())
        if kind == "csv" and not table:
            raise wrong("table", "required", _("A CSV file has one table: choose one of %s.") % ", ".join(_names()))
        with ExitStack() as stack, snapshot():
            selection = self._selection(table, self._site(request))
            target = stack.enter_context(tempfile.TemporaryFile(prefix="chargetree-"))
            try:
                export(selection, kind, target)
            except files.Unwritable as error:
                raise wrong("format", "unwritable", str(error)) from error
            target.seek(0)
            # From here on the answer closes it.
            stack.pop_all()
        return FileResponse(
            target,
            as_attachment=True,
            filename=f"{table or 'network'}.{kind}",
            content_type=f"{MEDIA_TYPES[kind]}{'; charset=utf-8' if kind == 'csv' else ''}",
        )

    def _selection(self, name: str, site: Site | None) -> ExportSelection:
        """Everything, or one table: where files have it together with others, their rows are left out."""
        if name in ("", *sheets()):
            return ExportSelection(self.scope, site, (name,) if name else ())
        sheet = next(sheet for sheet in sheets().values() if sheet.is_exported and name in sheet.tables)
        others = {other: tables()[other].model.objects.none() for other in sheet.tables if other != name}
        return ExportSelection(self.scope, site, (sheet.name,), others)

    def _site(self, request: Request) -> Site | None:
        text = request._request.GET.get("site")
        if text is None:
            return None
        site: Site | None = Site.objects.visible_to(self.scope).filter(pk=row_id("site", text)).first()
        if site is None:
            raise wrong("site", "unknown", _("Not found, or you have no access to it."))
        return site

"""What people send to be imported: the file, within its bounds, and what they choose with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.exports import NetworkForm
from bulk import cells
from bulk.imports import ImportRequest, largest
from bulk.prune import EVERYWHERE
from bulk.tables import formats, sheets
from hierarchy.models import ImportPlan, Site
from hierarchy.scoping import Scope
from hierarchy.selectors import site_paths

BELOW = "below"


class BoundedUpload(TemporaryFileUploadHandler):
    """Keeps no more of what is sent than an import may be, and reads on, so that the browser waits for the answer."""

    _received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._received += len(raw_data)
        if self._received <= largest():
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        """The file; what was not kept is counted in its size, so that nobody takes it for whole."""
        return super().file_complete(file_size if self._received <= largest() else self._received)


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.zip,.json,.tsv,.txt"}),
        error_messages={"required": _("Choose the file.")},
    )

    def clean_file(self) -> UploadedFile[Any]:
        given: UploadedFile[Any] = self.cleaned_data["file"]
        if (given.size or 0) > largest():
            raise ValidationError(
                _("The file is larger than %(limit)s MB: split it, or have IMPORT_MAX_MEGABYTES raised.")
                % {"limit": largest_megabytes()}
            )
        return given

    @property
    def content(self) -> bytes:
        content: bytes = self.cleaned_data["file"].read()
        return content

    @property
    def file_name(self) -> str:
        return str(self.cleaned_data["file"].name)


def _formats() -> list[tuple[str, Any]]:
    return [("", _("Tables of Chargetree: XLSX, CSV, ZIP of CSV files, or JSON"))] + [
        (one.name, one.title) for one in formats().values()
    ]


def _sheets() -> list[tuple[str, Any]]:
    return [("", _("The one that its columns tell")), *((name, name) for name in sheets())]


class ImportForm(FileForm, NetworkForm):
    format = forms.ChoiceField(label=_("Contents"), choices=_formats, required=False)
    table = forms.ChoiceField(
        label=_("Table"),
        choices=_sheets,
        required=False,
        help_text=_("Which table a CSV file holds. Only needed when the names of its columns do not say."),
    )
    prune = forms.ChoiceField(
        label=_("Delete what the file no longer names"),
        choices=[
            ("", _("No: what the file does not name stays as it is")),
            (BELOW, _("Below one site")),
            (EVERYWHERE, _("In the whole network, as far as you may change it")),
        ],
        widget=forms.RadioSelect,
        required=False,
        help_text=_(
            "For files that hold everything. In each table that the file has, the rows that it does not name are "
            "deleted, with all that belongs to them. You see which before anything happens."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("prune") == BELOW and not cleaned.get("site") and "site" not in self.errors:
            self.add_error("site", _("Choose the site below which rows may be deleted."))
        if cleaned.get("site") and cleaned.get("prune") != BELOW:
            self.add_error("prune", _("A site is chosen: choose to delete below it, or empty it."))
        return cleaned

    @property
    def request(self) -> ImportRequest:
        chosen = self.cleaned_data
        where = _in_a_cell(chosen["site"], self.scope) if chosen["prune"] == BELOW else chosen["prune"]
        return ImportRequest(self.file_name, chosen["format"], chosen["table"], where)


def _in_a_cell(site: Site, scope: Scope) -> str:
    """A site as the cell of a file would name it beyond doubt."""
    names = site_paths({site.pk}, scope)[site.pk]
    longest = ImportPlan._meta.get_field("prune_site").max_length or 0
    text = f"{cells.path_text(names)} (id {site.pk})"
    return text if len(text) <= longest else f"{cells.path_text(names[-1:])} (id {site.pk})"


def bounded(request: HttpRequest) -> HttpRequest:
    """The request, before anybody looks at what it sends."""
    request.upload_handlers = [BoundedUpload(request)]
    return request


def sent(request: HttpRequest) -> tuple[Any, ...]:
    """What a form is bound to."""
    return (request.POST, request.FILES) if request.method == "POST" else ()


def largest_megabytes() -> int:
    return largest() // 1_000_000

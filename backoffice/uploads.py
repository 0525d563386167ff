"""The import form and the size limit of its upload."""

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


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Stores no more than the size limit, but reads the rest, so that the browser waits for the response."""

    _received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._received += len(raw_data)
        if self._received <= largest():
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        """The file; its size includes the part that was not stored, so that validation rejects it."""
        return super().file_complete(file_size if self._received <= largest() else self._received)


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.zip,.json,.tsv,.txt"}),
        error_messages={"required": _("Choose a file.")},
    )

    def clean_file(self) -> UploadedFile[Any]:
        uploaded: UploadedFile[Any] = self.cleaned_data["file"]
        if (uploaded.size or 0) > largest():
            raise ValidationError(
                _("The file is larger than %(limit)s MB. Split it, or have IMPORT_MAX_MEGABYTES raised.")
                % {"limit": max_megabytes()}
            )
        return uploaded

    @property
    def content(self) -> bytes:
        content: bytes = self.cleaned_data["file"].read()
        return content

    @property
    def file_name(self) -> str:
        return str(self.cleaned_data["file"].name)


def _formats() -> list[tuple[str, Any]]:
    return [("", _("Chargetree tables: XLSX, CSV, ZIP of CSV files, or JSON"))] + [
        (one.name, one.title) for one in formats().values()
    ]


def _sheets() -> list[tuple[str, Any]]:
    return [("", _("Detect from the columns")), *((name, name) for name in sheets())]


class ImportForm(FileForm, NetworkForm):
    format = forms.ChoiceField(label=_("Contents"), choices=_formats, required=False)
    table = forms.ChoiceField(
        label=_("Table"),
        choices=_sheets,
        required=False,
        help_text=_("The table in a CSV file. Only needed if the column names do not identify it."),
    )
    prune = forms.ChoiceField(
        label=_("Delete rows that are missing from the file"),
        choices=[
            ("", _("No")),
            (BELOW, _("Yes, below one site")),
            (EVERYWHERE, _("Yes, everywhere you can make changes")),
        ],
        widget=forms.RadioSelect,
        required=False,
        help_text=_(
            "For files that contain all rows. In each table of the file, missing rows are deleted, with "
            "everything that belongs to them. You see a preview before anything is deleted."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("prune") == BELOW and not cleaned.get("site") and "site" not in self.errors:
            self.add_error("site", _("Choose the site below which to delete rows."))
        if cleaned.get("site") and cleaned.get("prune") != BELOW:
            self.add_error("prune", _("Choose to delete below this site, or clear the site."))
        return cleaned

    @property
    def request(self) -> ImportRequest:
        cleaned = self.cleaned_data
        prune_site = _cell_text(cleaned["site"], self.scope) if cleaned["prune"] == BELOW else cleaned["prune"]
        return ImportRequest(self.file_name, cleaned["format"], cleaned["table"], prune_site)


def _cell_text(site: Site, scope: Scope) -> str:
    """The site as a cell of a file names it, unambiguously."""
    names = site_paths({site.pk}, scope)[site.pk]
    longest = ImportPlan._meta.get_field("prune_site").max_length or 0
    text = f"{cells.path_text(names)} (id {site.pk})"
    return text if len(text) <= longest else f"{cells.path_text(names[-1:])} (id {site.pk})"


def limit_upload(request: HttpRequest) -> HttpRequest:
    """Set the upload handler. Must run before anything reads the body."""
    request.upload_handlers = [LimitedUploadHandler(request)]
    return request


def form_data(request: HttpRequest) -> tuple[Any, ...]:
    """The data and files to bind a form to."""
    return (request.POST, request.FILES) if request.method == "POST" else ()


def max_megabytes() -> int:
    return largest() // 1_000_000

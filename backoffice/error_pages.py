"""Error pages that views of the admin raise, with an explanation and links."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from django.contrib.admin.options import IS_POPUP_VAR
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from backoffice import history
from backoffice.callers import scope_of
from backoffice.choices import is_id
from backoffice.times import caller_zone, local
from hierarchy import journal
from hierarchy.entity import Entity
from hierarchy.models import Change
from hierarchy.scoping import Scope

_MOST_CHARACTERS = 80
_QUOTED = "“<bdi>{}</bdi>”"


class ErrorText(NamedTuple):
    """The text of an error page: what happened, what it means, what to do, and links as (label, URL)."""

    title: str
    meaning: str
    advice: str
    links: list[tuple[str, str]]


class ErrorPage(Exception):
    """Raised by a view of the admin to show an error page with `text` instead."""

    status: ClassVar[int]

    def text(self, request: HttpRequest) -> ErrorText:
        raise NotImplementedError


class UnknownFilter(ErrorPage):
    """The query string has an unknown filter or value. Ignoring it would show unfiltered rows as the result."""

    status = 400

    def __init__(self, model: Any, name: object, value: object = "") -> None:
        super().__init__(str(name))
        self.model = model
        self.name, self.value = (Truncator(str(one)).chars(_MOST_CHARACTERS) for one in (name, value))

    def text(self, request: HttpRequest) -> ErrorText:
        opts = self.model._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        popup = f"?{IS_POPUP_VAR}=1" if IS_POPUP_VAR in request.GET else ""
        return ErrorText(
            _("Unknown filter"),
            self._explanation(),
            _("No rows are shown, and nothing was changed. Open the unfiltered list and use its filters."),
            [(_("All %(rows)s") % {"rows": opts.verbose_name_plural}, url + popup)],
        )

    def _explanation(self) -> SafeString:
        if not self.value:
            return format_html(_("This list has no filter %(filter)s.").replace("%(filter)s", _QUOTED), self.name)
        text = _(
            "The filter %(filter)s has no value %(value)s: it is misspelled, was deleted, or you have no access to it."
        )
        text = text.replace("%(filter)s", _QUOTED).replace("%(value)s", _QUOTED)
        return format_html(text, self.name, self.value)


class Deleted(ErrorPage, Http404):
    """The row was deleted, and the caller has access to the change log entry of the deletion."""

    status = 404

    def __init__(self, change: Change) -> None:
        super().__init__(str(change.object_id))
        self.change = change

    def text(self, request: HttpRequest) -> ErrorText:
        zone = caller_zone(request)
        entry = history.entries([self.change], scope_of(request), zone)[0]
        restore = [(_("Restore"), entry.undo)] if entry.undo else []
        return ErrorText(
            _("%(object)s was deleted") % {"object": f"{entry.kind} {self.change.natural_key}"},
            format_html(
                "{}: <bdi>{}</bdi>, {}.", _("Deleted by"), self.change.actor_label, local(self.change.at, zone)
            ),
            _("Nothing was saved. Go back in your browser to get your input back.")
            if request.method == "POST"
            else _("The link you followed is out of date."),
            [*restore, (_("History"), history.change_log_url(self.change))],
        )


def deletion_of(model: type[Entity], object_id: str, scope: Scope) -> Change | None:
    """The change log entry of the deletion of a row; None if the row exists or `scope` has no access to the entry."""
    if not is_id(object_id) or model.unscoped.filter(pk=object_id).exists():
        return None
    lines = Change.objects.visible_to(scope).filter(object_type=model._meta.model_name, object_id=object_id)
    return lines.filter(action=journal.DELETED).order_by("-id").first()

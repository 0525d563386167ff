"""Pages on which nobody gets any further: they say why, and where it goes on."""

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
from backoffice.times import local, own_zone
from hierarchy import journal
from hierarchy.entity import Entity
from hierarchy.models import Change
from hierarchy.scoping import Scope

_MOST_CHARACTERS = 80
_QUOTED = "“<bdi>{}</bdi>”"


class Words(NamedTuple):
    """What an error page says: what happened, what it means, what to do now, and the links that lead on."""

    title: str
    meaning: str
    advice: str
    ways: list[tuple[str, str]]


class DeadEnd(Exception):
    """Raised by a page of the admin in place of which one with `words` is shown."""

    status: ClassVar[int]

    def words(self, request: HttpRequest) -> Words:
        raise NotImplementedError


class UnknownFilter(DeadEnd):
    """An address asks a list for what none of its filters knows: the whole list would be taken for the answer."""

    status = 400

    def __init__(self, model: Any, name: object, value: object = "") -> None:
        super().__init__(str(name))
        self.model = model
        self.name, self.value = (Truncator(str(one)).chars(_MOST_CHARACTERS) for one in (name, value))

    def words(self, request: HttpRequest) -> Words:
        opts = self.model._meta
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        popup = f"?{IS_POPUP_VAR}=1" if IS_POPUP_VAR in request.GET else ""
        return Words(
            _("The list cannot be narrowed like this"),
            self._sentence(),
            _("No row is shown, and nothing was changed. Open the whole list, and choose from its filters."),
            [(_("All %(rows)s") % {"rows": opts.verbose_name_plural}, address + popup)],
        )

    def _sentence(self) -> SafeString:
        if not self.value:
            return format_html(_("This list has no filter %(filter)s.").replace("%(filter)s", _QUOTED), self.name)
        text = _("The filter %(filter)s of this list has no choice %(value)s: mistyped, deleted, or not open to you.")
        text = text.replace("%(filter)s", _QUOTED).replace("%(value)s", _QUOTED)
        return format_html(text, self.name, self.value)


class Deleted(DeadEnd, Http404):
    """A row is not there any more, and the caller sees the line of the journal that says so."""

    status = 404

    def __init__(self, change: Change) -> None:
        super().__init__(str(change.object_id))
        self.change = change

    def words(self, request: HttpRequest) -> Words:
        zone = own_zone(request)
        line = history.lines([self.change], scope_of(request), zone)[0]
        restore = [(_("Restore it"), line.undo)] if line.undo else []
        return Words(
            _("%(object)s was deleted") % {"object": f"{line.kind} {self.change.natural_key}"},
            format_html("{}: <bdi>{}</bdi>, {}.", _("By"), self.change.actor_label, local(self.change.at, zone)),
            _("Nothing was saved. What you typed is still there when you go back in the browser.")
            if request.method == "POST"
            else _("Whatever leads here is older than that."),
            [*restore, (_("Its history"), history.log_of(self.change))],
        )


def deletion_of(model: type[Entity], object_id: str, scope: Scope) -> Change | None:
    """The line that tells of the deletion of a row that is not there; None where `scope` sees no such line."""
    if not is_id(object_id) or model.unscoped.filter(pk=object_id).exists():
        return None
    lines = Change.objects.visible_to(scope).filter(object_type=model._meta.model_name, object_id=object_id)
    return lines.filter(action=journal.DELETED).order_by("-id").first()

"""Links for choosing a password: sent by email, or shown once to share by hand."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from backoffice.times import local, zone_of
from operators import links, mail
from operators.admin.shown_once import ShowsOnce
from operators.models import Operator
from operators.sign_in import minutes_until


class State(NamedTuple):
    """The sign-in state of an operator: the CSS class, the label, and a detail."""

    word: str
    label: str
    detail: str | SafeString = ""


def state_of(operator: Operator, locked_until: datetime.datetime | None) -> State:
    if not operator.is_active:
        return State("disabled", gettext("disabled"))
    if locked_until is not None:
        minutes = minutes_until(locked_until)
        text = ngettext("for %(minutes)d more minute", "for %(minutes)d more minutes", minutes) % {"minutes": minutes}
        return State("locked", gettext("locked"), text)
    if operator.has_usable_password():
        return State("active", gettext("active"))
    if operator.invited_at is None:
        return State("uninvited", gettext("not invited yet"))
    ends_at = operator.invited_at + links.valid_for()
    if ends_at <= timezone.now():
        return State("expired", gettext("invitation expired"))
    expiry = local(ends_at, zone_of(operator))
    return State("invited", gettext("invited"), format_html(gettext("the link is valid until {}"), expiry))


def invitation_note() -> str:
    """The note on the add page about the invitation."""
    hours = {"hours": hours_valid()}
    if settings.HAS_MAIL:
        return (
            gettext("An invitation with a link to choose a password is sent by email. It expires in %(hours)d hours.")
            % hours
        )
    return (
        gettext(
            "No mail server is configured. The next page shows a link to share with the operator, for choosing a "
            "password. It expires in %(hours)d hours."
        )
        % hours
    )


def hours_valid() -> int:
    return int(links.valid_for().total_seconds() // 3600)


def link_for(request: HttpRequest, operator: Operator) -> str:
    """A new link, with the host of PUBLIC_URL or, without that setting, of the request."""
    path = reverse("admin:choose_password", args=links.parts(operator))
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


def send_links(page: ShowsOnce, request: HttpRequest, operators: Iterable[Operator]) -> HttpResponse | None:
    """Send a link to each operator. Returns a page with the links that could not be sent, or None."""
    created = [(operator, link_for(request, operator)) for operator in operators]
    sender = request.user.name if isinstance(request.user, Operator) else ""
    unsent = {
        operator.pk: link
        for operator, link in created
        if not (settings.HAS_MAIL and mail.send_link(operator, link, sender))
    }
    sent = [operator.email for operator, _link in created if operator.pk not in unsent]
    if sent:
        text = ngettext(
            "A link to choose a password was sent to %(people)s. It expires in %(hours)d hours.",
            "Links to choose a password were sent to %(people)s. They expire in %(hours)d hours.",
            len(sent),
        )
        page.message_user(request, text % {"people": ", ".join(sent), "hours": hours_valid()}, messages.SUCCESS)
    return page.show_once(request, unsent) if unsent else None

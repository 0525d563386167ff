"""What operators are told by e-mail: as plain text, and as HTML for those who prefer it."""

from __future__ import annotations

import logging
import threading

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from operators import links
from operators.models import Operator

logger = logging.getLogger(__name__)


def send_link(operator: Operator, link: str, sender: str = "") -> bool:
    """Send a link to choose a password, after the commit that made it valid; whether the mail server took it.

    `sender` is the name of who invites; without it the operator asked for the link.
    """
    if operator.has_usable_password():
        name, subject = "new_password", _("A new password for Chargetree")
    else:
        name, subject = "invitation", _("Your invitation to Chargetree")
    hours = links.valid_for().total_seconds() // 3600
    context = {"operator": operator, "link": link, "sender": sender, "hours": int(hours)}
    message = EmailMultiAlternatives(
        subject, render_to_string(f"operators/mail/{name}.txt", context), to=[operator.email]
    )
    message.attach_alternative(render_to_string(f"operators/mail/{name}.html", context), "text/html")
    try:
        message.send()
    except (OSError, ValueError) as error:
        # What the server says may hold the address, but never the link.
        logger.warning("The mail to operator %s was not sent: %s", operator.pk, error)
        return False
    return True


def send_link_later(operator: Operator, link: str) -> None:
    """Send it without being waited for: how long that takes would tell who asks that there is such an operator."""
    threading.Thread(target=send_link, args=(operator, link), name="mail").start()

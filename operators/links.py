"""Links with which an operator chooses a password: signed, for one use, and for a limited time.

A link ends when the password or the e-mail address changes, when the operator signs in, and with the next invitation.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from operators.models import Operator


class Tokens(PasswordResetTokenGenerator):
    key_salt = "operators.links"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        invited = "" if user.invited_at is None else user.invited_at.isoformat()
        # Who was shown a link must not get into what became the account of an admin operator.
        return f"{super()._make_hash_value(user, timestamp)}{invited}{user.is_admin_operator}"


tokens = Tokens()


def parts(operator: Operator) -> tuple[str, str]:
    """The two parts of a new link: who, and the token."""
    return urlsafe_base64_encode(force_bytes(operator.pk)), tokens.make_token(operator)


def is_valid(operator: Operator, token: str) -> bool:
    return operator.is_active and tokens.check_token(operator, token)


def valid_for() -> datetime.timedelta:
    return datetime.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)

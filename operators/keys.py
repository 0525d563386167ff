"""The text of API keys: how one is made, recognised and hashed. The text itself is never stored."""

import hashlib
import hmac
import re
import secrets
import string

from django.conf import settings

# Lets people and secret scanners recognise a key where it should not be.
PREFIX = "ctk_"
# The first characters of a key are shown in lists; the rest alone still holds more than 160 random bits.
HINT_LENGTH = 8
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32
_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{_LENGTH}}}", re.ASCII)


def new_key() -> str:
    """A new random key."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _position in range(_LENGTH))


def is_key(text: str) -> bool:
    """Whether `text` has the form of a key."""
    return _KEY.fullmatch(text) is not None


def hint(key: str) -> str:
    """What may be shown of a key."""
    return key[:HINT_LENGTH]


def digest(key: str) -> str:
    """The key's HMAC-SHA-256 with the pepper, in hexadecimal digits: what is stored."""
    return hmac.new(settings.API_KEY_PEPPER.encode(), key.encode(), hashlib.sha256).hexdigest()

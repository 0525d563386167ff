"""Why something cannot be done, in plain words: what services, models and the bulk engine raise.

No HTTP here: `api.errors` gives each its status, the admin and the commands show `detail`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong value: `pointer` is a JSON pointer (RFC 6901) into the input, or the name of a parameter."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """Something was refused: `detail` says what and why, `errors` names single values, `reason` is a code."""

    title: Text = _("Not possible")

    def __init__(self, detail: Text = "", *, errors: Iterable[FieldError] = (), code: str = "") -> None:
        super().__init__(str(detail) or str(self.title))
        self.detail = str(detail)
        self.errors = list(errors)
        self.reason = code


class NotPermitted(DomainError):
    """The caller may see it, and may not change it."""

    title = _("Not permitted")


class NotFound(DomainError):
    """Not there, or not the caller's: `noun` is one of the product's words, or empty for an unknown path."""

    title = _("Not found")

    def __init__(self, noun: str = "", detail: Text = "") -> None:
        self.noun = noun
        super().__init__(detail)


class Conflict(DomainError):
    """Someone else was first: a newer version, a row that blocks a deletion, a value already in use."""

    title = _("Conflict with the current state")


class Gone(Conflict):
    """The row that was to be written does not exist any more."""


def field_errors(error: ValidationError, pointers: Mapping[str, str] | None = None) -> list[FieldError]:
    """The wrong fields that Django's validation found; `pointers` gives a field's place where it is not its name."""
    pointers = pointers or {}
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    return [
        FieldError(
            pointers.get(name, "" if name in ("", "__all__") else f"/{name}"), one.code or "invalid", _sentence(one)
        )
        for name, errors in by_field.items()
        for one in errors
    ]


def _sentence(error: ValidationError) -> str:
    return " ".join(str(message) for message in error.messages)

"""Reading path and query parameters: what does not fit is an error that names the parameter."""

import difflib
import re
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from api.errors import BadBody, BadParameters
from hierarchy.column_types import is_int64
from hierarchy.errors import FieldError

WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
# More would help nobody, and looking for the nearest name takes its time.
_MOST_ERRORS = 20


def wrong(name: str, code: str, detail: str, kind: type[BadParameters] = BadParameters) -> BadParameters:
    """The error for one parameter."""
    return kind(f"{name}: {detail}", errors=[FieldError(name, code, detail)])


def refuse_wrong(errors: list[FieldError], kind: type[BadParameters] = BadParameters) -> None:
    """Raise one error for all parameters that are wrong, if any is."""
    if errors:
        raise kind("; ".join(f"{error.pointer}: {error.detail}" for error in errors[:5]), errors=errors)


@contextmanager
def collected(errors: list[FieldError]) -> Iterator[None]:
    """Put what is wrong with a parameter to `errors`, so that all is said at once."""
    try:
        yield
    except BadParameters as error:
        errors += error.errors


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the one of `known` that must have been meant, as words that follow a sentence; empty without one."""
    # What is not alike in most letters was not a slip; upper and lower case are the usual one.
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name[:100].casefold(), folded, n=1, cutoff=0.7)
    return _(" Did you mean %s?") % folded[near[0]] if near else ""


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What is wrong with the name of a key that an object does not have."""
    hint = did_you_mean(key, known) or _(" Choose of %s.") % ", ".join(known)
    return _("Unknown key %s.") % key[:100] + hint


def read_number(text: str, least: int, most: int) -> int:
    """A whole number of a range; raises ValidationError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        detail = _("Must be an integer from %(least)d to %(most)d.") % {"least": least, "most": most}
        raise ValidationError(detail, code="out_of_range")
    return int(text)


def number(request: HttpRequest, name: str, usual: int, least: int, most: int) -> int:
    """A parameter that is a whole number of a range, or `usual` when it is not given; raises BadParameters."""
    try:
        return read_number(request.GET.get(name, str(usual)), least, most)
    except ValidationError as error:
        raise wrong(name, "out_of_range", str(error.message)) from None


def parse_id(text: str) -> int:
    """The id that a text is; raises ValidationError for anything that cannot be one."""
    if not WHOLE_NUMBER.fullmatch(text) or not is_int64(int(text)):
        raise ValidationError(_("Must be an integer of at most 19 digits."), code="not_an_id")
    return int(text)


def row_id(name: str, text: str) -> int:
    """The id in a path; raises BadParameters for anything that cannot be one."""
    try:
        return parse_id(text)
    except ValidationError as error:
        raise wrong(name, "not_an_id", str(error.message)) from None


def text_id(name: str, text: str, longest: int) -> str:
    """A textual id in a path; raises BadParameters for one that no row can have."""
    if len(text) > longest or not text.isprintable():
        raise wrong(name, "not_an_id", _("Must have at most %d printable characters.") % longest)
    return text


def body_ids(body: Any, name: str, most: int) -> list[int]:
    """The ids in a body `{name: [...]}`; raises BadBody for anything else, naming each wrong one."""
    if not isinstance(body, dict) or set(body) != {name} or not isinstance(body[name], list):
        raise BadBody(_('Must be an object with one list of ids, as in {"%s": [1, 2]}.') % name)
    ids = body[name]
    errors = [
        FieldError(f"/{name}/{index}", "not_an_id", _("Must be an integer of at most 19 digits."))
        for index, one in enumerate(ids)
        if type(one) is not int or not is_int64(one)
    ]
    if len(ids) > most:
        errors.append(FieldError(f"/{name}", "too_many", _("Must have at most %d ids.") % most))
    if errors:
        raise BadBody("; ".join(f"{error.pointer}: {error.detail}" for error in errors[:5]), errors=errors[:100])
    return ids


def choice(request: HttpRequest, name: str, known: Collection[str], usual: str = "") -> str:
    """A parameter that is one of `known`, or `usual` when it is not given."""
    text = request.GET.get(name)
    if text is None:
        return usual
    if text not in known:
        raise wrong(name, "unknown", _("Must be one of %s.") % ", ".join(known) + did_you_mean(text, known))
    return text


def check_names(
    request: HttpRequest,
    known: Collection[str],
    repeatable: Container[str] = (),
    kind: type[BadParameters] = BadParameters,
) -> None:
    """Refuse query parameters that do not exist here, or are repeated and not `repeatable`."""
    errors: list[FieldError] = []
    for name, values in request.GET.lists():
        if len(errors) == _MOST_ERRORS:
            break
        if name not in known:
            detail = _("Unknown parameter.") + did_you_mean(name, known)
            errors.append(FieldError(name[:100], "unknown", detail))
        elif len(values) > 1 and name not in repeatable:
            errors.append(FieldError(name, "repeated", _("Must be given once only.")))
    refuse_wrong(errors, kind)


def switch(request: HttpRequest, name: str, kind: type[BadParameters] = BadParameters) -> bool:
    """A parameter that is true or false, in any case; false when it is not given."""
    value = request.GET.get(name, "false").lower()
    if value not in ("true", "false"):
        raise wrong(name, "not_a_boolean", _("Must be true or false."), kind)
    return value == "true"

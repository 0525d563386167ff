"""Reading path and query parameters: what does not fit is an error that names the parameter."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from api.errors import BadBody, BadParameters
from hierarchy.column_types import is_int64
from hierarchy.errors import FieldError

WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
# How many objects a page of a list has, and how many it may have.
USUAL_LIMIT = 100
MOST = 1000
# More would help nobody, and looking for the nearest name takes its time.
_MOST_ERRORS = 20


def wrong(name: str, code: str, detail: str, kind: type[BadParameters] = BadParameters) -> BadParameters:
    """The error for one parameter."""
    return kind(f"{name}: {detail}", errors=[FieldError(name, code, detail)])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the one of `known` that must have been meant, as words that follow a sentence; empty without one."""
    # What is not alike in most letters was not a slip; upper and lower case are the usual one.
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name[:100].casefold(), folded, n=1, cutoff=0.7)
    return _(" Did you mean %s?") % folded[near[0]] if near else ""


def read_number(text: str, least: int, most: int) -> int:
    """A whole number of a range; raises ValidationError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        detail = _("Must be a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
        raise ValidationError(detail, code="out_of_range")
    return int(text)


def number(request: HttpRequest, name: str, usual: int, least: int, most: int) -> int:
    """A parameter that is a whole number of a range, or `usual` when it is not given; raises BadParameters."""
    try:
        return read_number(request.GET.get(name, str(usual)), least, most)
    except ValidationError as error:
        raise wrong(name, "out_of_range", str(error.message)) from None


def row_id(name: str, text: str) -> int:
    """The id in a path; raises BadParameters for anything that cannot be one."""
    if not WHOLE_NUMBER.fullmatch(text) or not is_int64(int(text)):
        raise wrong(name, "not_an_id", _("Must be a whole number of at most 19 digits."))
    return int(text)


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
        FieldError(f"/{name}/{index}", "not_an_id", _("Must be a whole number of at most 19 digits."))
        for index, one in enumerate(ids)
        if type(one) is not int or not is_int64(one)
    ]
    if len(ids) > most:
        errors.append(FieldError(f"/{name}", "too_many", _("Must have at most %d ids.") % most))
    if errors:
        raise BadBody("; ".join(f"{error.pointer}: {error.detail}" for error in errors[:5]), errors=errors[:100])
    return ids


def check_names(request: HttpRequest, known: Iterable[str], kind: type[BadParameters] = BadParameters) -> None:
    """Refuse query parameters that do not exist here, or stand there twice."""
    known = list(known)
    errors: list[FieldError] = []
    for name, values in request.GET.lists():
        if len(errors) == _MOST_ERRORS:
            break
        if name not in known:
            detail = _("There is no such parameter here.") + did_you_mean(name, known)
            errors.append(FieldError(name[:100], "unknown", detail))
        elif len(values) > 1:
            errors.append(FieldError(name, "repeated", _("Must be given once only.")))
    if errors:
        raise kind("; ".join(f"{error.pointer}: {error.detail}" for error in errors[:5]), errors=errors)


def switch(request: HttpRequest, name: str, kind: type[BadParameters] = BadParameters) -> bool:
    """A parameter that is true or false, in any case; false when it is not given."""
    value = request.GET.get(name, "false").lower()
    if value not in ("true", "false"):
        raise wrong(name, "not_a_boolean", _("Must be true or false."), kind)
    return value == "true"

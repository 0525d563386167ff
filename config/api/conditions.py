"""Conditional requests (RFC 9110, section 13): who names a version reads or writes that version, or nothing."""

import re

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request

from config.api.errors import Problem
from config.api.parameters import wrong

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*(?:{_TAG}\s*,\s*)*{_TAG}\s*")


class PreconditionFailed(Problem):
    """The object is not in the version that the request names."""

    status = status.HTTP_412_PRECONDITION_FAILED
    code = "precondition-failed"
    title = "Precondition failed"


def entity_tag(version: int, state: str = "") -> str:
    """The tag of an object: its version and, where it has one, the state that is reported and no edit."""
    return f'"{version}-{state}"' if state else f'"{version}"'


def check_writing(request: Request, version: int | None) -> None:
    """Refuse to write an object that is not in the version that `If-Match` names; None is no object.

    Only the version counts, not what was reported meanwhile. Raises PreconditionFailed.
    """
    wanted = _named(request, "If-Match")
    if wanted is not None and (version is None or ("*" not in wanted and not _is_among(version, wanted))):
        raise PreconditionFailed(_("It is not in this version any more: load it again and repeat your change."))
    unwanted = _named(request, "If-None-Match")
    if unwanted is not None and version is not None and ("*" in unwanted or _is_among(version, unwanted)):
        raise PreconditionFailed(_("It is there already, in this version."))


def is_known(request: Request, tag: str) -> bool:
    """Whether the asker has the object as it is: `If-None-Match` names its tag. Raises PreconditionFailed."""
    wanted = _named(request, "If-Match")
    if wanted is not None and "*" not in wanted and tag not in wanted:
        raise PreconditionFailed(_("It is not in this version any more."))
    known = _named(request, "If-None-Match") or []
    return "*" in known or tag in [one.removeprefix("W/") for one in known]


def _is_among(version: int, tags: list[str]) -> bool:
    """Whether one of `tags` is of this version. Weak ones never are."""
    return any(tag.strip('"').partition("-")[0] == str(version) for tag in tags if not tag.startswith("W/"))


def _named(request: Request, header: str) -> list[str] | None:
    """The tags in a header, `*` among them; None when it is not there."""
    text = request.headers.get(header)
    if text is None:
        return None
    if text.strip() == "*":
        return ["*"]
    if not _TAGS.fullmatch(text):
        raise wrong(header, "not_a_tag", _('Must be * or tags in quotation marks, as in "3".'))
    return re.findall(_TAG, text)

"""Conditional requests (RFC 9110, section 13): who names a version reads or writes that version, or nothing."""

import functools
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpResponseNotModified
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request

from api.errors import Problem
from api.parameters import wrong
from api.schema import tag_parameter
from hierarchy.db import snapshot
from hierarchy.revision import network_tag

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
        raise PreconditionFailed(_("The object has a newer version. Load it again and repeat your change."))
    unwanted = _named(request, "If-None-Match")
    if unwanted is not None and version is not None and ("*" in unwanted or _is_among(version, unwanted)):
        raise PreconditionFailed(_("The object already exists in this version."))


def is_known(request: Request, tag: str) -> bool:
    """Whether the asker has the object as it is: `If-None-Match` names its tag. Raises PreconditionFailed."""
    wanted = _named(request, "If-Match")
    if wanted is not None and "*" not in wanted and tag not in wanted:
        raise PreconditionFailed(_("The object has a newer version."))
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


def tagged(get: Callable[..., Any]) -> Callable[..., Any]:
    """Tag the answers of a view's `get` that reads the network and nothing else, not even the time.

    Who has the answer already gets 304, before anything of the network is read.
    """

    @functools.wraps(get)
    def read(view: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        with snapshot():
            tag = network_tag(view.scope, request.get_full_path())
            if tag in request.headers.get("If-None-Match", "") and is_known(request, tag):
                return HttpResponseNotModified(headers={"ETag": f"W/{tag}"})
            response = get(view, request, *args, **kwargs)
        # `*`, and If-Match, ask for what is there: only now it is known that something is.
        if is_known(request, tag):
            return HttpResponseNotModified(headers={"ETag": f"W/{tag}"})
        response.headers["ETag"] = f"W/{tag}"
        return response

    return extend_schema(parameters=_PARAMETERS)(read)


_PARAMETERS = [
    tag_parameter("If-None-Match", "The ETag of the answer that you have already."),
    OpenApiParameter(
        "ETag",
        str,
        OpenApiParameter.HEADER,
        description="Changes whenever the answer may have changed.",
        response=[200, 304],
    ),
]

"""Reading the body of a request with a serializer: every wrong value at once, each by its JSON pointer."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from api.errors import BadBody
from api.parameters import did_you_mean
from hierarchy.errors import FieldError

# More would help nobody, and a body of garbage would be answered by one many times its size.
_MOST_ERRORS = 100


def read_items(
    serializer: type[serializers.Serializer[Any]], body: Any, most: int, context: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The validated items of a body that is one object or a list of at most `most`; raises BadBody."""
    items = body if isinstance(body, list) else [body]
    if len(items) > most:
        raise BadBody(_("Must have at most %d items; these are %d.") % (most, len(items)))
    errors: list[FieldError] = []
    read = []
    reader = serializer(context=context or {})
    reader.error_messages |= dict.fromkeys(("invalid", "null"), _("Must be an object."))
    for place, item in zip(places(body), items, strict=True):
        errors += _unknown(reader, item, place)
        try:
            read.append(reader.run_validation(item))
        except serializers.ValidationError as error:
            errors += _flatten(error.detail, place)
        if len(errors) > _MOST_ERRORS:
            break
    refuse(errors, is_of_items=isinstance(body, list))
    return read


def places(body: Any) -> list[str]:
    """Where each item of a body stands: nowhere particular when it is one object."""
    return [f"/{index}" for index in range(len(body))] if isinstance(body, list) else [""]


def refuse(errors: list[FieldError], is_of_items: bool = False) -> None:
    """Raise BadBody if there are any errors, of one object or of items of a list."""
    if errors:
        shown = errors[:_MOST_ERRORS]
        problem = BadBody(sentences(shown), errors=shown)
        problem.is_of_items = is_of_items
        raise problem


def sentences(errors: list[FieldError]) -> str:
    """What is wrong, the first few of many, each after its place."""
    return "; ".join(f"{error.pointer}: {error.detail}" if error.pointer else error.detail for error in errors[:5])


def _unknown(reader: Any, item: Any, place: str) -> Iterator[FieldError]:
    known = list(reader.fields)
    unknown = [name for name in item if name not in known] if isinstance(item, dict) else []
    for name in unknown[: _MOST_ERRORS + 1]:
        detail = _("Unknown key.") + did_you_mean(name, known)
        yield FieldError(f"{place}/{_escaped(name)}", "unknown", detail)


def _flatten(errors: Any, place: str) -> Iterator[FieldError]:
    if isinstance(errors, dict):
        for name, inner in errors.items():
            here = name in ("non_field_errors", "__all__")
            yield from _flatten(inner, place if here else f"{place}/{_escaped(name)}")
    elif isinstance(errors, list):
        for index, inner in enumerate(errors):
            yield from _flatten(inner, place if isinstance(inner, str) else f"{place}/{index}")
    else:
        yield FieldError(place, getattr(errors, "code", "invalid"), str(errors))


def _escaped(name: Any) -> str:
    """A key in a JSON pointer (RFC 6901)."""
    return str(name)[:100].replace("~", "~0").replace("/", "~1")

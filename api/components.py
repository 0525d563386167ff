"""What the OpenAPI document says more than once, said once: in its components."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple


class _Place(NamedTuple):
    """Where something stands, and what it would be called among the components."""

    holder: Any
    key: Any
    name: str


def share(document: dict[str, Any]) -> None:
    """Let operations refer to the headers, answers, parameters and examples that others have too.

    Of different ones that would have the same name the commonest has it; the others stay where they are.
    """
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for kind, find in (("headers", _headers), ("examples", _examples), ("responses", _failures)):
        _put(document, kind, [place for operation in operations for place in find(operation)])
    _put(document, "parameters", [place for operation in operations for place in _parameters(operation)])


def _headers(operation: dict[str, Any]) -> Iterator[_Place]:
    for response in operation["responses"].values():
        for name in response["headers"]:
            yield _Place(response["headers"], name, name)


def _examples(operation: dict[str, Any]) -> Iterator[_Place]:
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        for described in body.get("content", {}).values():
            for name in described.get("examples", ()):
                yield _Place(described["examples"], name, name)


def _failures(operation: dict[str, Any]) -> Iterator[_Place]:
    for status in operation["responses"]:
        if status >= "300":
            yield _Place(operation["responses"], status, f"Status{status}")


def _parameters(operation: dict[str, Any]) -> Iterator[_Place]:
    parameters = operation.get("parameters", [])
    for index, parameter in enumerate(parameters):
        yield _Place(parameters, index, f"{parameter['in']}.{parameter['name']}")


def _put(document: dict[str, Any], kind: str, places: list[_Place]) -> None:
    said = [(place.name, json.dumps(place.holder[place.key])) for place in places]
    commonest: dict[str, str] = {}
    for (name, text), count in Counter(said).most_common():
        if count > 1:
            commonest.setdefault(name, text)
    for place, (name, text) in zip(places, said, strict=True):
        if commonest.get(name) == text and "$ref" not in place.holder[place.key]:
            shared = document["components"].setdefault(kind, {})
            shared[name] = place.holder[place.key]
            place.holder[place.key] = {"$ref": f"#/components/{kind}/{name}"}

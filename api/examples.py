"""Examples for the OpenAPI document, made of what it says, where nobody wrote one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.flat import FlatSerializer

_BY_FORMAT = {"date-time": "2026-06-01T12:00:00Z", "uri": "https://example.org/"}
_BY_TYPE: dict[str, Any] = {"string": "", "integer": 1, "number": 52.0907, "boolean": False, "null": None}
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array"}


def add_examples(document: dict[str, Any]) -> None:
    """Give every JSON body of the document that has no example one of each kind that it can be."""
    maker = _Maker(document["components"]["schemas"])
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = [answer for status, answer in operation["responses"].items() if status < "300"]
            for described in (operation.get("requestBody", {}), *answers):
                body = described.get("content", {}).get("application/json")
                if body and "examples" not in body:
                    made = {name: {"value": value} for name, value in maker.examples(body["schema"])}
                    body |= {"examples": made} if made else {}


class _Maker:
    """Makes values that schemas allow, with the samples of flat objects where a key is theirs."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas
        self._kinds = [kind for _name, kind in sorted(FlatSerializer.kinds.items())]
        # What a key says in one kind, it says in all that do not say otherwise.
        self._shared = {key: value for kind in self._kinds for key, value in kind.sample.items()}

    def examples(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """An example of each component that a body can be, with the name of that."""
        if "items" in schema:
            for name, value in self.examples(schema["items"]):
                yield f"{name}List", [value]
        elif "$ref" in schema and "oneOf" not in self._schemas[_name(schema)]:
            yield _name(schema), self._example(schema)
        else:
            for choice in self._schemas.get(_name(schema), schema).get("oneOf", ()):
                yield from self.examples(choice)

    def _example(self, schema: Mapping[str, Any], above: tuple[str, ...] = ()) -> Any:
        """`above` are the components in which it stands; one stands in itself only once."""
        if "$ref" in schema:
            return self._example(self._schemas[_name(schema)], (*above, _name(schema)))
        for choice in ("oneOf", "anyOf", "allOf"):
            if choice in schema:
                return self._example(schema[choice][0], above)
        kinds = _types(schema)
        if "object" in kinds:
            return self._object(schema.get("properties", {}), above)
        if "array" in kinds:
            inner = schema["items"]
            is_of_texts = "string" in _types(inner) and not schema.get("minItems")
            return [] if is_of_texts or schema.get("maxItems") == 0 else [self._example(inner, above)]
        if "enum" in schema:
            return schema["enum"][0]
        return None if "null" in kinds else _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE[kinds[0]])

    def _object(self, properties: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
        kind = max(self._kinds, key=lambda kind: len(kind.all_fields().keys() & properties.keys()))
        sample = self._shared | dict(kind.sample)
        lists = {key: name for key, one in properties.items() if (name := _name(one.get("items", {})))}
        below = {key for key, name in lists.items() if name in above[-1:]}
        if below and above[-1] in above[:-1]:
            sample |= {key: [] for key in below}
        elif below:
            # It holds one of its own kind and nothing else: what there can be is in that one.
            sample |= {**kind.sample_above, **{key: [] for key in lists.keys() - below}}
        return {key: self._value(sample.get(key), one, above) for key, one in properties.items()}

    def _value(self, sample: Any, schema: Mapping[str, Any], above: tuple[str, ...]) -> Any:
        fits = _JSON_TYPES.get(type(sample)) in _types(schema) and sample in schema.get("enum", [sample])
        return sample if fits else self._example(schema, above)


def _name(schema: Mapping[str, Any]) -> str:
    """The component to which a schema refers, if it does."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _types(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [] if {"$ref", "oneOf", "anyOf", "allOf"} & set(schema) else "object")
    return [kinds] if isinstance(kinds, str) else list(kinds)

"""The OpenAPI document as `docs/openapi.json` keeps it: `python -m tests.openapi` writes it again."""

import json
import os
from pathlib import Path
from typing import Any

SNAPSHOT = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def described() -> dict[str, Any]:
    """What the API says of itself."""
    from drf_spectacular.generators import SchemaGenerator

    document: Any = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(document))


def resolved(document: dict[str, Any], value: Any) -> Any:
    """The value, or the component to which it refers."""
    if "$ref" not in value:
        return value
    _here, _components, kind, name = value["$ref"].split("/")
    return document["components"][kind][name]


def text_of(document: Any) -> str:
    """In the order in which the API says it, which is the contract's, and in lines, for those who compare."""
    return _text(document, "") + "\n"


def _text(value: Any, indent: str) -> str:
    """What fits into a line is in one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= 100 or not isinstance(value, dict | list):
        return line
    inner = indent + " "
    if isinstance(value, list):
        opening, parts, closing = "[", [_text(one, inner) for one in value], "]"
    else:
        opening, closing = "{", "}"
        parts = [f"{json.dumps(key)}: {_text(one, inner)}" for key, one in value.items()]
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    SNAPSHOT.write_text(text_of(described()), encoding="utf-8")

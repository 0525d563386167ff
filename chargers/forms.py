"""Form fields for lists and properties of a charger, with one item per line."""

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

_BREAKS = re.compile("\r\n|\r|\n")
_PLAIN = re.compile(r"[^\s\"=](?:[^\r\n\t\x85\u2028\u2029=]*[^\s=])?")
_PLAIN_VALUE = re.compile(r"[^\s\"](?:[^\r\n\t\x85\u2028\u2029]*\S)?")


def written(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    """A string as it is written on a line: quoted as in JSON where it would be ambiguous."""
    return text if plain.fullmatch(text) else json.dumps(text)


def _read(text: str, line: int) -> tuple[str, str]:
    """The string at the beginning of `text`, and the rest. Unquoted strings end at `=` or with the line."""
    if not text.startswith('"'):
        name, separator, rest = text.partition("=")
        return name.strip(), separator + rest
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        raise ValidationError(
            _('Line %(line)s has an unclosed quotation mark. Write it as in "a = b".'),
            code="quotation",
            params={"line": line},
        ) from error
    return value, text[end:].strip()


def _value(text: str, line: int) -> str:
    if not text.startswith('"'):
        return text
    value, rest = _read(text, line)
    if rest:
        raise ValidationError(
            _('Line %(line)s continues after the closing quotation mark. Write a quotation mark inside as \\".'),
            code="quotation",
            params={"line": line},
        )
    return value


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in enumerate(_BREAKS.split(text), start=1) if line.strip()]


class LinesField(forms.CharField):
    """A list of strings, one per line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(written(item, _PLAIN_VALUE) for item in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [_value(line, number) for number, line in _lines(super().to_python(value) or "")]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _changed(self, initial or [], data)


class PropertiesField(forms.CharField):
    """Names with string values, one `name = value` per line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(
            f"{written(name)} = {written(text, _PLAIN_VALUE) if text else ''}".rstrip()
            for name, text in sorted(value.items())
        )

    def to_python(self, value: Any) -> Any:
        if isinstance(value, dict):
            return value
        properties: dict[str, str] = {}
        for number, line in _lines(super().to_python(value) or ""):
            name, rest = _read(line, number)
            if not rest.startswith("="):
                raise ValidationError(
                    _("Line %(line)s has no value. Write it as name = value."),
                    code="properties",
                    params={"line": number},
                )
            if name in properties:
                raise ValidationError(
                    _("Line %(line)s: duplicate name %(name)s. Keep one of the two lines."),
                    code="properties",
                    params={"line": number, "name": name},
                )
            properties[name] = _value(rest[1:].strip(), number)
        return properties

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _changed(self, initial or {}, data)


def _changed(field: forms.Field, initial: Any, data: Any) -> bool:
    try:
        return bool(field.to_python(data) != initial)
    except ValidationError:
        return True

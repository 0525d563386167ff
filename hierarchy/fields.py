"""Model fields that make a rule of the product hold on every database alike."""

import datetime
import math
import re
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from hierarchy.text import comparison_key

# Control characters (NUL among them, which PostgreSQL cannot store) and lone surrogates (which UTF-8 cannot).
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_BREAKS = re.compile("[\r\n\t\x85\u2028\u2029]")
# Overrides, embeddings and isolates: they can turn around what stands after the text, and no name needs them.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def validate_text(value: str) -> None:
    """Refuse characters that a database or a client could not carry."""
    found = _UNPRINTABLE.search(value)
    if found:
        raise ValidationError(
            _("Contains the character U+%(code)s at position %(position)s, which cannot be stored. Remove it."),
            code="unprintable",
            params={"code": f"{ord(found.group()):04X}", "position": found.start() + 1},
        )


def validate_line(value: str) -> None:
    """Refuse line breaks, tabs and changes of direction as well: for names, ids and all else that is one line."""
    validate_text(value)
    found = _LINE_BREAKS.search(value)
    if found:
        raise ValidationError(
            _("Contains a line break or tab at position %(position)s. Write it on one line."),
            code="line_break",
            params={"position": found.start() + 1},
        )
    found = _DIRECTIONS.search(value)
    if found:
        raise ValidationError(
            _("Contains the invisible character U+%(code)s at position %(position)s, which reverses text. Remove it."),
            code="direction",
            params={"code": f"{ord(found.group()):04X}", "position": found.start() + 1},
        )


def validate_not_blank(value: str) -> None:
    if not value.strip():
        raise ValidationError(_("Must not be blank."), code="blank")


def validate_finite(value: float) -> None:
    if not math.isfinite(value):
        raise ValidationError(_("Must be an ordinary number."), code="not_finite")


# Django's fields are generic for the type checker alone.
if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
    _OptionalCharField = models.CharField[str | None, str | None]
    _DateTimeField = models.DateTimeField[Any, Any]
else:
    _CharField = _OptionalCharField = models.CharField
    _DateTimeField = models.DateTimeField


class LineField(_CharField):
    """One line of text that is never null: no value is the empty string, as on the wire."""

    default_validators = [validate_line]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        super().__init__(*args, **kwargs)


class OptionalLineField(_OptionalCharField):
    """One line of text where no value is NULL and never the empty string, as on the wire."""

    default_validators = [validate_line]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(null=True, blank=True)
        kwargs.setdefault("max_length", 255)
        kwargs.setdefault("default", None)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value) or None

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value) or None

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname) or None
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("null", "blank"):
            kwargs.pop(implied, None)
        if kwargs.get("default", ...) is None:
            del kwargs["default"]
        return name, path, args, kwargs


class NameField(LineField):
    """What a person calls a thing: one line that says something."""

    default_validators = [validate_line, validate_not_blank]


class KeyField(_CharField):
    """The stored comparison key of another text column: it carries uniqueness and order.

    Compared byte by byte on every database, which is the order of code points, as Python sorts text.
    """

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        kwargs.update(editable=False, blank=True, default="")
        # Case folding makes up to three characters of one.
        kwargs.setdefault("max_length", 800)
        super().__init__(*args, **kwargs)

    def key(self, value: str) -> str:
        return comparison_key(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = self.key(getattr(model_instance, self.of) or "")
        setattr(model_instance, self.attname, value)
        return value

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        parameters["collation"] = "C" if connection.vendor == "postgresql" else None
        return parameters

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("editable", "blank", "default"):
            kwargs.pop(implied, None)
        return name, path, args, {**kwargs, "of": self.of}


class TimestampField(_DateTimeField):
    """A moment in UTC, stored to the millisecond.

    `sentinel` is the moment that stands for "none" on the wire: it is stored as NULL.
    """

    def __init__(self, *args: Any, sentinel: datetime.datetime | None = None, **kwargs: Any) -> None:
        self.sentinel = sentinel
        super().__init__(*args, **kwargs)

    def _stored(self, value: Any) -> Any:
        if not isinstance(value, datetime.datetime):
            return value
        if self.sentinel and value.replace(microsecond=0) == self.sentinel:
            return None
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC)
        return value.replace(microsecond=value.microsecond // 1000 * 1000)

    def to_python(self, value: Any) -> Any:
        try:
            return self._stored(super().to_python(value))
        except OverflowError as error:
            raise ValidationError(_("Out of range."), code="out_of_range") from error

    def get_prep_value(self, value: Any) -> Any:
        return self._stored(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self._stored(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.sentinel:
            kwargs["sentinel"] = self.sentinel
        return name, path, args, kwargs


NEVER_EXPIRES = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
NEVER_HAPPENED = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)

"""Lists of flat objects: pages, order, filters and the choice of keys.

A page ends with a cursor that names the last row by the columns of the order, so that rows which come and go
meanwhile neither repeat nor hide others, and the last page costs what the first does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_filters import Filter, FilterSet  # type: ignore[import-untyped]
from drf_spectacular.utils import OpenApiParameter

from api.errors import BadParameters
from api.flat import FlatSerializer
from api.parameters import MOST, USUAL_LIMIT, did_you_mean, read_number, wrong
from api.rendering import Document
from hierarchy.errors import FieldError
from hierarchy.timestamps import TIMESTAMP_EXPECTED, parse_timestamp

_SALT = "chargetree.cursor"
_NOTHING = Q(pk__in=[])


class _Read(forms.Field):
    """The value of a parameter, as `read` makes it of the text; None where it is not given."""

    widget = forms.TextInput

    def __init__(self, read: Callable[[str], Any], **kwargs: Any) -> None:
        self.read = read
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        return (self.read(value),) if value is not None else None


class Parameter(Filter):
    """A parameter of a list: `read` makes its value, or raises ValidationError; `condition` makes the filter of it."""

    field_class = _Read

    def __init__(
        self,
        read: Callable[[str], Any],
        description: str,
        condition: Callable[[Any], Q] | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(label="", read=read)
        self.condition = condition
        self.description = description
        self.schema = dict(schema or {"type": "string"})

    def __deepcopy__(self, memo: Any) -> Parameter:
        return copy.copy(self)

    def filter(self, rows: QuerySet[Any], value: tuple[Any] | None) -> QuerySet[Any]:
        return rows.filter(self.condition(value[0])) if self.condition and value is not None else rows


class _Parameters(FilterSet):
    """The parameters of one request, and the scope in which they hold."""

    known: ClassVar[Mapping[str, Parameter]]

    def __init__(self, request: HttpRequest, rows: QuerySet[Any], scope: Any) -> None:
        self.scope = scope
        # Only those that were given: a form of all of them costs more than reading the page.
        self.base_filters = {name: one for name, one in self.known.items() if name in request.GET}
        super().__init__(request.GET, rows)
        if not self.is_valid():
            errors = [
                FieldError(name, one.code or "invalid", " ".join(one.messages))
                for name, found in self.errors.as_data().items()
                for one in found
            ]
            raise BadParameters("; ".join(f"{error.pointer}: {error.detail}" for error in errors), errors=errors)

    def value(self, name: str, default: Any = None) -> Any:
        given = self.form.cleaned_data.get(name)
        return given[0] if given is not None else default


class _By(NamedTuple):
    """One column of an order. Where there is nothing comes last; turned round, first."""

    path: str
    column: Any
    is_descending: bool = False

    @property
    def is_nullable(self) -> bool:
        return bool(self.column.null)

    @property
    def expression(self) -> Any:
        if not self.is_nullable:
            return f"-{self.path}" if self.is_descending else self.path
        return F(self.path).desc(nulls_first=True) if self.is_descending else F(self.path).asc(nulls_last=True)

    def same(self, value: Any) -> Q:
        return _has(self.path, "exact", value)

    def beyond(self, value: Any) -> Q:
        """The rows that come after `value`."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if self.is_descending else _NOTHING
        if self.is_descending:
            return Q(**{f"{self.path}__lt": value})
        after = Q(**{f"{self.path}__gt": value})
        return after | Q(**{f"{self.path}__isnull": True}) if self.is_nullable else after

    def not_before(self, value: Any) -> Q:
        """What follows from coming after, said so that an index on the column is of use."""
        if self.is_nullable:
            return Q()
        return Q(**{f"{self.path}__{'lte' if self.is_descending else 'gte'}": value})


class Listing:
    """How the objects of one kind are listed; `extra` are parameters beside those that follow from the keys."""

    def __init__(self, serializer: type[FlatSerializer], extra: Mapping[str, Parameter] | None = None) -> None:
        self.document = Document(serializer)
        self._fields = serializer.all_fields()
        self._pk = _By("pk", serializer.model._meta.pk)
        self._orders = {
            key: _By(field.path, field.compared) for key, field in self._fields.items() if field.is_comparable
        }
        self.parameters = {**self._paging(), **self._filters(serializer), **(extra or {})}
        self._filter_set = type("Parameters", (_Parameters,), {"known": self.parameters})

    def page(self, request: HttpRequest, rows: Any, scope: Any) -> tuple[list[dict[str, Any]], str | None]:
        """The objects that the request asks for among `rows`, and the address of the next page. One statement."""
        asked = self._filter_set(request, rows, scope)
        order: Sequence[_By] = asked.value("ordering", (self._pk,))
        limit: int = asked.value("limit", USUAL_LIMIT)
        found = asked.qs.order_by(*(by.expression for by in order))
        cursor = asked.value("cursor")
        if cursor is not None:
            found = found.filter(_after(order, self._values(cursor, order)))
        columns = self.document.columns
        width = len(columns)
        read = list(found.values_list(*columns, *(by.path for by in order))[: limit + 1])
        items = [self.document.build(row) for row in read[:limit]]
        chosen = asked.value("fields")
        if chosen is not None:
            items = [{key: item[key] for key in chosen} for item in items]
        if len(read) <= limit:
            return items, None
        query = request.GET.copy()
        query["cursor"] = _sealed(order, read[limit - 1][width:])
        return items, request.build_absolute_uri(f"{request.path}?{query.urlencode()}")

    def _values(self, cursor: tuple[str, list[Any]], order: Sequence[_By]) -> list[Any]:
        made_for, values = cursor
        if made_for != _name(order):
            raise wrong("cursor", "other_order", _("Is of another order: begin at the first page."))
        return [None if value is None else by.column.to_python(value) for by, value in zip(order, values, strict=True)]

    def _paging(self) -> dict[str, Parameter]:
        return {
            "limit": Parameter(
                partial(read_number, least=1, most=MOST),
                f"How many objects a page has at most, 1 to {MOST}.",
                schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL_LIMIT},
            ),
            "cursor": Parameter(_opened, "Where the page begins: take it from `next`, and change nothing else."),
            "ordering": Parameter(
                self._ordering,
                "Keys by which to order, with commas between them, each turned round by `-`. "
                "Without it, objects come in the order in which they were made.",
                schema=_list_of({"type": "string", "enum": [sign + key for key in self._orders for sign in ("", "-")]}),
            ),
            "fields": Parameter(
                self._chosen,
                "The keys that each object has, with commas between them; all without.",
                schema=_list_of({"type": "string", "enum": list(self._fields)}),
            ),
        }

    def _filters(self, serializer: type[FlatSerializer]) -> dict[str, Parameter]:
        filters = {
            "updatedSince": Parameter(
                _moment,
                "Only what was created or changed at this moment or later.",
                lambda moment: Q(updated_at__gte=moment),
                {"type": "string", "format": "date-time"},
            )
        }
        searched = [field for field in self._fields.values() if field.compared is not field.model_field]
        if searched:
            names = ", ".join(str(field.field_name) for field in searched)
            filters["search"] = Parameter(
                _text,
                f"Only what has this text in one of: {names}. Case does not matter.",
                _containing(searched),
                {"type": "string", "maxLength": 255},
            )
        for key, field in self._fields.items():
            for lookup in field.lookups if field.is_comparable else ():
                name = key if lookup == "exact" else f"{key}__{lookup}"
                filters[name] = _key_filter(field, lookup)
        return filters

    def _ordering(self, text: str) -> list[_By]:
        order: list[_By] = []
        for name in text.split(","):
            key = name.removeprefix("-")
            if key not in self._orders:
                raise ValidationError(_unknown(key, self._orders), code="unknown")
            if self._orders[key].path in [by.path for by in order]:
                raise ValidationError(_("%s stands there twice.") % key, code="repeated")
            order.append(self._orders[key]._replace(is_descending=name.startswith("-")))
        return [*order, self._pk]

    def _chosen(self, text: str) -> list[str]:
        keys = text.split(",")
        for key in keys:
            if key not in self._fields:
                raise ValidationError(_unknown(key, self._fields), code="unknown")
        return [key for key in self._fields if key in keys]

    def described(self) -> list[OpenApiParameter]:
        """The parameters for the documentation."""
        return [
            OpenApiParameter(
                name,
                one.schema,
                OpenApiParameter.QUERY,
                description=one.description,
                explode=False if one.schema.get("type") == "array" else None,
            )
            for name, one in self.parameters.items()
        ]


_DESCRIPTIONS = {
    "exact": "Only with this value",
    "in": "Only with one of these values, with commas between them",
    "gte": "Only with this value or a greater one",
    "lte": "Only with this value or a smaller one",
    "lt": "Only with a smaller value",
}


def _key_filter(field: Any, lookup: str) -> Parameter:
    """The filter of a list by one key."""
    takes_null = field.model_field.null and lookup in ("exact", "in")
    read = partial(_or_null, field) if takes_null else field.parse
    description = _DESCRIPTIONS[lookup] + ("; `null` is none." if takes_null else ".")
    value = field.comparison_schema
    if lookup == "in":
        return Parameter(
            lambda text: [read(one) for one in text.split(",")],
            description,
            _among(field.path),
            _list_of(value),
        )
    return Parameter(read, description, lambda value: _has(field.path, lookup, value), value)


def _or_null(field: Any, text: str) -> Any:
    return None if text == "null" else field.parse(text)


def _list_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of values with commas between them."""
    return {"type": "array", "items": dict(item), "minItems": 1}


def _among(path: str) -> Callable[[list[Any]], Q]:
    def condition(values: list[Any]) -> Q:
        some = _has(path, "in", [value for value in values if value is not None])
        return some | _has(path, "exact", None) if None in values else some

    return condition


def _has(path: str, lookup: str, value: Any) -> Q:
    return Q(**{f"{path}__{lookup}": value}) if value is not None else Q(**{f"{path}__isnull": True})


def _containing(fields: Sequence[Any]) -> Callable[[str], Q]:
    def condition(text: str) -> Q:
        parts = [Q(**{f"{field.path}__contains": key}) for field in fields if (key := field.match(text))]
        return reduce(Q.__or__, parts) if parts else Q()

    return condition


def _after(order: Sequence[_By], values: Sequence[Any]) -> Q:
    """The rows that come after the one with these values."""
    after = _NOTHING
    for by, value in reversed(list(zip(order, values, strict=True))):
        after = by.beyond(value) | (by.same(value) & after)
    return order[0].not_before(values[0]) & after


def _name(order: Sequence[_By]) -> str:
    return ",".join(f"-{by.path}" if by.is_descending else by.path for by in order)


def _sealed(order: Sequence[_By], values: Sequence[Any]) -> str:
    texts = [value.isoformat() if hasattr(value, "isoformat") else value for value in values]
    return signing.dumps([_name(order), texts], salt=_SALT)


def _opened(text: str) -> Any:
    try:
        return signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        raise ValidationError(_("Is none of ours: take it from the answer before."), code="not_a_cursor") from None


def _text(text: str) -> str:
    if len(text) > 255 or not text.isprintable():
        code = "unprintable" if len(text) <= 255 else "too_long"
        raise ValidationError(_("Must have at most 255 printable characters."), code=code)
    return text


def _moment(text: str) -> Any:
    moment = parse_timestamp(text)
    if moment is None:
        raise ValidationError(TIMESTAMP_EXPECTED, code="invalid")
    return moment


def _unknown(key: str, known: Mapping[str, Any]) -> str:
    hint = did_you_mean(key, known) or _(" Choose of %s.") % ", ".join(known)
    return _("There is no key %s here.") % key[:100] + hint

"""Filters of lists: one FilterSet for each kind of flat object, declared from the object's keys.

Each filter describes itself for the OpenAPI document: `schema`, and its help text.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django_filters import BaseInFilter, Filter, FilterSet, ModelChoiceFilter  # type: ignore[import-untyped]
from django_filters.fields import ModelChoiceField  # type: ignore[import-untyped]
from django_filters.widgets import BaseCSVWidget  # type: ignore[import-untyped]
from drf_spectacular.utils import OpenApiParameter

from api.flat import FlatSerializer
from api.ordering import OrderColumn, is_value
from api.parameters import parse_id, unknown_key
from api.schema import described_parameter, list_schema
from hierarchy.errors import FieldError
from hierarchy.models import Site
from hierarchy.scoping import Scope, Scoped

_LONGEST_SEARCH = 255

_DESCRIPTIONS = {
    "exact": "Only with this value",
    "in": "Only with one of these values, separated by commas or with the parameter repeated",
    "gte": "Only with this value or a greater one",
    "lte": "Only with this value or a smaller one",
    "lt": "Only with a smaller value",
}


class DescribedFilter(Filter):
    """A filter with the JSON schema of its parameter."""

    def __init__(self, field_name: str, lookup_expr: str, schema: Mapping[str, Any], **extra: Any) -> None:
        super().__init__(field_name, lookup_expr, label="", **extra)
        self.schema = dict(schema)

    @property
    def is_list(self) -> bool:
        """Whether the parameter takes several values, and may be repeated."""
        return self.schema.get("type") == "array"

    def __deepcopy__(self, memo: Any) -> Self:
        # Each set has filters of its own; the keys and columns they were made of are shared.
        copied = copy.copy(self)
        copied.extra = dict(self.extra)
        return copied


class ListInput(BaseCSVWidget, forms.TextInput):
    """Values with commas between them, in one parameter or in several of the same name."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for text in data.getlist(name) for value in text.split(",")]


class KeyValue(forms.Field):
    """A value that a key is compared with, as the key parses it."""

    widget = forms.TextInput

    def __init__(self, *, key: Any, takes_null: bool, **options: Any) -> None:
        self.key = key
        self.takes_null = takes_null
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        return None if self.takes_null and value == "null" else self.key.parse(value)


class KeyFilter(DescribedFilter):
    """Rows by one key of their flat objects. Where the key can be null, null is one of its values."""

    field_class = KeyValue

    def __init__(self, key: Any, lookup_expr: str, help_text: str = "", **extra: Any) -> None:
        takes_null = key.model_field.null and lookup_expr in ("exact", "in")
        help_text = help_text or _DESCRIPTIONS[lookup_expr] + ("; `null` is none." if takes_null else ".")
        schema = key.comparison_schema
        super().__init__(key.path, lookup_expr, schema, help_text=help_text, key=key, takes_null=takes_null, **extra)

    def filter(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows.filter(is_value(self.field_name, value, self.lookup_expr))


class KeyInFilter(BaseInFilter, KeyFilter):
    """Rows whose key has one of several values."""

    def __init__(self, key: Any) -> None:
        super().__init__(key, lookup_expr="in", help_text="", widget=ListInput)
        self.schema = list_schema(self.schema)

    def filter(self, rows: QuerySet[Any], values: list[Any]) -> QuerySet[Any]:
        some = Q(**{f"{self.field_name}__in": [value for value in values if value is not None]})
        return rows.filter(some | is_value(self.field_name, None) if None in values else some)


class SearchText(forms.Field):
    widget = forms.TextInput

    def to_python(self, value: Any) -> str:
        if len(value) > _LONGEST_SEARCH or not value.isprintable():
            code = "unprintable" if len(value) <= _LONGEST_SEARCH else "too_long"
            raise ValidationError(_("Must have at most 255 printable characters."), code=code)
        return value


class SearchFilter(DescribedFilter):
    """Rows that contain a string in one of several keys, ignoring case."""

    field_class = SearchText

    def __init__(self, keys: Mapping[str, Any]) -> None:
        super().__init__(
            "",
            "contains",
            {"type": "string", "maxLength": _LONGEST_SEARCH},
            help_text=f"Only what has this text in one of: {', '.join(keys)}. Case does not matter.",
        )
        self.keys = list(keys.values())

    def filter(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        parts = [Q(**{f"{key.path}__contains": part}) for key in self.keys if (part := key.match(text))]
        return rows.filter(reduce(Q.__or__, parts)) if parts else rows


class OrderKeys(forms.Field):
    """The keys of an order, each of them descending with `-` in front."""

    widget = ListInput

    def __init__(self, *, columns: Mapping[str, OrderColumn], **options: Any) -> None:
        self.columns = columns
        super().__init__(**options)

    def to_python(self, value: Any) -> list[OrderColumn]:
        order: list[OrderColumn] = []
        for name in value:
            key = name.removeprefix("-")
            if key not in self.columns:
                raise ValidationError(unknown_key(key, self.columns), code="unknown")
            if self.columns[key].path in [column.path for column in order]:
                raise ValidationError(_("%s is given twice.") % key, code="repeated")
            order.append(self.columns[key]._replace(is_descending=name.startswith("-")))
        return order


class OrderFilter(DescribedFilter):
    """The rows in another order than that of their ids, which decide between equal ones."""

    field_class = OrderKeys

    def __init__(self, keys: Mapping[str, Any]) -> None:
        super().__init__(
            "",
            "exact",
            list_schema({"type": "string", "enum": [sign + key for key in keys for sign in ("", "-")]}),
            help_text="Keys by which to order, separated by commas or with the parameter repeated, each turned round "
            "by `-`. Without it, objects come in the order in which they were made.",
            columns={name: OrderColumn(key.path, key.compared) for name, key in keys.items()},
        )

    def filter(self, rows: QuerySet[Any], order: list[OrderColumn]) -> QuerySet[Any]:
        return rows.order_by(*(column.expression for column in order), "pk")


class VisibleSite(ModelChoiceField):
    """A site by its id, which the caller must see."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> Site:
        site = self.queryset.filter(pk=parse_id(value)).first()
        if site is None:
            raise ValidationError(_("Not found, or you have no access to it."), code="unknown")
        return site


class SiteFilter(DescribedFilter, ModelChoiceFilter):
    """Rows at one site, to which `field_name` leads."""

    field_class = VisibleSite

    def __init__(self, field_name: str, help_text: str) -> None:
        super().__init__(field_name, "exact", {"type": "integer", "format": "int64"}, help_text=help_text)

    def get_queryset(self, request: Any) -> Any:
        return Site.objects.visible_to(self.parent.scope)


class SubtreeFilter(SiteFilter):
    """Rows at one site or below it."""

    def filter(self, rows: QuerySet[Any], site: Site) -> QuerySet[Any]:
        below = self.get_queryset(None).at_or_below(site).order_by()
        return rows.filter(**{f"{self.field_name}__in": below.values("pk")})


class FlatFilterSet(FilterSet):
    """The filters of one request, and the scope in which they hold.

    A kind whose filters do not all follow from its keys declares the others in a subclass: `Resource.filters`.
    """

    base_filters: Mapping[str, DescribedFilter]

    def __init__(self, data: QueryDict, queryset: QuerySet[Any], scope: Scope) -> None:
        self.scope = scope
        # Only those that were given: a form of all of them costs more than reading the page.
        self.base_filters = {name: one for name, one in type(self).base_filters.items() if name in data}
        super().__init__(data, queryset)

    @property
    def order(self) -> Sequence[OrderColumn]:
        """The columns of the order, the id last. Only of valid filters."""
        pk = OrderColumn("pk", self.queryset.model._meta.pk)
        return [*self.form.cleaned_data.get("ordering", ()), pk]

    def field_errors(self) -> list[FieldError]:
        """What is wrong with the values that were given."""
        return [
            FieldError(name, one.code or "invalid", " ".join(one.messages))
            for name, found in self.errors.as_data().items()
            for one in found
        ]

    @classmethod
    def described(cls) -> list[OpenApiParameter]:
        """The parameters for the documentation."""
        return [described_parameter(name, one.schema, one.extra["help_text"]) for name, one in cls.base_filters.items()]


def filter_set(
    flat: type[FlatSerializer], base: type[FlatFilterSet], places: Mapping[str, DescribedFilter]
) -> type[FlatFilterSet]:
    """The FilterSet of a kind: what `base` declares, what follows from the keys, and the filters by place."""
    keys = {name: key for name, key in flat.all_fields().items() if key.is_comparable}
    searched = {name: key for name, key in keys.items() if key.compared is not key.model_field}
    filters: dict[str, DescribedFilter] = {
        "ordering": OrderFilter(keys),
        "updatedSince": KeyFilter(
            keys["updatedAt"], "gte", "Only what was created or changed at this moment or later."
        ),
    }
    if searched:
        filters["search"] = SearchFilter(searched)
    for name, key in keys.items():
        for lookup in key.lookups:
            parameter = base.get_filter_name(name, lookup)
            filters[parameter] = KeyInFilter(key) if lookup == "in" else KeyFilter(key, lookup)
    filters |= places
    # The metaclass lets a class's own filters go before its base's.
    own = {name: one for name, one in filters.items() if name not in base.base_filters}
    return type(f"{flat.__name__.removesuffix('Serializer')}Filters", (base,), own)


def place_filters(model: type[Scoped]) -> dict[str, DescribedFilter]:
    """The filters by the site at which rows of `model` lie."""
    if model is Site:
        return {"siteTree": SubtreeFilter("pk", "Only this site and all below it.")}
    if len(model.rules.sites) != 1:
        return {}
    path = model.rules.sites[0]
    return {
        "site": SiteFilter(path, "Only what lies at this site."),
        "siteTree": SubtreeFilter(path, "Only what lies at this site or below it."),
    }

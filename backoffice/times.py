"""Show and enter timestamps in the time zone of the site, with UTC as a tooltip.

The zone is that of the site or its nearest parent site that has one, else the customer's, else UTC.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Collection, Iterable
from functools import cache
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, F, Model, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.callers import scope_of
from hierarchy.models import Customer, Site
from hierarchy.scoping import Scoped

UTC = ZoneInfo("UTC")

_OFFSET = re.compile(r"[+-]\d\d:\d\d(:\d\d)?")


# Time zones.


@cache
def zone_named(name: str) -> ZoneInfo:
    """The zone; UTC for a name that the time zone database of this machine does not have."""
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def site_zones(site_ids: Iterable[int]) -> dict[int, ZoneInfo]:
    """The zone of each site. One statement, whatever the number of sites.

    Includes parent sites that the caller has no access to.
    """
    wanted = set(site_ids)
    if not wanted:
        return {}
    trees = Site.objects.order_by().filter(pk__in=wanted).values("tree_id")
    # The zone of a leaf site matters for that site only.
    rows = Site.objects.filter(
        Q(pk__in=wanted) | (~Q(time_zone="") & Q(rght__gt=F("lft") + 1)), tree_id__in=trees
    ).order_by("tree_id", "lft")
    found: dict[int, ZoneInfo] = {}
    above: list[tuple[int, int, str]] = []
    columns = ("pk", "tree_id", "lft", "rght", "time_zone", "customer__time_zone")
    for pk, tree_id, lft, rght, own, of_customer in rows.values_list(*columns):
        while above and (above[-1][0] != tree_id or above[-1][1] < lft):
            above.pop()
        name = own or (above[-1][2] if above else of_customer)
        above.append((tree_id, rght, name))
        if pk in wanted:
            found[pk] = zone_named(name)
    return found


def caller_zone(request: HttpRequest) -> ZoneInfo:
    """The zone of the caller's customer, for rows without a site. UTC for platform staff."""
    customer = getattr(request.user, "customer", None)
    return zone_named(customer.time_zone) if customer else UTC


def attach_zones(request: HttpRequest, rows: Iterable[Any], place: str = "") -> None:
    """Set `shown_zone` on each row: the zone for its timestamps.

    `place` is the attribute, dots allowed, with the site id. One statement; for platform staff two.
    """
    rows = list(rows)
    site_ids = {id(row): attrgetter(place)(row) if place else None for row in rows}
    of_sites = site_zones(site_id for site_id in site_ids.values() if site_id is not None)
    placeless = [row for row in rows if site_ids[id(row)] not in of_sites]
    customer_ids = {id(row): _customer_id(row) for row in placeless}
    of_customers: dict[int | None, ZoneInfo] = {}
    if scope_of(request).is_platform and placeless:
        customers = Customer.objects.visible_to(scope_of(request)).order_by()
        named = customers.filter(pk__in=set(customer_ids.values()) - {None}).values_list("pk", "time_zone")
        of_customers = {pk: zone_named(name) for pk, name in named}
    for row in rows:
        known = of_sites.get(site_ids[id(row)] or 0)
        row.shown_zone = known or of_customers.get(customer_ids[id(row)]) or caller_zone(request)


def _customer_id(row: Scoped) -> int | None:
    path = row.rules.customer.replace("__", ".")
    customer_id: int | None = attrgetter(path if path == "pk" else f"{path}_id")(row)
    return customer_id


def zone_of(row: Any) -> ZoneInfo:
    """The zone that `attach_zones` set on a row."""
    zone: ZoneInfo = getattr(row, "shown_zone", UTC)
    return zone


# Output.


def local(at: datetime.datetime | None, zone: ZoneInfo, text: str = "", *, has_seconds: bool = False) -> str:
    """A timestamp in local time, or as `text`, with UTC as a tooltip; empty for None."""
    if at is None:
        return ""
    exact = at.astimezone(datetime.UTC)
    utc = exact.replace(tzinfo=None).isoformat(" ", "milliseconds" if exact.microsecond else "seconds")
    here = _in_zone(exact, zone)
    title = f"{utc} UTC" if here.tzinfo is UTC else f"{utc} UTC, {here.tzinfo}"
    if text:
        shown = _wall_time(here, " ", "minutes")
        whole = f"{shown} {here.tzname()}, {title}" if here.tzinfo is not UTC else title
        return format_html('<time datetime="{}" title="{}">{}</time>', exact.isoformat(), whole, text)
    return format_html(
        '<time datetime="{}" title="{}">{} <span class="zone">{}</span></time>',
        exact.isoformat(),
        title,
        _wall_time(here, " ", "seconds" if has_seconds else "minutes"),
        here.tzname(),
    )


class TimestampColumn:
    """A timestamp column of a changelist, or a read-only field of a form."""

    def __init__(self, field: DateTimeField[Any, Any]) -> None:
        # Django uses it for the CSS class.
        self.__name__ = self.admin_order_field = field.name
        self.short_description = field.verbose_name

    def __call__(self, row: Any) -> str:
        return local(getattr(row, self.__name__), zone_of(row)) or "–"


# Django compares list_display and list_display_links, so columns must be identical.
_column = cache(TimestampColumn)


def with_timestamp_columns(model: type[Model], names: Iterable[Any], only: Collection[str] | None = None) -> list[Any]:
    """The column names, nested lists included, with a `TimestampColumn` in place of timestamp fields.

    Only for the names in `only`, if given.
    """
    fields = {one.name: one for one in model._meta.concrete_fields if isinstance(one, DateTimeField)}
    replaced = fields.keys() if only is None else fields.keys() & set(only)

    def of(name: Any) -> Any:
        if isinstance(name, list | tuple):
            return [of(one) for one in name]
        return _column(fields[name]) if name in replaced else name

    return [of(name) for name in names]


def _in_zone(at: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    try:
        return at.astimezone(zone)
    except OverflowError:
        # Near the minimum and maximum datetime, only UTC works.
        return at.astimezone(UTC)


def _wall_time(at: datetime.datetime, separator: str, precision: str) -> str:
    return at.replace(tzinfo=None).isoformat(separator, precision)


# Input.


def _readings(wall: datetime.datetime, zone: ZoneInfo) -> tuple[datetime.datetime, datetime.datetime]:
    """The two UTC readings of a local time, equal except when clocks change.

    When clocks go back, the first is earlier; when they go forward (the local time does not exist), it is later.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(datetime.UTC) for fold in (0, 1))
    return first, second


def _parsed(value: Any) -> datetime.datetime | None:
    try:
        return parse_datetime(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


class AdminTimestampInput(forms.DateTimeInput):
    """A datetime-local input with its time zone next to it.

    For an ambiguous local time, it adds radio buttons with the UTC offsets.
    """

    input_type = "datetime-local"
    template_name = "admin/hierarchy/moment_input.html"
    # The input shows seconds; an unchanged value keeps its microseconds.
    supports_microseconds = True
    zone: ZoneInfo = UTC

    def __init__(self) -> None:
        super().__init__(attrs={"step": 1})

    def format_value(self, value: Any) -> Any:
        at = value if isinstance(value, datetime.datetime) else _parsed(value)
        return value if at is None else _wall_time(at, "T", "seconds")

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value, offset = data.get(name), data.get(f"{name}_offset") or ""
        is_asked = _OFFSET.fullmatch(offset) and bool(self._choices(_parsed(value)))
        return f"{value.strip()}{offset}" if is_asked else value

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        at = value if isinstance(value, datetime.datetime) else _parsed(value)
        widget = context["widget"]
        widget["zone"] = str(self.zone)
        widget["choices"] = self._choices(at)
        widget["chosen"] = _offset(at) if at is not None and at.tzinfo else ""
        if "id" in widget["attrs"]:
            described = widget["attrs"].get("aria-describedby", "")
            widget["attrs"]["aria-describedby"] = f"{described} {widget['attrs']['id']}_zone".strip()
        return context

    def _choices(self, at: datetime.datetime | None) -> list[tuple[str, str]]:
        """UTC offset and label of both readings of an ambiguous local time."""
        if at is None:
            return []
        try:
            first, second = _readings(at.replace(tzinfo=None), self.zone)
        except OverflowError:
            return []
        readings = [_in_zone(one, self.zone) for one in (first, second)] if first < second else []
        return [(_offset(one), f"{one:%H:%M} {one.tzname()}") for one in readings]


def _offset(at: datetime.datetime) -> str:
    return at.isoformat()[len(at.replace(tzinfo=None).isoformat()) :]


class TimestampFormField(forms.DateTimeField):
    """A timestamp in local time. An unchanged input keeps the stored value exactly."""

    widget = AdminTimestampInput
    default_error_messages = {
        "invalid": _("Enter a date and time, such as 2026-06-01 14:00."),
        "gap": _("This time does not exist in %(zone)s: clocks go forward. Choose %(before)s or %(after)s."),
        "twice": _("This time occurs twice in %(zone)s: clocks go back. Choose the UTC offset."),
        "out_of_range": _("This date is out of range."),
    }

    def __init__(self, *, zone: ZoneInfo = UTC, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone

    @property
    def zone(self) -> ZoneInfo:
        return self._zone

    @zone.setter
    def zone(self, zone: ZoneInfo) -> None:
        self._zone = self.widget.zone = zone

    def prepare_value(self, value: Any) -> Any:
        return _in_zone(value, self.zone) if isinstance(value, datetime.datetime) else value

    def to_python(self, value: Any) -> datetime.datetime | None:
        if value in self.empty_values:
            return None
        if isinstance(value, datetime.datetime):
            return value
        parsed = _parsed(value)
        if parsed is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            return parsed.astimezone(datetime.UTC) if parsed.tzinfo else self._to_utc(parsed)
        except OverflowError as error:
            raise ValidationError(self.error_messages["out_of_range"], code="out_of_range") from error

    def _to_utc(self, wall: datetime.datetime) -> datetime.datetime:
        first, second = _readings(wall, self.zone)
        if first == second:
            return first
        if first < second:
            raise ValidationError(self.error_messages["twice"], code="twice", params={"zone": self.zone})
        around = (_in_zone(second, self.zone), _in_zone(first, self.zone))
        before, after = (_wall_time(one, " ", "minutes") for one in around)
        raise ValidationError(
            self.error_messages["gap"], code="gap", params={"zone": self.zone, "before": before, "after": after}
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        parsed = _parsed(data)
        if not isinstance(initial, datetime.datetime) or parsed is None:
            return (initial or "") != (data or "")
        shown = self.prepare_value(initial).replace(microsecond=0)
        if parsed.tzinfo is None:
            return bool(parsed != shown.replace(tzinfo=None))
        try:
            # Compared in UTC: Python never treats ambiguous times of different zones as equal.
            return bool(parsed.astimezone(datetime.UTC) != shown.astimezone(datetime.UTC))
        except OverflowError:
            # Out of range, so different from any stored value; `to_python` rejects it.
            return True

    def _clean_bound_field(self, bound: Any) -> Any:
        is_kept = isinstance(bound.initial, datetime.datetime) and not self.has_changed(bound.initial, bound.data)
        return self.clean(bound.initial) if is_kept else super()._clean_bound_field(bound)  # type: ignore[misc]


def ago(at: datetime.datetime) -> str:
    """The time since `at`, in words."""
    if timezone.now() - at < datetime.timedelta(minutes=1):
        return gettext("just now")
    return gettext("%(time)s ago") % {"time": timesince(at, depth=1)}

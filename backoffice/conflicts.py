"""Edit conflicts: merge a submitted form with changes saved since its page was opened, and let the user choose."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.history import NOTHING
from backoffice.times import AdminTimestampInput, local, zone_of
from hierarchy.entity import Entity
from hierarchy.models import Change
from hierarchy.scoping import Scope

# The suffix of the POST name with the user's choice for a field, and its values.
WHOSE, THEIRS, MINE = "_whose", "theirs", "mine"


def changes_since(row: Entity, version: int, scope: Scope) -> list[Change]:
    """The change log entries of a row since a version, latest first.

    Entries that the caller has no access to are missing. One statement.
    """
    # Entries without such columns, for example about a sign-in lock, did not increment the version.
    columns = [field.name for field in row.journaled_fields()]
    lines = Change.objects.filter(object_type=row._meta.model_name, object_id=row.pk, fields__has_any_keys=columns)
    latest = lines.order_by("-id").values("pk")[: row.version - version]
    return list(Change.objects.visible_to(scope).filter(pk__in=latest).order_by("-id"))


def values_before(row: Entity, lines: Iterable[Change]) -> dict[str, Any]:
    """The columns that these entries (latest first) changed, with their values before all of them."""
    old: dict[str, Any] = {}
    for line in lines:
        old |= {column: values[0] for column, values in line.fields.items()}
    columns = {field.name: field for field in row._meta.concrete_fields}
    return {name: columns[name].to_python(value) for name, value in old.items() if name in columns}


def write_stored_value(data: Any, bound: forms.BoundField) -> None:
    """Replace the submitted value of one field with the stored value."""
    widget = getattr(bound.field.widget, "widget", bound.field.widget)
    value = bound.field.prepare_value(bound.initial)
    data.pop(bound.html_name, None)
    if isinstance(widget, forms.CheckboxInput):
        if value:
            data[bound.html_name] = "on"
    elif isinstance(widget, forms.SelectMultiple | forms.CheckboxSelectMultiple):
        data.setlist(bound.html_name, [str(one) for one in value or ()])
    elif isinstance(widget, AdminTimestampInput) and value is not None:
        # With the UTC offset, because a local time can occur twice.
        data[bound.html_name] = value.isoformat(timespec="seconds")
        data.pop(f"{bound.html_name}_offset", None)
    else:
        data[bound.html_name] = "" if value is None else str(value)


def choice_message(bound: forms.BoundField, row: Entity) -> SafeString:
    """The field error with radio buttons for the two values."""
    name = f"{bound.html_name}{WHOSE}"
    return format_html(
        '<fieldset class="conflict"><legend>{}</legend>'
        '<label><input type="radio" name="{}" value="{}" checked> {}</label> '
        '<label><input type="radio" name="{}" value="{}"> {} <strong><bdi>{}</bdi></strong></label></fieldset>',
        _("Someone else changed this too."),
        name,
        MINE,
        _("Keep my value"),
        name,
        THEIRS,
        _("Use theirs:"),
        stored_text(bound, row),
    )


def stored_text(bound: forms.BoundField, row: Entity) -> str:
    """The stored value of a field as text."""
    field: Any = bound.field
    value: Any = bound.initial
    if isinstance(value, datetime.datetime):
        return local(value, zone_of(row))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(getattr(field, "queryset", None), QuerySet) and value is not None:
        target = field.queryset.filter(pk=value).first()
        return gettext("not accessible to you") if target is None else field.label_from_instance(target)
    if isinstance(value, list | tuple):
        labels = dict(getattr(field, "choices", None) or ())
        return ", ".join(str(labels.get(one, one)) for one in value) or NOTHING
    choices: Any = getattr(field, "choices", None)
    if isinstance(field, forms.ChoiceField):
        labels = {str(one): label for one, label in choices}
        return str(labels.get("" if value is None else str(value), value))
    text = field.prepare_value(value)
    return NOTHING if text in (None, "") else str(text)


def stale_inline_message(row: Entity) -> SafeString:
    """The message for an inline row."""
    text = gettext("%(object)s was changed after you opened the page. Nothing was saved.")
    return format_html(text.replace("%(object)s", "<bdi>{}</bdi>"), row)


def stale_form_message(row: Entity, lines: list[Change], taken: Iterable[str], *, is_asked: bool) -> SafeString:
    """The message for the main form: who changed the row, which changes were merged, and what to do next."""
    parts: list[str] = [stale_inline_message(row)]
    if lines:
        who = ", ".join(dict.fromkeys(line.actor_label for line in lines))
        parts.append(
            format_html("{}: <bdi>{}</bdi>, {}.", gettext("Last changed by"), who, local(lines[0].at, zone_of(row)))
        )
    labels = ", ".join(taken)
    if labels:
        parts.append(gettext("Their changes to these fields are already filled in: %(fields)s.") % {"fields": labels})
    if is_asked:
        parts.append(gettext("Choose a value for each highlighted field, and save again."))
    else:
        parts.append(gettext("Your input is kept. Check it, and save again."))
    return format_html_join(" ", "{}", ((part,) for part in parts))

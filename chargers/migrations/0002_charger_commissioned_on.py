"""Gives chargers the date of their commissioning, which register imports kept as a custom property."""

import datetime
import re
import secrets

from django.db import migrations, models

KEY = "commissionedOn"
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
BATCH = 500


def date_of(text):
    try:
        return datetime.date.fromisoformat(text) if isinstance(text, str) and DATE.fullmatch(text) else None
    except ValueError:
        return None


def batches(chargers):
    """The chargers, so many at a time as one statement writes."""
    last = 0
    while batch := list(chargers.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        yield batch


def leave_marks(apps, alias, customers):
    """Give nested answers other entity tags: their custom properties changed without an entry in the change log."""
    marks = apps.get_model("hierarchy", "Mark").objects.using(alias)
    for customer_id in sorted(customers):
        marks.update_or_create(customer_id=customer_id, place=0, defaults={"number": secrets.randbits(63)})


def move(apps, schema_editor):
    """Valid dates become the column's; what is no date stays a custom property."""
    alias = schema_editor.connection.alias
    chargers = apps.get_model("chargers", "Charger").objects.using(alias)
    customers = set()
    for batch in batches(chargers.filter(custom_properties__has_key=KEY)):
        moved = [charger for charger in batch if date_of(charger.custom_properties[KEY]) is not None]
        for charger in moved:
            charger.commissioned_on = date_of(charger.custom_properties.pop(KEY))
        chargers.bulk_update(moved, ["commissioned_on", "custom_properties"])
        customers |= {charger.customer_id for charger in moved}
    leave_marks(apps, alias, customers)


def move_back(apps, schema_editor):
    alias = schema_editor.connection.alias
    chargers = apps.get_model("chargers", "Charger").objects.using(alias)
    customers = set()
    for batch in batches(chargers.exclude(commissioned_on=None)):
        for charger in batch:
            charger.custom_properties.setdefault(KEY, charger.commissioned_on.isoformat())
        chargers.bulk_update(batch, ["custom_properties"])
        customers |= {charger.customer_id for charger in batch}
    leave_marks(apps, alias, customers)


class Migration(migrations.Migration):
    dependencies = [("chargers", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="charger",
            name="commissioned_on",
            field=models.DateField(blank=True, null=True, verbose_name="commissioned on"),
        ),
        migrations.RunPython(move, move_back),
    ]

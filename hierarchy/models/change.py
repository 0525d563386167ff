"""The journal's rows: one for each change of an object, numbered per customer."""

from collections.abc import Iterable
from typing import Any

import orjson
from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy import journal, statements
from hierarchy.fields import TimestampField
from hierarchy.journal_references import PERSON, PLACE
from hierarchy.scoping import NOTHING, Scope, Scoped, ScopedQuerySet

# What the journal says, in words.
SOURCES = [
    (journal.ADMIN, _("Admin")),
    (journal.API, _("API")),
    (journal.COMMAND, _("Command")),
    (journal.IMPORT, _("Import")),
    (journal.SYSTEM, _("System")),
]
ACTIONS = [
    (journal.CREATED, _("Created")),
    (journal.CHANGED, _("Changed")),
    (journal.MOVED, _("Moved")),
    (journal.DELETED, _("Deleted")),
]


class ChangeCounter(models.Model):
    """The last sequence number of a customer's journal; its row is the lock on the end of it."""

    customer = models.OneToOneField("hierarchy.Customer", models.CASCADE, primary_key=True)
    sequence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.sequence}"


class ChangeQuerySet(ScopedQuerySet):
    def update(self, **values: Any) -> int:
        raise TypeError("The journal is append-only.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("The journal is append-only.")

    def bulk_create(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("The journal is written by hierarchy.journal alone.")


class Change(Scoped):
    """One line of the journal: who changed what, when, by which road. Never changed, never deleted.

    It names its customer, object and actor without depending on them, so that it outlives them all.
    `fields` maps a column to `[old, new]`. `site_path` is where the object lay, as `/1/7/12/`: after the change, or
    before a deletion. For a right, `driver_path` is where its driver lay; for a move, `from_path` where it came from.
    `import_id` is the import that made the change.
    """

    customer = models.ForeignKey(
        "hierarchy.Customer",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        verbose_name=_("customer"),
    )
    sequence = models.BigIntegerField(_("sequence"), null=True)
    at = TimestampField(_("time"))
    actor_id = models.BigIntegerField(_("user ID"), null=True)
    actor_label = models.CharField(_("user"), max_length=320)
    source = models.CharField(_("source"), db_column="road", max_length=16, choices=SOURCES)
    request_id = models.CharField(_("request ID"), max_length=64, blank=True, default="")
    action = models.CharField(_("action"), max_length=16, choices=ACTIONS)
    object_type = models.CharField(_("kind"), max_length=64)
    object_id = models.BigIntegerField(_("object ID"))
    natural_key = models.TextField(_("object"))
    fields = models.JSONField(_("fields"), default=dict)
    site_path = models.TextField(_("place"), blank=True, default="")
    driver_path = models.TextField(_("driver's site"), null=True)
    from_path = models.TextField(_("previous site"), null=True)
    import_id = models.BigIntegerField(_("import"), null=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["customer", "sequence"], name="change_sequence")]
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="change_of_object"),
            models.Index(fields=["import_id"], condition=Q(import_id__isnull=False), name="change_of_import"),
            models.Index(fields=["at"], name="change_at"),
            models.Index(fields=["request_id", "id"], name="change_of_request"),
            models.Index("object_type", PERSON, name="change_by_person"),
            models.Index("object_type", PLACE, name="change_by_place"),
        ]

    def __str__(self) -> str:
        return f"{self.natural_key} {self.action}"

    @classmethod
    def in_subtrees(cls, scope: Scope) -> Q:
        """Changes at or below a granted site; of a right, those where the driver lay there too."""
        here, driver, origin = NOTHING, Q(driver_path=None), NOTHING
        for site_id in sorted(scope.root_ids):
            here |= Q(site_path__contains=f"/{site_id}/")
            driver |= Q(driver_path__contains=f"/{site_id}/")
            origin |= Q(from_path__contains=f"/{site_id}/")
        return (here & driver) | origin

    @classmethod
    def append(cls, recorder: journal.Recorder, customer_id: int | None, entries: list[journal.Entry]) -> None:
        """Write entries of one customer with the next sequence numbers; without a customer they have none."""
        caller = recorder.caller
        last = 0
        if customer_id is not None:
            counter = ChangeCounter.objects.filter(customer_id=customer_id)
            if not counter.update(sequence=F("sequence") + len(entries)):
                ChangeCounter.objects.create(customer_id=customer_id, sequence=len(entries))
            last = counter.values_list("sequence", flat=True).get()
        # Taken after the counter, so that time runs as the sequence does.
        common = {
            "customer_id": customer_id,
            "at": timezone.now(),
            "actor_id": caller.scope.operator_id,
            "actor_label": caller.label,
            "road": caller.source,
            "request_id": caller.request_id,
            "import_id": recorder.import_id,
        }
        first = last - len(entries) + 1
        numbered = ((first + n if customer_id is not None else None, entry) for n, entry in enumerate(entries))
        cls._insert(common, numbered)

    @classmethod
    def _insert(cls, common: dict[str, Any], entries: Iterable[tuple[int | None, journal.Entry]]) -> None:
        """`common` are the columns that are the same in all entries."""
        at: Any = cls._meta.get_field("at")
        same = tuple({**common, "at": at.get_db_prep_save(common["at"], connection)}.values())
        columns = (
            *common,
            "sequence",
            "action",
            "object_type",
            "object_id",
            "natural_key",
            "fields",
            "site_path",
            "driver_path",
            "from_path",
        )
        rows = (
            (
                *same,
                sequence,
                entry.action,
                entry.object_type,
                entry.object_id,
                entry.natural_key,
                orjson.dumps(entry.fields).decode(),
                entry.site_path,
                entry.driver_path,
                entry.from_path,
            )
            for sequence, entry in entries
        )
        statements.insert_values(cls, columns, rows)

    def visible_fields(self, place_fields: Iterable[str], scope: Scope) -> dict[str, list[Any]]:
        """The columns that `scope` may know: of one that moved out of sight, that it did; of one that moved in, nothing
        of what it was; of sites out of sight, none.
        """
        fields: dict[str, list[Any]] = self.fields
        if not scope.is_restricted:
            return fields
        is_site = self.object_type == "site"
        came_from = self.site_path if self.from_path is None else self.from_path
        if not _is_below(self.site_path, scope):
            fields = {name: values for name, values in fields.items() if name in place_fields}
        sees_old, sees_new = (_is_below(path, scope, above=is_site) for path in (came_from, self.site_path))
        was_in_sight = _is_below(came_from, scope)
        return {
            name: [old if sees_old else None, new if sees_new else None]
            if name in place_fields
            else [old if was_in_sight else None, new]
            for name, (old, new) in fields.items()
        }

    def save(self, **kwargs: Any) -> None:
        raise TypeError("The journal is written by hierarchy.journal alone.")

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The journal is append-only.")


def _is_below(path: str, scope: Scope, above: bool = False) -> bool:
    """Whether a place lies at or below a granted site; with `above`, whether the site over it does."""
    ids = [int(site_id) for site_id in path.split("/") if site_id]
    return not scope.root_ids.isdisjoint(ids[:-1] if above else ids)


journal.register_store(Change)

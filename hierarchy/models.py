"""Customers, their trees of sites, and the journal of every change."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import mptt.models
import orjson
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy import belonging, journal, scoping, statements, tree
from hierarchy.constraints import SameCustomer
from hierarchy.entity import Entity, gone
from hierarchy.fields import KeyField, LineField, MomentField, NameField, OptionalLineField
from hierarchy.scoping import NOTHING, Scope, Scoped, ScopedQuerySet
from hierarchy.timezones import validate_time_zone

# What the journal says, in words.
ROADS = [
    (journal.ADMIN, _("Admin")),
    (journal.API, _("API")),
    (journal.COMMAND, _("Command")),
    (journal.IMPORT, _("Import")),
    (journal.SYSTEM, _("Chargetree itself")),
]
ACTIONS = [
    (journal.CREATED, _("Created")),
    (journal.CHANGED, _("Changed")),
    (journal.MOVED, _("Moved")),
    (journal.DELETED, _("Deleted")),
]


class Customer(Entity):
    """The tenant: a charge point operator. Everything else belongs to exactly one customer, for ever."""

    customer_path = "pk"

    name = NameField(_("name"))
    name_key = KeyField(of="name")
    time_zone = LineField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name_key", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"],
                name="customer_name",
                violation_error_message=_("There is a customer of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        """Everybody sees the own customer. Not an empty Q, which an OR leaves out."""
        return Q(pk=scope.customer_id)

    def owner_id(self) -> int | None:
        return self.pk

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        customer_id = self.pk
        with journal.recording() as recorder:
            deleted = super().delete(using=using)
            # The customer's sequence ends with the customer: what is left to say of it stands outside of any.
            for entry in recorder.entries:
                if entry.customer_id == customer_id:
                    entry.customer_id = None
            return deleted


class GroupType(models.IntegerChoices):
    """What kind of group a site is. The numbers are the wire's."""

    SUB_CPO = 0, _("Charge point operator")
    SITE = 1, _("Site")
    SUB_SITE = 2, _("Subsite")
    CIRCUIT = 3, _("Circuit")
    OTHER = 4, _("Other")


class Site(Entity, mptt.models.MPTTModel):
    """A node of a customer's tree of sites, of any depth.

    `group_type` is SITE at the root and SUB_SITE below unless said. Names are unique among siblings.
    """

    customer_from = ("parent",)
    place_fields = frozenset({"parent"})
    _kept = Entity._kept | {"lft", "rght", "tree_id", "level"}

    # django-mptt's columns.
    lft: int
    rght: int
    tree_id: int
    level: int

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="sites", verbose_name=_("customer"))
    parent = mptt.models.TreeForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="subsites", verbose_name=_("site above")
    )
    name = NameField(_("name"))
    name_key = KeyField(of="name")
    public_name = OptionalLineField(_("public name"), help_text=_("What drivers read, where it differs."))
    group_type = models.PositiveSmallIntegerField(_("type"), choices=GroupType, null=True, blank=True)
    external_id = LineField(
        _("external id"), blank=True, default="", help_text=_("The site's id in your other systems.")
    )
    external_id_key = KeyField(of="external_id")
    payer_id = models.BigIntegerField(_("payer id"), null=True, blank=True, validators=[MinValueValidator(0)])
    cost_id = LineField(_("cost id"), blank=True, default="")
    cost_name = LineField(_("cost name"), blank=True, default="")
    payment_recipient_id = models.BigIntegerField(
        _("payment recipient id"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    time_zone = LineField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        validators=[validate_time_zone],
        help_text=_("Empty: that of the site above, at the root that of the customer."),
    )

    objects: ClassVar[tree.SiteManager] = tree.SiteManager()

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        # An empty list of indexes of its own lets django-mptt add the one over (tree_id, lft).
        indexes: ClassVar[tuple[models.Index, ...]] = ()
        constraints = [
            models.UniqueConstraint(fields=["id", "customer"], name="site_customer"),
            SameCustomer(field="parent", name="site_parent_same_customer"),
            models.UniqueConstraint(
                fields=["parent", "name_key"],
                name="site_name_among_siblings",
                violation_error_message=_("The site above has a subsite of this name already."),
            ),
            models.UniqueConstraint(
                fields=["customer", "name_key"],
                condition=Q(parent=None),
                name="site_name_among_roots",
                violation_error_message=_("There is a site of this name at the top already."),
            ),
            models.UniqueConstraint(
                fields=["customer", "external_id_key"],
                condition=~Q(external_id_key=""),
                name="site_external_id",
                violation_error_message=_("Another site has this external id already."),
            ),
            models.CheckConstraint(
                condition=Q(group_type=None) | Q(group_type__in=GroupType.values), name="site_group_type"
            ),
            models.CheckConstraint(condition=~Q(parent=models.F("id")), name="site_not_its_own_parent"),
            models.CheckConstraint(
                condition=(Q(payer_id=None) | Q(payer_id__gte=0))
                & (Q(payment_recipient_id=None) | Q(payment_recipient_id__gte=0)),
                name="site_payment_ids_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def in_subtrees(cls, scope: Scope) -> Q:
        assert scope.customer_id is not None
        return Q(scoping.below(cls, scope.root_ids, scope.customer_id))

    def governing_sites(self) -> list[int | None]:
        """A restricted operator writes below a granted site: the site above must be visible."""
        return [self.parent_id]

    def journal_paths(self, recorder: journal.Recorder) -> tuple[str, str | None]:
        return (recorder.site_path(self.parent_id) or "/") + f"{self.pk}/", None

    def clean(self) -> None:
        if self.parent_id is not None and self.pk is not None:
            parent = type(self)._base_manager.filter(pk=self.parent_id).first()
            if parent is not None and (parent.pk == self.pk or self._is_above(parent)):
                raise ValidationError({"parent": self._circle()})

    def _is_above(self, other: "Site") -> bool:
        own = type(self)._base_manager.filter(pk=self.pk).first()
        # One that is made anew under its old id has nothing below it.
        return own is not None and own.tree_id == other.tree_id and own.lft < other.lft and own.rght > other.rght

    @staticmethod
    def _circle() -> ValidationError:
        return ValidationError(
            _("A site cannot lie below itself: choose a site that is not in its own subtree."), code="circle"
        )

    @staticmethod
    def _no_parent() -> ValidationError:
        return ValidationError({"parent": ValidationError(_("Does not exist any more."), code="unknown")})

    def prepare(self, before: Self | None) -> None:
        """Read the tree columns of this site and of the one above again, now that the tree is locked."""
        tree.insist_on_lock()
        if self.parent_id is None and self.parent is not None:
            # A site that was deleted, or never saved: without an id, which is not to say the top.
            raise self._no_parent()
        parent = None
        if self.parent_id is not None:
            parent = type(self)._base_manager.filter(pk=self.parent_id).first()
            if parent is None:
                raise self._no_parent()
            self.inherit_customer()
            if parent.customer_id != self.customer_id:
                raise ValidationError(
                    {"parent": ValidationError(_("Is unknown: choose one of this customer's."), code="unknown")}
                )
        super().prepare(before)
        if before is None:
            for column in ("lft", "rght", "tree_id", "level"):
                setattr(self, column, None)
            if self.group_type is None and not self._group_type_given:
                self.group_type = GroupType.SITE if parent is None else GroupType.SUB_SITE
        else:
            self.lft, self.rght, self.tree_id, self.level = before.lft, before.rght, before.tree_id, before.level
            if parent is not None and (parent.pk == self.pk or before._is_above(parent)):
                raise ValidationError({"parent": self._circle()})
            self._mptt_cached_fields["parent"] = before.parent_id
        self.parent = parent

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._group_type_given = bool(args) or "group_type" in kwargs
        super().__init__(*args, **kwargs)

    def save(self, **kwargs: Any) -> None:
        with journal.recording() as recorder, tree.lock():
            super().save(**kwargs)
            recorder.paths.clear()

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        with journal.recording() as recorder, tree.lock():
            # django-mptt would follow the sites above as they were when they were read, in a circle if need be.
            self._state.fields_cache.pop("parent", None)
            deleted = super().delete(using=using)
            recorder.paths.clear()
            return deleted

    def move(self, parent: "Site | None") -> None:
        """Put this site and everything below it under `parent`, None for the top, whatever was read before.

        Raises ValidationError for itself, one of its own subsites, or another customer's site.
        """
        with journal.recording(), tree.lock():
            try:
                self.refresh_from_db()
            except type(self).DoesNotExist as error:
                raise gone(type(self)) from error
            self.parent = parent
            self.save()

    def move_to(self, target: Any, position: str = "first-child") -> None:
        raise TypeError("Siblings have no stored order: use Site.move(parent).")


class ChangeCounter(models.Model):
    """The last sequence number of a customer's journal; its row is the lock on the end of it."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True)
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
        Customer, models.DO_NOTHING, null=True, db_constraint=False, related_name="+", verbose_name=_("customer")
    )
    sequence = models.BigIntegerField(_("sequence"), null=True)
    at = MomentField(_("time"))
    actor_id = models.BigIntegerField(_("actor id"), null=True)
    actor_label = models.CharField(_("who"), max_length=320)
    road = models.CharField(_("road"), max_length=16, choices=ROADS)
    request_id = models.CharField(_("request id"), max_length=64, blank=True, default="")
    action = models.CharField(_("action"), max_length=16, choices=ACTIONS)
    object_type = models.CharField(_("kind"), max_length=64)
    object_id = models.BigIntegerField(_("object id"))
    natural_key = models.TextField(_("object"))
    fields = models.JSONField(_("fields"), default=dict)
    site_path = models.TextField(_("place"), blank=True, default="")
    driver_path = models.TextField(_("place of the driver"), null=True)
    from_path = models.TextField(_("place before"), null=True)
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
            models.Index("object_type", belonging.PERSON, name="change_by_person"),
            models.Index("object_type", belonging.PLACE, name="change_by_place"),
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
    def append(cls, common: Mapping[str, Any], entries: Iterable[tuple[int | None, journal.Entry]]) -> None:
        """Write entries, each with its sequence number; `common` are the columns that are the same in all."""
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

    def save(self, **kwargs: Any) -> None:
        raise TypeError("The journal is written by hierarchy.journal alone.")

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The journal is append-only.")


class Import(Entity):
    """A file that was imported, for ever: who did it, and when, says its line in the journal.

    `counts` are the numbers of rows by table: created, changed, moved, deleted, unchanged. Nobody edits it.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="imports", verbose_name=_("customer"))
    operator_id = models.BigIntegerField(_("operator id"), null=True, editable=False)
    file_name = LineField(_("file"))
    format = LineField(_("format"), max_length=16)
    sha256 = LineField(_("SHA-256 of the file"), max_length=64, blank=True, default="")
    counts = models.JSONField(_("rows"), default=dict)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["id", "customer"], name="import_customer")]

    def __str__(self) -> str:
        return self.file_name

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        """Everybody sees the own imports; of others, only who sees the whole network."""
        return Q(operator_id=scope.operator_id) if scope.operator_id else NOTHING


class ImportPlanQuerySet(ScopedQuerySet):
    def visible_to(self, scope: Scope | None) -> Self:
        """Nobody sees what somebody else is about to import."""
        plans = super().visible_to(scope)
        return plans.filter(operator_id=scope.operator_id) if isinstance(scope, Scope) else plans


class ImportPlan(Scoped):
    """A file that was read and compared, and waits until who brought it applies it. Nobody else sees it.

    `content` is the file itself, compressed; `steps` are what was shown, compressed: what the plan touches, with the
    old values. Both are dropped when the plan is applied, or a week old.
    """

    KEPT_FOR = datetime.timedelta(days=7)

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", verbose_name=_("customer"))
    operator_id = models.BigIntegerField(_("operator id"), null=True)
    created_at = MomentField(_("created"), default=timezone.now)
    file_name = LineField(_("file"))
    format = LineField(_("format"), max_length=16, blank=True, default="")
    table = LineField(_("table"), max_length=64, blank=True, default="")
    prune_site = LineField(_("delete below"), max_length=4000, blank=True, default="")
    sha256 = LineField(_("SHA-256 of the file"), max_length=64)
    content = models.BinaryField(_("content"))
    steps = models.BinaryField(_("steps"))
    counts = models.JSONField(_("rows"), default=dict)
    findings = models.JSONField(_("findings"), default=dict)
    applied_as = models.ForeignKey(Import, models.CASCADE, null=True, related_name="+", verbose_name=_("applied as"))

    objects = ImportPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("planned import")
        verbose_name_plural = _("planned imports")
        ordering = ["-id"]
        constraints = [SameCustomer(field="applied_as", name="import_plan_applied_same_customer")]

    def __str__(self) -> str:
        return self.file_name

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        return Q(operator_id=scope.operator_id) if scope.operator_id else NOTHING

    @property
    def expires_at(self) -> datetime.datetime:
        return self.created_at + self.KEPT_FOR

    @property
    def is_expired(self) -> bool:
        """Whether it waited too long: the network is another one by now."""
        return timezone.now() >= self.expires_at


from hierarchy.revision import Mark  # noqa: E402, F401  (found by Django as a model of this app)

"""Sites: the nodes of a customer's trees."""

from contextlib import AbstractContextManager
from typing import Any, ClassVar, Self

import mptt.models
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hierarchy import journal, scoping, tree
from hierarchy.constraints import SameCustomer
from hierarchy.entity import Entity, gone
from hierarchy.fields import KeyField, LineField, NameField, OptionalLineField
from hierarchy.models.customer import Customer
from hierarchy.rules import Rules
from hierarchy.scoping import Scope
from hierarchy.timezones import validate_time_zone


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

    rules = Rules(
        customer_from=("parent",),
        place_fields={"parent"},
        kept_fields={"lft", "rght", "tree_id", "level"},
        deletion_order="-level",
    )

    # django-mptt's columns.
    lft: int
    rght: int
    tree_id: int
    level: int

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="sites", verbose_name=_("customer"))
    parent = mptt.models.TreeForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="subsites", verbose_name=_("parent site")
    )
    name = NameField(_("name"))
    name_key = KeyField(of="name")
    public_name = OptionalLineField(_("public name"), help_text=_("The name shown to drivers, if different."))
    group_type = models.PositiveSmallIntegerField(_("type"), choices=GroupType, null=True, blank=True)
    external_id = LineField(
        _("external ID"), blank=True, default="", help_text=_("The site's ID in your other systems.")
    )
    external_id_key = KeyField(of="external_id")
    payer_id = models.BigIntegerField(_("payer ID"), null=True, blank=True, validators=[MinValueValidator(0)])
    cost_id = LineField(_("cost ID"), blank=True, default="")
    cost_name = LineField(_("cost name"), blank=True, default="")
    payment_recipient_id = models.BigIntegerField(
        _("payment recipient ID"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    time_zone = LineField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        validators=[validate_time_zone],
        help_text=_("Empty: inherited from the parent site or the customer."),
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
                violation_error_message=_("A sibling site with this name already exists."),
            ),
            models.UniqueConstraint(
                fields=["customer", "name_key"],
                condition=Q(parent=None),
                name="site_name_among_roots",
                violation_error_message=_("A top-level site with this name already exists."),
            ),
            models.UniqueConstraint(
                fields=["customer", "external_id_key"],
                condition=~Q(external_id_key=""),
                name="site_external_id",
                violation_error_message=_("Another site already has this external ID."),
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

    @classmethod
    def site_model(cls) -> Any:
        return cls

    @classmethod
    def write_lock(cls) -> AbstractContextManager[None]:
        return tree.lock()

    def hold(self, scope: Scope) -> None:
        """Not held: every other site that is written may renumber it."""

    def governing_sites(self) -> list[int | None]:
        """A restricted operator writes below a granted site: the site above must be visible."""
        return [self.parent_id]

    def journal_paths(self, recorder: journal.Recorder) -> tuple[str, str | None]:
        return (self.site_path(recorder, self.parent_id) or "/") + f"{self.pk}/", None

    def clean(self) -> None:
        if self.parent_id is not None and self.pk is not None:
            parent = type(self).unscoped.filter(pk=self.parent_id).first()
            if parent is not None and (parent.pk == self.pk or self._is_above(parent)):
                raise ValidationError({"parent": self._circle()})

    def _is_above(self, other: "Site") -> bool:
        own = type(self).unscoped.filter(pk=self.pk).first()
        # One that is made anew under its old id has nothing below it.
        return own is not None and own.tree_id == other.tree_id and own.lft < other.lft and own.rght > other.rght

    @staticmethod
    def _circle() -> ValidationError:
        return ValidationError(
            _("A site cannot be below itself. Choose a parent site outside of its own subtree."), code="circle"
        )

    @staticmethod
    def _no_parent() -> ValidationError:
        return ValidationError({"parent": ValidationError(_("No longer exists."), code="unknown")})

    def prepare(self, before: Self | None) -> None:
        """Read the tree columns of this site and of the one above again, now that the tree is locked."""
        tree.insist_on_lock()
        if self.parent_id is None and self.parent is not None:
            # A site that was deleted, or never saved: without an id, which is not to say the top.
            raise self._no_parent()
        parent = None
        if self.parent_id is not None:
            parent = type(self).unscoped.filter(pk=self.parent_id).first()
            if parent is None:
                raise self._no_parent()
            self.inherit_customer()
            if parent.customer_id != self.customer_id:
                raise ValidationError({"parent": ValidationError(_("Not found for this customer."), code="unknown")})
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

"""Who may see what: the scope of a caller, and the one filter that every surface applies.

A scope is a plain value. The operator fills it; everything below the operators knows nothing else of them.
It fails closed: without a scope, or with a restricted scope without sites, nothing is visible.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.core import checks
from django.db import models
from django.db.models import Exists, OuterRef, Q

from hierarchy.rules import Rules

if TYPE_CHECKING:
    from hierarchy.models import Site


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see and change. As it is made, it sees nothing.

    `customer_id`: the one customer; None for platform staff.
    `is_platform`: sees every customer. `is_admin`: sees everything of the customer.
    `root_ids`: for everybody else, the ids of the granted sites.
    `operator_id`: the operator who asks; None for commands.
    `is_read_only`: a key that may look but not touch.
    """

    customer_id: int | None
    is_platform: bool = False
    is_admin: bool = False
    root_ids: frozenset[int] = frozenset()
    operator_id: int | None = None
    is_read_only: bool = False

    @classmethod
    def platform(cls, operator_id: int | None = None) -> Self:
        return cls(customer_id=None, is_platform=True, operator_id=operator_id)

    @classmethod
    def whole_customer(cls, customer_id: int) -> Self:
        return cls(customer_id=customer_id, is_admin=True)

    @property
    def is_restricted(self) -> bool:
        return not (self.is_platform or self.is_admin)

    @property
    def may_write_something(self) -> bool:
        """Whether the caller may write anything at all; what, the services say."""
        return self.is_platform or self.is_admin or bool(self.root_ids)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and from which source: what the services check and the journal writes down.

    `source` is one of `journal.SOURCES`; `label` is a text that still says who it was when the operator is gone.
    """

    scope: Scope
    label: str
    source: str
    request_id: str = ""


NOTHING = Q(pk__in=[])


class ScopedQuerySet(models.QuerySet[Any]):
    """Rows that belong to a customer and lie at sites.

    The model says once where, in its `rules`.
    """

    def visible_to(self, scope: Scope | None) -> Self:
        """The rows that `scope` may see: the only filter by customer or site in the product."""
        return self.filter(visibility(self.model, scope))

    def within(self, sites: "models.QuerySet[Site]") -> Self:
        """The rows that lie at `sites`, whatever the customer."""
        return self.filter(_at_sites(self.model, sites))


class Scoped(models.Model):
    """A model that `visible_to` can filter."""

    rules: ClassVar[Rules] = Rules()

    # Every row, whoever asks: for the product's own work, never for what a caller asked for.
    unscoped: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        """Django's check of the model, and that its rules name what there is."""
        unknown = cls.rules.unknown_names(cls)
        return [*super().check(**kwargs), *(checks.Error(what, obj=cls, id="chargetree.E001") for what in unknown)]

    @classmethod
    def site_model(cls) -> Any:
        """The model to which `rules.sites` lead: that of sites."""
        model: Any = cls
        for step in cls.rules.sites[0].split("__"):
            model = model._meta.get_field(step).related_model
        return model

    @classmethod
    def in_subtrees(cls, scope: Scope) -> Q:
        """The rows that lie in the granted subtrees of a restricted scope."""
        if not cls.rules.sites:
            return NOTHING
        return _at_sites(cls, cls.site_model()._default_manager.visible_to(scope))

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        """Rows that a restricted operator sees wherever they lie: none, unless the model says so."""
        return NOTHING


def visibility(model: type[models.Model], scope: Scope | None) -> Q:
    """The condition under which a row of `model` is visible to `scope`."""
    if not isinstance(scope, Scope) or not issubclass(model, Scoped):
        return NOTHING
    if scope.is_platform:
        return Q()
    if scope.customer_id is None:
        return NOTHING
    of_customer = Q(**{model.rules.customer: scope.customer_id})
    if scope.is_admin:
        return of_customer
    subtrees = model.in_subtrees(scope) if scope.root_ids else NOTHING
    return of_customer & (subtrees | model.own_rows(scope))


def _at_sites(model: type[Scoped], sites: Any) -> Q:
    condition = Q()
    for path in model.rules.sites:
        condition &= Q(**{f"{path}__in": sites.order_by().values("pk")})
    return condition


def below(site: Any, root_ids: frozenset[int], customer_id: int | OuterRef) -> Exists:
    """Condition on sites: lies at or below one of `root_ids`, in one tree of one customer."""
    return Exists(
        site._default_manager.order_by().filter(
            pk__in=root_ids,
            customer_id=customer_id,
            tree_id=OuterRef("tree_id"),
            lft__lte=OuterRef("lft"),
            rght__gte=OuterRef("rght"),
        )
    )

"""Operators: the back-office people who log in."""

import secrets
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hierarchy import journal
from hierarchy.constraints import SameCustomer
from hierarchy.entity import Entity, EntityQuerySet
from hierarchy.errors import NotPermitted
from hierarchy.fields import KeyField, LineField, NameField, TimestampField
from hierarchy.models import Customer, Site
from hierarchy.rules import Rules
from hierarchy.scoping import Caller, Scope
from hierarchy.text import comparison_key


class OperatorManager(BaseUserManager.from_queryset(EntityQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str) -> "Operator":
        return self.get(email_key=comparison_key(username))

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Operator":
        """Platform staff: a superuser without a customer, for `createsuperuser`."""
        fields.setdefault("name", email)
        operator: Operator = self.model(email=email, is_superuser=True, **fields)
        if not password:
            raise ValidationError(_("No password: set DJANGO_SUPERUSER_PASSWORD, or leave out --noinput."))
        validate_password(password, operator)
        operator.set_password(password)
        operator.full_clean()
        caller = Caller(Scope.platform(), "manage.py createsuperuser", journal.COMMAND)
        with journal.recording(caller):
            operator.save()
        return operator


def new_operator_id() -> str:
    """A public id that says nothing and never changes."""
    return f"op_{secrets.token_hex(8)}"


class Operator(AbstractBaseUser, Entity):
    """A back-office person, who logs in by e-mail.

    An admin operator sees and changes everything of the customer; any other sees the granted subtrees only, which
    without a grant is nothing. `home_site` says which operators see this one. Platform staff are superusers without
    a customer.
    """

    rules = Rules(
        customer_from=("home_site",),
        sites=("home_site",),
        place_fields={"home_site"},
        secret_fields={"password"},
        kept_fields={"last_login", "operator_id"},
    )

    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="operators", verbose_name=_("customer")
    )
    email = LineField(_("email address"), max_length=254, validators=[validate_email])
    email_key = KeyField(of="email")
    name = NameField(_("name"))
    name_key = KeyField(of="name")
    operator_id = LineField(_("operator ID"), max_length=64, default=new_operator_id, editable=False, unique=True)
    home_site = models.ForeignKey(
        Site,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="home_operators",
        verbose_name=_("home site"),
        help_text=_("Determines which operators can see this one. It gives no access."),
    )
    is_admin_operator = models.BooleanField(
        _("admin operator"), default=False, help_text=_("Can see and change everything of the customer.")
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Uncheck to block sign-in and API keys."))
    is_superuser = models.BooleanField(_("platform staff"), default=False, editable=False)
    invited_at = TimestampField(_("invited"), null=True, blank=True, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[OperatorManager] = OperatorManager()

    class Meta:
        verbose_name = _("operator")
        verbose_name_plural = _("operators")
        ordering = ["name_key", "id"]
        constraints = [
            models.UniqueConstraint(fields=["id", "customer"], name="operator_customer"),
            models.UniqueConstraint(
                fields=["email_key"],
                name="operator_email",
                violation_error_message=_("This email address is already in use. Choose another."),
            ),
            SameCustomer(field="home_site", name="operator_home_same_customer"),
            models.CheckConstraint(
                condition=Q(is_superuser=True, customer=None, home_site=None, is_admin_operator=False)
                | Q(is_superuser=False, customer__isnull=False),
                name="operator_customer_or_platform",
                violation_error_message=_("An operator belongs to a customer; platform staff belong to none."),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, **kwargs: Any) -> None:
        # Signing in notes the time and nothing else: no edit.
        if kwargs.get("update_fields") == ["last_login"]:
            type(self).unscoped.filter(pk=self.pk).update(last_login=self.last_login)
            return
        super().save(**kwargs)

    def journal_entry(self, recorder: journal.Recorder, before: Self | None, after: Self | None) -> journal.Entry:
        """Refused with `NotPermitted` when somebody would take the own account away.

        Here, because every road that writes comes by, bulk imports too.
        """
        if before is not None and self.pk == recorder.caller.scope.operator_id:
            if after is None:
                raise NotPermitted(_("You cannot delete your own account. Ask another admin operator."))
            if before.is_active and not after.is_active:
                raise NotPermitted(_("You cannot disable your own account. Ask another admin operator."))
            if before.is_admin_operator and not after.is_admin_operator:
                raise NotPermitted(_("You cannot remove your own admin role. Ask another admin operator."))
        return super().journal_entry(recorder, before, after)

    @property
    def is_last_admin(self) -> bool:
        """Whether nobody else of the customer is an active admin operator. At most one statement."""
        if self.customer_id is None or not (self.is_admin_operator and self.is_active):
            return False
        others = Operator.unscoped.filter(customer_id=self.customer_id, is_admin_operator=True, is_active=True)
        return not others.exclude(pk=self.pk).exists()

    def scope(self) -> Scope:
        """What this operator may see, as of now: one statement for the grants of a restricted operator."""
        if not self.is_active:
            return Scope(customer_id=None)
        if self.is_superuser:
            return Scope.platform(operator_id=self.pk)
        roots: frozenset[int] = frozenset()
        if not self.is_admin_operator:
            roots = frozenset(self.grants.values_list("site_id", flat=True))
        return Scope(
            customer_id=self.customer_id,
            is_admin=self.is_admin_operator,
            root_ids=roots,
            operator_id=self.pk,
        )

    def refusal(self, scope: Scope, before: Self | None) -> str | None:
        if self.pk is not None and self.pk == scope.operator_id:
            return str(_("You cannot change your own account here. Ask an admin operator."))
        if self.is_admin_operator or (before is not None and before.is_admin_operator):
            return str(_("Only an admin operator can create or change an admin operator."))
        if self.pk is not None and not self._grants_lie_within(scope):
            return str(_("This operator has access to sites that you cannot see. Ask an admin operator."))
        return None

    def _grants_lie_within(self, scope: Scope) -> bool:
        return not self.grants.exclude(_site_visible_to(scope)).exists()

    # What django.contrib.admin asks of a user. Rows and fields are decided by the services.
    @property
    def is_staff(self) -> bool:
        return self.is_active

    def has_perm(self, perm: str, obj: object = None) -> bool:
        _app, _dot, action = perm.partition(".")
        if not self.is_active:
            return False
        if self.is_superuser:
            return True
        return action == "view_customer" or not action.endswith(("_customer", "_group", "_permission"))

    def has_perms(self, perms: Any, obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active


def _site_visible_to(scope: Scope) -> Q:
    """The condition on a grant that its site is visible to `scope`."""
    return Q(site__in=Site.objects.visible_to(scope).order_by().values("pk"))

"""Bulk actions on operators."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.actions import EXPORTS, Delete, InvalidSelection, Link, Selection, SetValues, Unlink
from bulk.edits import Edit
from hierarchy.scoping import Scope
from operators.models import Operator, SiteGrant


class KeepAnAdmin:
    """Prevents a bulk action on all active admin operators of a customer. The last one needs its own page."""

    def edit(self, selection: Selection, form: Any) -> Edit:
        edit: Edit = super().edit(selection, form)  # type: ignore[misc]
        operators = Operator.objects.visible_to(Scope.whole_customer(selection.customer.pk))
        admins = set(operators.filter(is_admin_operator=True, is_active=True).values_list("pk", flat=True))
        if admins and admins <= set(edit.ids):
            raise InvalidSelection(gettext("At least one active admin operator must remain. Deselect one."))
        return edit


class Disable(KeepAnAdmin, SetValues):
    """Disables the selected operators."""


class DeleteOperators(KeepAnAdmin, Delete):
    """Deletes operators with their site access, keys and webhooks."""


ACTIONS: tuple[Any, ...] = (
    Link(
        "grant_sight",
        _("Grant access to a site"),
        _("grant %(rows)s access to %(target)s"),
        SiteGrant,
        selected_fk="operator",
        target_fk="site",
        label=_("Site"),
    ),
    Unlink(
        "withdraw_sight",
        _("Revoke access to a site"),
        _("revoke access of %(rows)s to %(target)s"),
        SiteGrant,
        selected_fk="operator",
        target_fk="site",
        label=_("Site"),
    ),
    Disable("disable", _("Disable (blocks sign-in and API keys)"), _("disable %(rows)s"), is_active=False),
    SetValues("enable", _("Enable"), _("enable %(rows)s"), is_active=True),
    DeleteOperators("delete_selected", _("Delete"), _("delete %(rows)s")),
    *EXPORTS,
)

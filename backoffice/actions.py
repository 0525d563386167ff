"""Bulk actions on selected rows of a changelist, or on all rows that match its filters.

An action shows a form if it needs input, and creates an edit of the selected rows. Like an imported file, the edit
becomes a plan: its page previews the changes or the errors, and applies all of them or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import Truncator, format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.callers import WRITE_ERRORS, caller_of, error_message, scope_of
from backoffice.exports import download_rows
from bulk.edits import ADD, DELETE, FORMAT, MOST_ROWS, SET, Edit
from bulk.imports import ImportRequest, import_plan, plan_steps
from bulk.tables import Table, tables
from hierarchy.models import Customer, ImportPlan
from hierarchy.scoping import Scope

# Present in POST data when the form of an action was submitted.
SUBMITTED = "asked"
_MAX_NAMES = 5


class InvalidSelection(Exception):
    """The selected rows or the input do not allow a plan; the message says why."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows selected for an action, in list order, all of one customer."""

    page: Any
    request: HttpRequest
    rows: Any
    ids: tuple[int, ...]
    customer: Customer

    @classmethod
    def of(cls, page: Any, request: HttpRequest, rows: Any) -> Selection:
        """Raises InvalidSelection for no rows, for too many, and for rows of several customers."""
        columns = rows.prefetch_related(None).values_list("pk", page.model.rules.customer)
        found = dict(columns[: MOST_ROWS + 1])
        if not found:
            raise InvalidSelection(gettext("The selected rows no longer exist. Select again."))
        if len(found) > MOST_ROWS:
            raise InvalidSelection(_too_many())
        customers = set(found.values())
        if len(customers) > 1:
            raise InvalidSelection(gettext("The selected rows belong to several customers. Select those of one."))
        (customer_id,) = customers
        customer = Customer.objects.visible_to(scope_of(request)).filter(pk=customer_id).first()
        if customer is None:
            raise InvalidSelection(gettext("The selected rows belong to no customer. Change each on its own page."))
        return cls(page, request, rows, tuple(found), customer)

    @property
    def scope(self) -> Scope:
        return scope_of(self.request)

    @property
    def table(self) -> Table:
        return table_of(self.page.model)

    @property
    def id_subquery(self) -> Any:
        """A subquery with the ids of the selected rows."""
        return self.rows.prefetch_related(None).select_related(None).order_by().values("pk")

    def counted(self) -> str:
        return counted(self.page.model, len(self.ids))

    def names(self) -> list[str]:
        rows = list(self.rows[:_MAX_NAMES])
        labels = self.page.choice_labels(self.request, rows)
        return [labels[row.pk] for row in rows]


def _too_many() -> str:
    message = gettext("More than %(limit)s rows would be changed. Filter the list, or import a file with the changes.")
    return message % {"limit": f"{MOST_ROWS:,}"}


def counted(model: Any, count: int) -> str:
    """`12 chargers`."""
    return f"{count:,} {model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural}"


def table_of(model: Any) -> Table:
    return next(table for table in tables().values() if table.model is model)


class PlannedAction:
    """An action that ends on the page of a plan. `title` names the change, with placeholders for rows and target."""

    allowed_permissions: ClassVar[tuple[str, ...]] = ("change",)

    def __init__(self, name: str, description: Any, title: Any) -> None:
        self.__name__ = name
        self.short_description = description
        self.title = title

    def form(self, selection: Selection, data: Any) -> forms.Form | None:
        """The form for the input of the action, or None. `data` is None before the form is submitted."""
        return None

    def edit(self, selection: Selection, form: Any) -> Edit:
        """The edit of the rows. Raises InvalidSelection when there is nothing to edit."""
        raise NotImplementedError

    def __call__(self, page: Any, request: HttpRequest, rows: Any) -> HttpResponse | None:
        form = None
        try:
            selection = Selection.of(page, request, rows)
            form = self.form(selection, request.POST if SUBMITTED in request.POST else None)
            if form is not None and not form.is_valid():
                return self._ask(selection, form)
            plan = self._plan(selection, form)
        except InvalidSelection as error:
            if form is None:
                page.message_user(request, str(error), messages.WARNING)
                return None
            form.add_error(None, str(error))
            return self._ask(selection, form)
        except WRITE_ERRORS as error:
            page.message_user(request, error_message(error), messages.ERROR)
            return None
        return HttpResponseRedirect(reverse("admin:hierarchy_import_plan", args=[plan.pk]))

    def _plan(self, selection: Selection, form: Any) -> ImportPlan:
        edit = self.edit(selection, form)
        if len(edit.ids) > MOST_ROWS:
            raise InvalidSelection(_too_many())
        target = form.cleaned_data.get("target") if form is not None else None
        words = {"rows": selection.counted(), "target": target or gettext("none")}
        title = Truncator(gettext("Bulk change: %(what)s") % {"what": self.title % words}).chars(250)
        wanted = ImportRequest(title, FORMAT, edit.table)
        plan = import_plan(caller_of(selection.request), selection.customer, edit.packed(), wanted)
        if not plan.findings["errorCount"] and not any(plan_steps(plan)):
            plan.delete()
            raise InvalidSelection(gettext("Nothing to change: all selected rows already have this value."))
        return plan

    def _ask(self, selection: Selection, form: forms.Form) -> HttpResponse:
        request = selection.request
        # The filters select all rows again, but Django requires at least one selected row in the POST data.
        is_across = request.POST.get("select_across") == "1"
        sent = request.POST.getlist(ACTION_CHECKBOX_NAME)
        context = {
            **selection.page.admin_site.each_context(request),
            "title": self.short_description,
            "opts": selection.page.opts,
            "form": form,
            "counted": selection.counted(),
            "names": selection.names(),
            "more": max(len(selection.ids) - _MAX_NAMES, 0),
            "hidden": [
                ("action", self.__name__),
                ("index", "0"),
                ("select_across", "1" if is_across else "0"),
                (SUBMITTED, "1"),
                *((ACTION_CHECKBOX_NAME, one) for one in (sent[:1] if is_across else sent)),
            ],
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/actions/form.html", context)


class TargetForm(forms.Form):
    """Choose the object to assign to the selected rows. `nothing` is the label of the checkbox that clears it."""

    def __init__(
        self, request: Any, customer: Customer, reference: Any, label: Any, data: Any, nothing: Any = ""
    ) -> None:
        super().__init__(data)
        self.customer = customer
        page: Any = admin.site.get_model_admin(reference.model)
        self.fields["target"] = page.formfield_for_foreignkey(
            reference, request, label=label, required=not nothing, help_text=""
        )
        if nothing:
            self.fields["nothing"] = forms.BooleanField(label=nothing, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        target, is_nothing = cleaned.get("target"), cleaned.get("nothing")
        if target is not None and target.owner_id() != self.customer.pk:
            message = _("Belongs to another customer. Choose one of %(name)s.")
            self.add_error("target", message % {"name": self.customer})
        elif target is not None and is_nothing:
            self.add_error("nothing", _("Clear the choice above, or clear this checkbox."))
        elif target is None and not is_nothing and "target" not in self.errors:
            self.add_error("target", _("Choose one."))
        return cleaned


class SetReference(PlannedAction):
    """Sets one foreign key on the selected rows. `nothing` is the label of the checkbox that clears it."""

    def __init__(self, name: str, description: Any, title: Any, field: str, label: Any, nothing: Any = "") -> None:
        super().__init__(name, description, title)
        self.field, self.label, self.nothing = field, label, nothing

    def form(self, selection: Selection, data: Any) -> forms.Form:
        reference = selection.page.model._meta.get_field(self.field)
        # Restricted operators would lose access to rows without a site.
        nothing = "" if selection.scope.is_restricted else self.nothing
        return TargetForm(selection.request, selection.customer, reference, self.label, data, nothing)

    def edit(self, selection: Selection, form: Any) -> Edit:
        target = form.cleaned_data["target"]
        ids, notes = self.rows_to_move(selection)
        values = {self.field: target.pk if target else None}
        return Edit(selection.table.name, SET, ids, values, notes=notes, back=selection.request.get_full_path())

    def rows_to_move(self, selection: Selection) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The ids of the rows to change, and notes about the others."""
        return selection.ids, ()


class MoveSubtrees(SetReference):
    """Moves subtrees. Selected sites below another selected site move with it."""

    def rows_to_move(self, selection: Selection) -> tuple[tuple[int, ...], tuple[str, ...]]:
        topmost: list[int] = []
        above = (0, 0)
        places = selection.rows.order_by("tree_id", "lft").values_list("pk", "tree_id", "rght")
        for pk, tree_id, right in places:
            if tree_id != above[0] or right > above[1]:
                topmost.append(pk)
                above = (tree_id, right)
        along = len(selection.ids) - len(topmost)
        note = gettext("%(count)s of the selected sites are subsites of other selected sites and move with them.")
        return tuple(topmost), ((note % {"count": along},) if along > 0 else ())


class Link(PlannedAction):
    """Creates a row of `model` for each selected row, with foreign keys to the selected row and to the target."""

    def __init__(
        self, name: str, description: Any, title: Any, model: Any, selected_fk: str, target_fk: str, label: Any
    ) -> None:
        super().__init__(name, description, title)
        self.model, self.selected_fk, self.target_fk, self.label = model, selected_fk, target_fk, label

    def form(self, selection: Selection, data: Any) -> forms.Form:
        reference = self.model._meta.get_field(self.target_fk)
        return TargetForm(selection.request, selection.customer, reference, self.label, data)

    def edit(self, selection: Selection, form: Any) -> Edit:
        values = {self.target_fk: form.cleaned_data["target"].pk}
        back = selection.request.get_full_path()
        return Edit(table_of(self.model).name, ADD, selection.ids, values, of=self.selected_fk, back=back)


class Unlink(Link):
    """Deletes the rows of `model` that connect the selected rows with the target."""

    def edit(self, selection: Selection, form: Any) -> Edit:
        links = self.model.objects.visible_to(selection.scope).filter(
            **{f"{self.selected_fk}__in": selection.id_subquery, self.target_fk: form.cleaned_data["target"]}
        )
        ids = tuple(links.order_by("pk").values_list("pk", flat=True))
        if not ids:
            raise InvalidSelection(gettext("Nothing to revoke: none of the selected rows has it."))
        return Edit(table_of(self.model).name, DELETE, ids, {}, back=selection.request.get_full_path())


def driver_rights(model: Any, selected_fk: str) -> tuple[Link, Unlink]:
    """The actions that grant and revoke a driver's right on the selected rows."""
    links: dict[str, Any] = {"model": model, "selected_fk": selected_fk, "target_fk": "driver", "label": _("Driver")}
    grant = _("Grant a driver the right to charge"), _("grant %(target)s a right on %(rows)s")
    revoke = _("Revoke a driver's right to charge"), _("revoke the right of %(target)s on %(rows)s")
    return Link("grant_right", *grant, **links), Unlink("revoke_right", *revoke, **links)


class SetValues(PlannedAction):
    """Sets fixed values on the selected rows."""

    def __init__(self, name: str, description: Any, title: Any, **values: Any) -> None:
        super().__init__(name, description, title)
        self.values = values

    def edit(self, selection: Selection, form: Any) -> Edit:
        ids, notes = _without_own_account(selection)
        return Edit(selection.table.name, SET, ids, self.values, notes=notes, back=selection.request.get_full_path())


class Delete(PlannedAction):
    """Deletes the selected rows and the rows that depend on them."""

    allowed_permissions = ("delete",)

    def edit(self, selection: Selection, form: Any) -> Edit:
        ids, notes = _without_own_account(selection)
        if selection.page.deletion_note:
            notes = (*notes, str(selection.page.deletion_note))
        return Edit(selection.table.name, DELETE, ids, {}, notes=notes, back=selection.request.get_full_path())


def _without_own_account(selection: Selection) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The ids of the selected rows without your own account, and a note if it was skipped."""
    table = selection.table
    spared = table.spares(selection.scope) if table.spares else ()
    ids = tuple(pk for pk in selection.ids if pk not in spared)
    if not ids:
        raise InvalidSelection(gettext("You cannot do this to your own account. Ask another admin operator."))
    return ids, () if ids == selection.ids else (gettext("Your own account was skipped."),)


class ExportAs:
    """Exports the selected rows as a file of the given format."""

    allowed_permissions = ("view",)

    def __init__(self, kind: str) -> None:
        self.__name__ = f"export_{kind}"
        self.kind = kind
        self.short_description = format_lazy(_("Export as {kind}"), kind=kind.upper())

    def __call__(self, page: Any, request: HttpRequest, rows: Any) -> HttpResponseBase | None:
        if not page.has_view_permission(request):
            raise PermissionDenied
        return download_rows(request, table_of(page.model), rows, self.kind)


# Replaces Django's delete action, which writes row by row.
DELETE_SELECTED = Delete("delete_selected", _("Delete"), _("delete %(rows)s"))
EXPORTS = tuple(ExportAs(kind) for kind in ("xlsx", "csv", "json"))
# For every changelist whose model has an import table.
COMMON: tuple[Any, ...] = (DELETE_SELECTED, *EXPORTS)


def missing(request: HttpRequest) -> str:
    """The message for a submitted changelist that lacks selected rows or an action; empty when it has both."""
    if not request.POST.getlist(ACTION_CHECKBOX_NAME):
        return gettext("No rows selected. Select rows with the checkboxes on the left of the list.")
    if not any(request.POST.getlist("action")):
        return gettext("No action selected. Choose an action above the list.")
    return ""


def manages_own_transaction(page: Any, request: HttpRequest) -> bool:
    """Whether all submitted actions manage their own transactions, or need none."""
    known = page.get_actions(request)
    return all(
        isinstance(known[name][0], PlannedAction | ExportAs) for name in request.POST.getlist("action") if name in known
    )


def grouped(page: Any, request: HttpRequest, choices: list[Any]) -> list[Any]:
    """The action choices with all exports in one group at the end."""
    known = page.get_actions(request)
    exports = [one for one in choices if one[0] in known and isinstance(known[one[0]][0], ExportAs)]
    others = [one for one in choices if one not in exports]
    return [*others, (gettext("Export"), exports)] if exports else others

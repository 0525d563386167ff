"""Actions on the chosen rows of a list, or on all that its filters match.

An action asks what it needs to know, and makes an edit of the chosen rows. The edit becomes a plan as a file does: its
page shows what would happen or what is in the way, and applies exactly that or nothing.
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

from backoffice.callers import REFUSALS, caller_of, scope_of, sentence
from backoffice.exports import chosen_rows
from bulk.edits import ADD, DELETE, FORMAT, MOST_ROWS, SET, Edit
from bulk.imports import ImportRequest, import_plan, plan_steps
from bulk.tables import Table, tables
from hierarchy.models import Customer, ImportPlan
from hierarchy.scoping import Scope

# Sent with the answers to what an action asks.
ASKED = "asked"
_MOST_NAMED = 5


class Unfit(Exception):
    """Why nothing can be planned with the chosen rows."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that an action is about, in the order of the list: all of one customer."""

    page: Any
    request: HttpRequest
    rows: Any
    ids: tuple[int, ...]
    customer: Customer

    @classmethod
    def of(cls, page: Any, request: HttpRequest, rows: Any) -> Selection:
        """Raises Unfit for none, for too many, and for rows of several customers."""
        columns = rows.prefetch_related(None).values_list("pk", page.model.rules.customer)
        found = dict(columns[: MOST_ROWS + 1])
        if not found:
            raise Unfit(gettext("Nothing is left of what was chosen: choose again."))
        if len(found) > MOST_ROWS:
            raise Unfit(_too_many())
        customers = set(found.values())
        if len(customers) > 1:
            raise Unfit(gettext("The chosen rows belong to several customers: choose those of one."))
        (customer_id,) = customers
        customer = Customer.objects.visible_to(scope_of(request)).filter(pk=customer_id).first()
        if customer is None:
            raise Unfit(gettext("The chosen rows belong to no customer: change each on its own page."))
        return cls(page, request, rows, tuple(found), customer)

    @property
    def scope(self) -> Scope:
        return scope_of(self.request)

    @property
    def table(self) -> Table:
        return table_of(self.page.model)

    @property
    def own_ids(self) -> Any:
        """A condition's right side that means the chosen rows, however many."""
        return self.rows.prefetch_related(None).select_related(None).order_by().values("pk")

    def counted(self) -> str:
        return counted(self.page.model, len(self.ids))

    def names(self) -> list[str]:
        rows = list(self.rows[:_MOST_NAMED])
        labels = self.page.choice_labels(self.request, rows)
        return [labels[row.pk] for row in rows]


def _too_many() -> str:
    message = gettext("More than %(limit)s rows would be changed: narrow the list, or import a file with the changes.")
    return message % {"limit": f"{MOST_ROWS:,}"}


def counted(model: Any, count: int) -> str:
    """`12 chargers`."""
    return f"{count:,} {model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural}"


def table_of(model: Any) -> Table:
    return next(table for table in tables().values() if table.model is model)


class PlannedAction:
    """An action that ends on the page of a plan. `title` says what happens, with the rows and the target in it."""

    allowed_permissions: ClassVar[tuple[str, ...]] = ("change",)

    def __init__(self, name: str, description: Any, title: Any) -> None:
        self.__name__ = name
        self.short_description = description
        self.title = title

    def form(self, selection: Selection, data: Any) -> forms.Form | None:
        """What has to be asked; `data` are the answers, None before there are any."""
        return None

    def edit(self, selection: Selection, form: Any) -> Edit:
        """What to do with the rows. Raises Unfit when that is nothing."""
        raise NotImplementedError

    def __call__(self, page: Any, request: HttpRequest, rows: Any) -> HttpResponse | None:
        form = None
        try:
            selection = Selection.of(page, request, rows)
            form = self.form(selection, request.POST if ASKED in request.POST else None)
            if form is not None and not form.is_valid():
                return self._ask(selection, form)
            plan = self._plan(selection, form)
        except Unfit as error:
            if form is None:
                page.message_user(request, str(error), messages.WARNING)
                return None
            form.add_error(None, str(error))
            return self._ask(selection, form)
        except REFUSALS as error:
            page.message_user(request, sentence(error), messages.ERROR)
            return None
        return HttpResponseRedirect(reverse("admin:hierarchy_import_plan", args=[plan.pk]))

    def _plan(self, selection: Selection, form: Any) -> ImportPlan:
        edit = self.edit(selection, form)
        if len(edit.ids) > MOST_ROWS:
            raise Unfit(_too_many())
        target = form.cleaned_data.get("target") if form is not None else None
        words = {"rows": selection.counted(), "target": target or gettext("nothing")}
        title = Truncator(gettext("Bulk change: %(what)s") % {"what": self.title % words}).chars(250)
        wanted = ImportRequest(title, FORMAT, edit.table)
        plan = import_plan(caller_of(selection.request), selection.customer, edit.packed(), wanted)
        if not plan.findings["errorCount"] and not any(plan_steps(plan)):
            plan.delete()
            raise Unfit(gettext("Nothing would change: everything is so already."))
        return plan

    def _ask(self, selection: Selection, form: forms.Form) -> HttpResponse:
        request = selection.request
        # All that match are found again by the filters; one row has to be among what is sent nevertheless.
        is_across = request.POST.get("select_across") == "1"
        sent = request.POST.getlist(ACTION_CHECKBOX_NAME)
        context = {
            **selection.page.admin_site.each_context(request),
            "title": self.short_description,
            "opts": selection.page.opts,
            "form": form,
            "counted": selection.counted(),
            "names": selection.names(),
            "more": max(len(selection.ids) - _MOST_NAMED, 0),
            "hidden": [
                ("action", self.__name__),
                ("index", "0"),
                ("select_across", "1" if is_across else "0"),
                (ASKED, "1"),
                *((ACTION_CHECKBOX_NAME, one) for one in (sent[:1] if is_across else sent)),
            ],
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/actions/form.html", context)


class TargetForm(forms.Form):
    """One row to which the chosen ones are to be tied; with `nothing`, a way to tie them to none instead."""

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
            message = _("Belongs to another customer: choose one of %(name)s.")
            self.add_error("target", message % {"name": self.customer})
        elif target is not None and is_nothing:
            self.add_error("nothing", _("Something is chosen above: empty it, or take this mark away."))
        elif target is None and not is_nothing and "target" not in self.errors:
            self.add_error("target", _("Choose one."))
        return cleaned


class Put(PlannedAction):
    """Ties the chosen rows to another row: moves them, or gives them a home. `nothing` says how to tie them to none."""

    def __init__(self, name: str, description: Any, title: Any, field: str, label: Any, nothing: Any = "") -> None:
        super().__init__(name, description, title)
        self.field, self.label, self.nothing = field, label, nothing

    def form(self, selection: Selection, data: Any) -> forms.Form:
        reference = selection.page.model._meta.get_field(self.field)
        # What lies at no site is out of a restricted operator's sight.
        nothing = "" if selection.scope.is_restricted else self.nothing
        return TargetForm(selection.request, selection.customer, reference, self.label, data, nothing)

    def edit(self, selection: Selection, form: Any) -> Edit:
        target = form.cleaned_data["target"]
        ids, notes = self.moving(selection)
        values = {self.field: target.pk if target else None}
        return Edit(selection.table.name, SET, ids, values, notes=notes, back=selection.request.get_full_path())

    def moving(self, selection: Selection) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The rows to put elsewhere, and what to say of the others."""
        return selection.ids, ()


class PutSubtrees(Put):
    """Moves sites with everything below them: what lies below another chosen one goes along with that."""

    def moving(self, selection: Selection) -> tuple[tuple[int, ...], tuple[str, ...]]:
        topmost: list[int] = []
        above = (0, 0)
        places = selection.rows.order_by("tree_id", "lft").values_list("pk", "tree_id", "rght")
        for pk, tree_id, right in places:
            if tree_id != above[0] or right > above[1]:
                topmost.append(pk)
                above = (tree_id, right)
        along = len(selection.ids) - len(topmost)
        note = gettext("%(count)s of the chosen sites lie below others of them and go along, in their place there.")
        return tuple(topmost), ((note % {"count": along},) if along > 0 else ())


class Link(PlannedAction):
    """Grants: makes a row of `model` for each chosen one, which `chosen` leads to; `other` leads to the one asked."""

    def __init__(
        self, name: str, description: Any, title: Any, model: Any, chosen: str, other: str, label: Any
    ) -> None:
        super().__init__(name, description, title)
        self.model, self.chosen, self.other, self.label = model, chosen, other, label

    def form(self, selection: Selection, data: Any) -> forms.Form:
        reference = self.model._meta.get_field(self.other)
        return TargetForm(selection.request, selection.customer, reference, self.label, data)

    def edit(self, selection: Selection, form: Any) -> Edit:
        values = {self.other: form.cleaned_data["target"].pk}
        back = selection.request.get_full_path()
        return Edit(table_of(self.model).name, ADD, selection.ids, values, of=self.chosen, back=back)


class Unlink(Link):
    """Revokes: deletes the rows of `model` between the chosen ones and the one asked."""

    def edit(self, selection: Selection, form: Any) -> Edit:
        links = self.model.objects.visible_to(selection.scope).filter(
            **{f"{self.chosen}__in": selection.own_ids, self.other: form.cleaned_data["target"]}
        )
        ids = tuple(links.order_by("pk").values_list("pk", flat=True))
        if not ids:
            raise Unfit(gettext("There is nothing to revoke: none of the chosen ones has it."))
        return Edit(table_of(self.model).name, DELETE, ids, {}, back=selection.request.get_full_path())


def driver_rights(model: Any, chosen: str) -> tuple[Link, Unlink]:
    """Granting one driver the rights on the chosen rows, to which `chosen` of `model` leads, and revoking them."""
    ends: dict[str, Any] = {"model": model, "chosen": chosen, "other": "driver", "label": _("Driver")}
    grant = _("Grant a driver the right to charge there"), _("grant %(target)s the right on %(rows)s")
    revoke = _("Revoke a driver's right to charge there"), _("revoke the right of %(target)s on %(rows)s")
    return Link("grant_right", *grant, **ends), Unlink("revoke_right", *revoke, **ends)


class Give(PlannedAction):
    """Gives the chosen rows the same values, which need not be asked."""

    def __init__(self, name: str, description: Any, title: Any, **values: Any) -> None:
        super().__init__(name, description, title)
        self.values = values

    def edit(self, selection: Selection, form: Any) -> Edit:
        ids, notes = _spared(selection)
        return Edit(selection.table.name, SET, ids, self.values, notes=notes, back=selection.request.get_full_path())


class Delete(PlannedAction):
    """Deletes the chosen rows with what cannot be without them."""

    allowed_permissions = ("delete",)

    def edit(self, selection: Selection, form: Any) -> Edit:
        ids, notes = _spared(selection)
        if selection.page.deletion_note:
            notes = (*notes, str(selection.page.deletion_note))
        return Edit(selection.table.name, DELETE, ids, {}, notes=notes, back=selection.request.get_full_path())


def _spared(selection: Selection) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The chosen rows without the own account, and that this one was left out."""
    table = selection.table
    spared = table.spares(selection.scope) if table.spares else ()
    ids = tuple(pk for pk in selection.ids if pk not in spared)
    if not ids:
        raise Unfit(gettext("That is your own account: ask somebody else to do it."))
    return ids, () if ids == selection.ids else (gettext("Your own account was left out."),)


class ExportAs:
    """The chosen rows as a file of one kind."""

    allowed_permissions = ("view",)

    def __init__(self, kind: str) -> None:
        self.__name__ = f"export_{kind}"
        self.kind = kind
        self.short_description = format_lazy(_("Export as {kind}"), kind=kind.upper())

    def __call__(self, page: Any, request: HttpRequest, rows: Any) -> HttpResponseBase | None:
        if not page.has_view_permission(request):
            raise PermissionDenied
        return chosen_rows(request, table_of(page.model), rows, self.kind)


# In place of the admin's own deletion, which would write row by row.
DELETE_CHOSEN = Delete("delete_selected", _("Delete"), _("delete %(rows)s"))
EXPORTS = tuple(ExportAs(kind) for kind in ("xlsx", "csv", "json"))
# What every list of rows that files hold can do.
COMMON: tuple[Any, ...] = (DELETE_CHOSEN, *EXPORTS)


def missing(request: HttpRequest) -> str:
    """What a list sent with its button has to be told still: which rows, and what to do with them."""
    if not request.POST.getlist(ACTION_CHECKBOX_NAME):
        return gettext("Nothing was done: mark rows first, at the left of the list.")
    if not any(request.POST.getlist("action")):
        return gettext("Nothing was done: choose above the list what to do with the marked rows.")
    return ""


def is_own_transaction(page: Any, request: HttpRequest) -> bool:
    """Whether what is asked of a list opens its transactions itself, or none."""
    known = page.get_actions(request)
    return all(
        isinstance(known[name][0], PlannedAction | ExportAs) for name in request.POST.getlist("action") if name in known
    )


def grouped(page: Any, request: HttpRequest, choices: list[Any]) -> list[Any]:
    """The choices of the list with the exports together at their end."""
    known = page.get_actions(request)
    exports = [one for one in choices if one[0] in known and isinstance(known[one[0]][0], ExportAs)]
    others = [one for one in choices if one not in exports]
    return [*others, (gettext("Export"), exports)] if exports else others

"""Writing on somebody's behalf: the one rule of who may do what, for admin, API and every other surface.

Each function checks, validates and writes in one transaction, or raises and writes nothing:
`NotFound` for what the caller may not see, `NotPermitted` for what the caller may see but not change,
`ValidationError` for wrong values, `Conflict` for a newer version or a row that blocks.
"""

from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, models
from django.utils.translation import gettext_lazy as _

from hierarchy import journal, tree
from hierarchy.entity import Entity, gone
from hierarchy.errors import Conflict, NotFound, NotPermitted
from hierarchy.models import Customer, Site
from hierarchy.scoping import Caller, Scope, Scoped

Row = TypeVar("Row", bound=Entity)


def save(caller: Caller, row: Row) -> Row:
    """Create or change one row.

    `row.version` must be that of the row as the caller read it; a newer one in the database raises `Conflict`.
    """
    try:
        with journal.recording(caller), row.write_lock():
            _checked(caller.scope, row).save()
    except IntegrityError as error:
        # Somebody else was quicker between the check and the write: look again to say what is in the way.
        _validate(row)
        raise Conflict(_("Conflicts with a simultaneous change. Try again.")) from error
    except ObjectDoesNotExist as error:
        # Seen a moment ago, and deleted since.
        raise Conflict(_("The object it refers to was deleted. Choose another.")) from error
    return row


def delete(caller: Caller, row: Entity, expected_version: int | None = None) -> dict[str, int]:
    """Delete one row and what goes with it; the answer counts the deleted rows by model."""
    try:
        with journal.recording(caller), row.write_lock():
            return _delete(caller.scope, _visible(caller.scope, row), expected_version)
    except (IntegrityError, ObjectDoesNotExist) as error:
        raise Conflict(_("Conflicts with a simultaneous change. Check it again.")) from error


def site_move(caller: Caller, site: Site, parent: Site | None) -> Site:
    """Put a site and everything below it under `parent`, None for the top."""
    with journal.recording(caller), tree.lock():
        current = _visible(caller.scope, site)
        current.parent = parent
        return save(caller, current)


def check_write(scope: Scope, row: Entity, before: Entity | None) -> None:
    """Raise unless `scope` may turn `before` (None: nothing yet) into `row`: contract section 2.

    Both must lie in scope, so that no operation puts a row outside the writer's sight.
    """
    refuse_read_only(scope)
    if scope.is_platform:
        return
    if scope.customer_id is None or row.owner_id() != scope.customer_id:
        raise NotFound(noun(type(row)))
    if isinstance(row, Customer):
        raise NotPermitted(_("Only platform staff can change customers."))
    if scope.is_admin:
        return
    needed = set(row.governing_sites()) | set(before.governing_sites() if before else ())
    if not row.is_own(scope) and not _all_visible(scope, needed):
        raise NotPermitted(_("Outside of the sites you may change."))
    refusal = row.refusal(scope, before)
    if refusal:
        raise NotPermitted(refusal)


def refuse_read_only(scope: Scope) -> None:
    """Raise for a key that may look but not touch."""
    if scope.is_read_only:
        raise NotPermitted(_("This key may only read."))


def noun(model: type[models.Model]) -> str:
    """A model's name as the first word of a sentence."""
    return str(model._meta.verbose_name).capitalize()


def _checked(scope: Scope, row: Row) -> Row:
    """`row`, when `scope` may save it and its values are right."""
    before = None if row._state.adding else _visible(scope, row)
    if not row.is_own(scope):
        _check_references(scope, row, before)
    _complete(scope, row)
    check_write(scope, row, before)
    _validate(row)
    return row


def _validate(row: Entity) -> None:
    row.full_clean(exclude=[field.name for field in row._meta.fields if not field.editable])


def _visible(scope: Scope, row: Row) -> Row:
    held = row.held(scope)
    if held is not None:
        return held
    found = type(row)._default_manager.visible_to(scope).filter(pk=row.pk).first()
    if found is None:
        if type(row).unscoped.filter(pk=row.pk).exists():
            raise NotFound(noun(type(row)))
        raise gone(type(row))
    return found


def _delete(scope: Scope, row: Entity, expected_version: int | None) -> dict[str, int]:
    if expected_version is not None and row.version != expected_version:
        raise Conflict(
            _("%(object)s was changed by someone else. Check it again before you delete it.")
            % {"object": row.natural_key_text},
            code="stale",
        )
    check_write(scope, row, row)
    return row.delete()[1]


def _check_references(scope: Scope, row: Entity, before: Entity | None) -> None:
    """A new reference must lead to a row that the caller can see; any other is unknown, whoever's it is."""
    unknown: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        model = field.related_model
        if model is None or not isinstance(model, type) or not issubclass(model, Scoped):
            continue
        target = getattr(row, field.attname)
        if target is None or (before is not None and target == getattr(before, field.attname)):
            continue
        if not model._default_manager.visible_to(scope).filter(pk=target).exists():  # type: ignore[attr-defined]
            unknown[field.name] = ValidationError(_("Not found, or you have no access to it."), code="unknown")
    if unknown:
        raise ValidationError(unknown)


def _complete(scope: Scope, row: Entity) -> None:
    """Give a new row its customer, and refuse a row that lacks a reference without which nobody can say whose it is."""
    row.inherit_customer()
    references = [field for field in row._meta.concrete_fields if field.is_relation]
    for field in references:
        if field.related_model is Customer and row._state.adding and getattr(row, field.attname) is None:
            setattr(row, field.attname, scope.customer_id)
    missing: dict[str, Any] = {
        field.name: ValidationError(field.error_messages["null"], code="null")
        for field in references
        if not field.null and getattr(row, field.attname) is None
    }
    if missing:
        raise ValidationError(missing)


def _all_visible(scope: Scope, site_ids: set[int | None]) -> bool:
    if None in site_ids:
        return False
    return Site.objects.visible_to(scope).filter(pk__in=site_ids).count() == len(site_ids)

"""The base of every row that people edit: a version, two moments, and a line in the journal for every write."""

from __future__ import annotations

import copy
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Self

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy import journal
from hierarchy.errors import Conflict, Gone
from hierarchy.fields import KeyField, TimestampField
from hierarchy.scoping import Scope, Scoped, ScopedQuerySet


class EntityQuerySet(ScopedQuerySet):
    """Reads as any query set does; writes to many rows at once take bulk imports, which the journal knows."""

    def _refuse(self, method: str) -> None:
        raise TypeError(
            f"{self.model.__name__} rows are written by save() and delete(), or by bulk imports in "
            f"bulk: {method}() would leave no trace in the journal."
        )

    def update(self, **values: Any) -> int:
        self._refuse("update")
        return 0

    def bulk_create(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse("bulk_create")

    def bulk_update(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse("bulk_update")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete row by row, each with its line in the journal."""
        deleted: dict[str, int] = {}
        with journal.recording():
            for row in self.order_by(self.model.rules.deletion_order):
                for label, count in row.delete()[1].items():
                    deleted[label] = deleted.get(label, 0) + count
        return sum(deleted.values()), deleted

    delete.alters_data = True  # type: ignore[attr-defined]


_NOT_HELD = (None, None, None)


class Entity(Scoped):
    """A row that people edit.

    `save` writes only the columns that differ from the database, refuses with `Conflict` when somebody else saved
    the row since it was read, and adds a line to the journal; `delete` likewise.
    """

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    created_at = TimestampField(_("created"), default=timezone.now, editable=False)
    updated_at = TimestampField(_("last changed"), default=timezone.now, editable=False)

    objects = EntityQuerySet.as_manager()

    _held: tuple[journal.Recorder | None, Scope | None, Any] = _NOT_HELD

    class Meta:
        abstract = True

    @property
    def natural_key_text(self) -> str:
        """What a person calls this row in the journal."""
        return str(self)

    @classmethod
    @cache
    def journaled_fields(cls) -> tuple[models.Field[Any, Any], ...]:
        """The columns whose changes are edits."""
        return tuple(
            field
            for field in cls._meta.concrete_fields
            if field.name not in cls.rules.unrecorded_fields and field.name != "customer" and not _is_key(field)
        )

    def owner_id(self) -> int | None:
        """The id of the customer to whom this row belongs."""
        return _walk(self, f"{self.rules.customer}_id")

    @classmethod
    def write_lock(cls) -> AbstractContextManager[None]:
        """What must be held, besides the row itself, from the first read of a row until it is written."""
        return nullcontext()

    def governing_sites(self) -> list[int | None]:
        """The ids of the sites that a restricted operator must see to write this row; None is no site."""
        return [_walk(self, f"{path}_id") for path in self.rules.sites]

    def is_own(self, scope: Scope) -> bool:
        """Whether a restricted operator writes this row wherever it lies, as one's own."""
        return False

    def refusal(self, scope: Scope, before: Self | None) -> str | None:
        """Why a restricted operator may not write this row although its sites are in scope; None if it may."""
        return None

    def inherit_customer(self) -> None:
        """Take the customer of the first of `customer_from` that is set, where none is given."""
        for name in self.rules.customer_from:
            reference = getattr(self, name) if getattr(self, f"{name}_id") is not None else None
            if self.customer_id is None and reference is not None:  # type: ignore[has-type]
                self.customer_id = reference.customer_id

    def prepare(self, before: Self | None) -> None:
        """Fill in what follows from other columns. `before` is the row in the database, None for a new one."""
        self.inherit_customer()
        if before is not None and before.owner_id() != self.owner_id():
            raise Conflict(_("The customer of an object cannot change. Create a new one for the other customer."))

    def stamp(self, before: Self) -> None:
        """Note that and when the row changed."""
        self.version, self.updated_at = before.version + 1, timezone.now()

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """As Django does, but uniqueness is checked by the keys, which nobody edits, and said of the column beside."""
        excluded = set(exclude or ())
        for key in self._meta.concrete_fields:
            if isinstance(key, KeyField):
                key.pre_save(self, self._state.adding)
                if key.of not in excluded:
                    excluded.discard(key.name)
        errors: dict[str, list[ValidationError]] = {}
        for constraint, unconcerned in self._constraints():
            try:
                constraint.validate(type(self), self, exclude=excluded | unconcerned)
            except ValidationError as error:
                for name, found in error.update_error_dict({}).items():
                    place = _blamed(type(self), constraint) if name == NON_FIELD_ERRORS else name
                    if isinstance(constraint, models.UniqueConstraint):
                        found = [ValidationError(one.message, "not_unique", one.params) for one in found]
                    errors.setdefault(place, []).extend(found)
        if errors:
            raise ValidationError(errors)

    @classmethod
    @cache
    def _constraints(cls) -> tuple[tuple[models.BaseConstraint, frozenset[str]], ...]:
        """Each constraint with the columns of which it says nothing: most of its cost is in handing these over.

        Without those that hold by themselves, because the id is among their columns.
        """
        columns = {field.name for field in cls._meta.concrete_fields}
        return tuple(
            (one, frozenset(columns - _concerned(one))) for one in cls._meta.constraints if "id" not in _concerned(one)
        )

    def save(self, **kwargs: Any) -> None:
        using = kwargs.get("using")
        with journal.recording() as recorder:
            before = None if self._state.adding else self._locked(using)
            written = kwargs.pop("update_fields", None)
            if before is not None and written is not None:
                # What is not to be written stays as it is in the database, for the rules and the journal as well.
                for field in self.journaled_fields():
                    if field.name not in written:
                        setattr(self, field.attname, _raw(field, before))
            self.prepare(before)
            if before is None:
                super().save(**{**kwargs, "force_insert": True})
            else:
                for field in self.journaled_fields():
                    setattr(self, field.attname, _stored(field, self))
                changed = [f.name for f in self.journaled_fields() if _raw(f, before) != _raw(f, self)]
                if not changed:
                    return
                self.stamp(before)
                keys = [f.name for f in self._meta.concrete_fields if _is_key(f)]
                kwargs.pop("force_insert", None)
                super().save(**{**kwargs, "update_fields": [*changed, *keys, *self.rules.all_stamps]})
            self._record(recorder, before)

    save.alters_data = True  # type: ignore[attr-defined]

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete the row and, each with its own line in the journal, the rows that go with it.

        Refused with `Conflict`, naming them, while rows exist that this one must not leave behind.
        """
        deleted: dict[str, int] = {}
        with journal.recording() as recorder:
            before = self._locked(using, check_version=False)
            self._refuse_while_blocked()
            for relation in self.related_rows(models.CASCADE):
                # Locked, because somebody may be deleting one of them at this moment.
                rows = relation.related_model.unscoped.select_for_update(of=("self",)).order_by("pk")
                for row in rows.filter(**{relation.field.name: self.pk}):
                    _add(deleted, row.delete()[1])
            entry = self.journal_entry(recorder, before, None)
            _add(deleted, self._delete_row())
            recorder.entries.append(entry)
        return sum(deleted.values()), deleted

    delete.alters_data = True  # type: ignore[attr-defined]

    def _delete_row(self) -> dict[str, int]:
        super().delete()
        return {self._meta.label: 1}

    @classmethod
    def with_references(cls) -> Any:
        """The rows with what they refer to, so that each can be named and placed without another statement."""
        names = (field.name for field in cls._meta.concrete_fields if field.is_relation and field.name != "customer")
        return cls.unscoped.select_related(*names)

    @classmethod
    def related_rows(cls, on_delete: Any) -> list[Any]:
        """The relations to this model that `on_delete` rules, and whose rows the journal knows."""
        return [
            relation
            for relation in cls._meta.related_objects
            if relation.on_delete is on_delete and issubclass(relation.related_model, Entity)
        ]

    def _refuse_while_blocked(self) -> None:
        blockers = []
        for relation in self.related_rows(models.PROTECT):
            rows = relation.related_model.unscoped.filter(**{relation.field.name: self.pk})
            count = rows.count()
            if count:
                named = ", ".join(row.natural_key_text for row in rows.order_by("pk")[:3])
                noun = (
                    relation.related_model._meta.verbose_name_plural
                    if count > 1
                    else (relation.related_model._meta.verbose_name)
                )
                blockers.append(f"{count} {noun} ({named}{', …' if count > 3 else ''})")
        if blockers:
            raise Conflict(
                _("%(object)s cannot be deleted while it has %(blockers)s. Move or delete these first.")
                % {"object": self.natural_key_text, "blockers": "; ".join(blockers)},
                code="blocked",
            )

    def hold(self, scope: Scope) -> None:
        """Say that this row was just read as it is, visible to `scope` and locked: writing it reads it no more.

        Holds until it is written or the transaction ends.
        """
        self._held = (journal.current(), scope, copy.copy(self))

    def held(self, scope: Scope | None = None) -> Self | None:
        """The row as it was read when it was held, for `scope` if one is given; None when it is not held."""
        recorder, held_for, row = self._held
        if recorder is None or recorder is not journal.current() or scope not in (None, held_for):
            return None
        return row

    def _locked(self, using: str | None, check_version: bool = True) -> Self:
        """The row as the database has it, locked until the transaction ends."""
        held, self._held = self.held(), _NOT_HELD
        if held is not None:
            return held
        rows = type(self).unscoped.using(using).select_for_update(of=("self",))
        row = rows.filter(pk=self.pk).first()
        if row is None:
            raise gone(type(self))
        if check_version and row.version != self.version:
            raise Conflict(
                _("%(object)s was changed by someone else. Reload it and repeat your change.")
                % {"object": row.natural_key_text},
                code="stale",
            )
        return row

    def _record(self, recorder: journal.Recorder, before: Self | None) -> None:
        recorder.entries.append(self.journal_entry(recorder, before, self))

    def journal_entry(self, recorder: journal.Recorder, before: Self | None, after: Self | None) -> journal.Entry:
        """The line that the journal gets when `before` becomes `after`; None is no row."""
        fields = journal.differences(before, after)
        shown: Any = after or before
        if before is None:
            action = journal.CREATED
        elif after is None:
            action = journal.DELETED
        else:
            action = journal.MOVED if self.rules.place_fields & fields.keys() else journal.CHANGED
        site_path, driver_path = shown.journal_paths(recorder)
        return journal.Entry(
            customer_id=shown.owner_id(),
            action=action,
            object_type=self._meta.model_name or "",
            object_id=shown.pk,
            natural_key=shown.natural_key_text,
            fields=fields,
            site_path=site_path,
            driver_path=driver_path,
            from_path=before.journal_paths(recorder)[0] if before and action == journal.MOVED else None,
        )

    def site_path(self, recorder: journal.Recorder, site_id: int | None) -> str:
        """Where a site lies, as `/1/7/12/`; empty for no site. Two statements a site, once in a transaction."""
        if site_id is None:
            return ""
        if site_id not in recorder.paths:
            sites: Any = self.site_model()._default_manager
            recorder.paths[site_id] = sites.path_of(site_id)
        return recorder.paths[site_id]

    def journal_paths(self, recorder: journal.Recorder) -> tuple[str, str | None]:
        """Where this row lies: the path of its site, and for a right that of its driver's home site as well."""
        paths = [self.site_path(recorder, site_id) for site_id in self.governing_sites()]
        return (paths[0] if paths else ""), (paths[1] if len(paths) > 1 else None)


def gone(model: type[models.Model]) -> Gone:
    """The error for a row that is not there any more; what it referred to, and was called by, may be gone as well."""
    return Gone(_("This %(noun)s was deleted.") % {"noun": model._meta.verbose_name})


def _concerned(constraint: models.BaseConstraint) -> set[str]:
    """The columns that a constraint compares."""
    condition: Any = getattr(constraint, "condition", None)
    return {*getattr(constraint, "fields", ()), *(condition.referenced_base_fields if condition else ())}


def _blamed(model: type[models.Model], constraint: models.BaseConstraint) -> str:
    """The column whose value a violated constraint is about: of a unique one the last, which the others qualify."""
    if not isinstance(constraint, models.UniqueConstraint):
        return NON_FIELD_ERRORS
    field = model._meta.get_field(constraint.fields[-1])
    return field.of if isinstance(field, KeyField) else field.name


def _is_key(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, KeyField)


def _raw(field: models.Field[Any, Any], row: models.Model) -> Any:
    return getattr(row, field.attname)


def _stored(field: models.Field[Any, Any], row: models.Model) -> Any:
    """A column's value in the form in which it comes back from the database."""
    target = getattr(field, "target_field", field)
    return target.to_python(getattr(row, field.attname))


def _walk(row: Any, path: str) -> Any:
    for step in path.split("__"):
        if row is None:
            return None
        row = getattr(row, step)
    return row


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for label, count in more.items():
        total[label] = total.get(label, 0) + count

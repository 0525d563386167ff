"""What all flat resources share: a collection, its single objects, and ties between two of them.

A resource names its serializer, its place in the addresses and its words; the rest follows. Rows are read through
`visible_to` and written by the services alone, each request in one transaction.
"""

from __future__ import annotations

import functools
import hashlib
from collections import abc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import quote

import orjson
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api import operations
from api.bodies import places, read_items, refuse
from api.conditions import check_writing, entity_tag, is_known
from api.cursors import page_response
from api.errors import BadBody, problem_of
from api.filters import FlatFilterSet, filter_set, place_filters
from api.flat import FlatSerializer
from api.idempotency import Idempotency
from api.lists import Listing
from api.parameters import wrong
from api.schema import Operation, OperationSchema
from api.views import ApiView
from hierarchy import journal, services
from hierarchy.entity import Entity
from hierarchy.errors import Conflict, DomainError, FieldError, NotFound, field_errors
from hierarchy.scoping import Caller

# How many objects one request may make or change.
MOST_ITEMS = 1000


@contextmanager
def writing(caller: Caller, model: type[Entity]) -> Iterator[None]:
    """One transaction, in which rows are read again, locked, and then written by the services."""
    services.refuse_read_only(caller.scope)
    try:
        with journal.recording(caller), model.write_lock():
            yield
    except (IntegrityError, ObjectDoesNotExist) as error:
        raise Conflict(_("Conflicts with a simultaneous change. Try again.")) from error


class Resource(ApiView):
    """Flat objects of one kind.

    `flat`: their serializer. `tag`: their heading in the documentation.
    `key`: the key that tells one from the others of its collection; `parameter`: its name in addresses.
    `within`: the parameters of the address that say in what the collection lies, each with its type and meaning.
    `filters`: declares filters of the list beside those that follow from the keys.
    """

    flat: ClassVar[type[FlatSerializer]]
    tag: ClassVar[str]
    key: ClassVar[str] = "id"
    parameter: ClassVar[str] = ""
    within: ClassVar[Mapping[str, tuple[type, str]]] = {}
    filters: ClassVar[type[FlatFilterSet]] = FlatFilterSet

    schema = OperationSchema()

    @property
    def is_writing(self) -> bool:
        return self.request.method not in ("GET", "HEAD", "OPTIONS")

    @cached_property
    def given(self) -> dict[str, Any]:
        """The columns that follow from the address; raises NotFound for what the caller does not see."""
        return {}

    def rows(self) -> Any:
        """The rows of the collection that the caller sees."""
        return self.flat.model._default_manager.visible_to(self.scope).filter(**self.given)

    def find(self, kind: type[FlatSerializer], key: str, parameter: str, lock: bool = False) -> Any:
        """The row of `kind` whose `key` stands in the address; raises NotFound."""
        rows = kind.model._default_manager.visible_to(self.scope).filter(**self.named(kind, key, parameter))
        return self.only(kind, rows, lock)

    def named(self, kind: type[FlatSerializer], key: str, parameter: str) -> dict[str, Any]:
        """The condition on the rows of `kind` whose `key` stands in the address; raises BadParameters."""
        field = kind.all_fields()[key]
        try:
            return {field.path: field.parse(self.kwargs[parameter])}
        except ValidationError as error:
            raise wrong(parameter, "not_an_id", " ".join(error.messages)) from None

    def only(self, kind: type[FlatSerializer], rows: Any, lock: bool = False) -> Any:
        """The only one of `rows`, locked until the transaction ends if said; raises NotFound."""
        row = (rows.select_for_update(of=("self",)) if lock else rows).first()
        if row is None:
            raise NotFound(kind.noun.capitalize())
        if lock:
            row.hold(self.scope)
        return row

    def objects(self, rows: Any) -> dict[int, dict[str, Any]]:
        """The flat objects of `rows` by the ids of these. One statement."""
        document = self.listing().document
        read = list(rows.order_by().values_list("pk", *document.columns))
        shown = self.shown([document.build(row[1:]) for row in read])
        return {row[0]: item for row, item in zip(read, shown, strict=True)}

    def shown(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The flat objects as the caller may see them: as they are, unless the kind says otherwise."""
        return items

    def answer(self, item: dict[str, Any], code: int = status.HTTP_200_OK, **headers: str) -> Response:
        return Response(item, code, headers={"ETag": tag_of(self.flat, item), **headers})

    @classmethod
    @functools.cache
    def listing(cls) -> Listing:
        return Listing(cls.flat, filter_set(cls.flat, cls.filters, {} if cls.within else place_filters(cls.flat.model)))

    def read(self, kind: type[FlatSerializer]) -> list[dict[str, Any]]:
        """The values of the columns in the body, which is one object or a list."""
        if self.request.stream is None:
            # It must not pass for a change of nothing.
            raise BadBody(_("No request body. Send JSON."))
        return read_items(kind, self.request.data, MOST_ITEMS, {"scope": self.scope, "seen": set()})

    def save(self, rows: Sequence[Entity]) -> list[dict[str, Any]]:
        """Save the rows that stand in the body, and give their objects. All that is wrong is said at once."""
        errors: list[FieldError] = []
        where = places(self.request.data)
        pointers = {field.model_field.name: f"/{key}" for key, field in self.flat.change().all_fields().items()}
        # In the order of their ids, so that two who write the same rows do not wait for one another.
        for place, row in sorted(zip(where, rows, strict=True), key=lambda pair: pair[1].pk or 0):
            try:
                services.save(self.caller, row)
            except ValidationError as error:
                found = field_errors(error, pointers)
                errors += [FieldError(place + one.pointer, one.code, one.detail) for one in found]
            except DomainError as error:
                problem = problem_of(error)
                if place:
                    problem.errors = [FieldError(place, problem.reason or problem.code, problem.detail)]
                    problem.is_of_items = True
                raise problem from error
        refuse(errors, is_of_items=isinstance(self.request.data, list))
        objects = self.objects(self.rows().filter(pk__in=[row.pk for row in rows]))
        return [objects[row.pk] for row in rows]


def tag_of(kind: type[FlatSerializer], item: Mapping[str, Any]) -> str:
    """The entity tag of a flat object: its version and, of what is reported and no edit, a digest."""
    fields = kind.all_fields().items()
    reported = [item[key] for key, field in fields if field.model_field.name in kind.model.rules.reported_fields]
    state = hashlib.blake2b(orjson.dumps(reported), digest_size=6).hexdigest() if reported else ""
    return entity_tag(item["version"], state)


class ReadOnlyCollection(Resource):
    """The list of the objects of a kind."""

    def known_parameters(self) -> abc.Collection[str]:
        return () if self.is_writing else self.listing().parameters

    def repeatable_parameters(self) -> abc.Container[str]:
        return self.listing().repeatable

    def get(self, request: Request, **kwargs: Any) -> Response:
        items, following = self.listing().page(request._request, self.rows(), self.scope)
        return page_response(self.shown(items), following)

    def operation(self, method: str) -> Operation:
        return operations.of_collection(type(self), method)


class Collection(ReadOnlyCollection):
    """The list of the objects of a kind; making one or many; changing many."""

    idempotency = Idempotency(is_one_transaction=True)

    def new_row(self, values: Mapping[str, Any]) -> Any:
        """A row that is not saved yet."""
        return self.flat.model(**self.given, **values)

    def post(self, request: Request, **kwargs: Any) -> Response:
        with writing(self.caller, self.flat.model):
            made = self.save([self.new_row(values) for values in self.read(self.flat.creation())])
        if isinstance(request.data, list):
            return Response(made, status.HTTP_201_CREATED)
        address = f"{request.path}/{quote(str(made[0][self.key]), safe='/')}"
        return self.answer(made[0], status.HTTP_201_CREATED, Location=request.build_absolute_uri(address))

    def patch(self, request: Request, **kwargs: Any) -> Response:
        if not isinstance(request.data, list):
            refuse([FieldError("", "not_a_list", _("Must be a list. Change a single object at its own URL."))])
        if {"If-Match", "If-None-Match"} & set(request.headers):
            raise wrong("If-Match", "not_for_lists", _("Applies to one object. Change it at its own URL."))
        with writing(self.caller, self.flat.model):
            items = self.read(self.flat.change(self.key))
            rows = self._locked(items)
            for row, values in zip(rows, items, strict=True):
                assign(row, values)
            changed = self.save(rows)
        return Response(changed)

    def _locked(self, items: Sequence[dict[str, Any]]) -> list[Any]:
        """The row of each item, which loses the column that named it; raises BadBody."""
        field = self.flat.all_fields()[self.key]
        names = [field.match(item.pop(str(field.source))) for item in items]
        found = self.rows().filter(**{f"{field.path}__in": names}).select_for_update(of=("self",)).order_by("pk")
        rows = {getattr(row, field.path): row for row in found}
        for row in rows.values():
            row.hold(self.scope)
        errors = []
        for index, name in enumerate(names):
            place = f"/{index}/{self.key}"
            if name not in rows:
                errors.append(FieldError(place, "unknown", _("Not found, or you have no access to it.")))
            elif name in names[:index]:
                errors.append(FieldError(place, "repeated", _("Duplicate. Combine both changes.")))
        refuse(errors, is_of_items=True)
        return [rows[name] for name in names]


class Item(Resource):
    """One object of a kind."""

    def own_rows(self) -> Any:
        """The row that the address names, and no other."""
        return self.rows().filter(**self.named(self.flat, self.key, self.parameter))

    def get(self, request: Request, **kwargs: Any) -> Any:
        item = next(iter(self.objects(self.own_rows()).values()), None)
        if item is None:
            raise NotFound(self.flat.noun.capitalize())
        if is_known(request, tag_of(self.flat, item)):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag_of(self.flat, item)})
        return self.answer(item)

    def patch(self, request: Request, **kwargs: Any) -> Response:
        with writing(self.caller, self.flat.model):
            row = self.only(self.flat, self.own_rows(), lock=True)
            check_writing(request, row.version)
            if isinstance(request.data, list):
                refuse([FieldError("", "not_an_object", _("Must be one object. Change several at their list."))])
            (values,) = self.read(self.flat.change())
            assign(row, values)
            (changed,) = self.save([row])
        return self.answer(changed)

    def delete(self, request: Request, **kwargs: Any) -> Response:
        with writing(self.caller, self.flat.model):
            row = self.only(self.flat, self.own_rows(), lock=True)
            check_writing(request, row.version)
            services.delete(self.caller, row)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def operation(self, method: str) -> Operation:
        return operations.of_item(type(self), method)


class Tie(Resource):
    """A row that ties two others together: there or not there. `given` are both, the first locked before writing."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        item = next(iter(self.objects(self.rows()).values()), None)
        if item is None:
            raise NotFound(self.flat.noun.capitalize())
        return self.answer(item)

    def put(self, request: Request, **kwargs: Any) -> Response:
        with writing(self.caller, self.flat.model):
            row = self.rows().first()
            check_writing(request, row and row.version)
            made = row is None
            row = row or services.save(self.caller, self.flat.model(**self.given))
            (item,) = self.objects(self.rows()).values()
        return self.answer(item, status.HTTP_201_CREATED if made else status.HTTP_200_OK)

    def delete(self, request: Request, **kwargs: Any) -> Response:
        with writing(self.caller, self.flat.model):
            row = self.rows().first()
            check_writing(request, row and row.version)
            if row is not None:
                services.delete(self.caller, row)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def operation(self, method: str) -> Operation:
        return operations.of_tie(type(self), method)


def assign(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)

"""What the OpenAPI document says of flat resources, from what they declare."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer
from rest_framework import serializers

from api.flat import FlatSerializer
from api.schema import Operation, path_parameter, tag_parameter

if TYPE_CHECKING:
    from api.resources import Item, ReadOnlyCollection, Resource, Tie

_IF_MATCH = tag_parameter("If-Match", "The ETag of the version to change. Any other version is rejected with 412.")
_IF_NONE_MATCH = tag_parameter("If-None-Match", "The ETag you have: 304 if it is still current.")
_READ_ONLY = "The key is read-only, or the object is outside of what its operator may change"
_NOT_PERMITTED = {403: _READ_ONLY}
_CONFLICT = {409: "Conflicts with existing data, named in `detail`"}
_PRECONDITION = {412: "The object has another version than `If-Match`"}
_ALL_OR_NONE = "All or nothing, at most 1,000. Errors have pointers such as `/index/key`."


def _response_header(name: str, codes: list[int], description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=codes)


_ETAG = _response_header("ETag", [200, 201], "The version, for `If-Match`.")
_LOCATION = _response_header("Location", [201], "The URL of the new object.")
_LINK = _response_header("Link", [200], 'The next page, as `<address>; rel="next"`.')


@functools.cache
def _page_of(flat: type[FlatSerializer]) -> type[serializers.Serializer[Any]]:
    # Serializers have their fields in the order in which these were made.
    items = flat(many=True)
    following = serializers.URLField(allow_null=True, help_text="The address of the next page; null: this is the last.")
    fields = {"items": items, "next": following, "__doc__": "A page of a list."}
    return type(f"{_name(flat)}Page", (serializers.Serializer,), fields)


def _name(flat: type[FlatSerializer]) -> str:
    return flat.__name__.removesuffix("Serializer")


def _id(flat: type[FlatSerializer]) -> str:
    """The kind as a part of an operation's name."""
    return flat.kind[0].upper() + flat.kind[1:]


def _one_or_many(kind: type[FlatSerializer]) -> PolymorphicProxySerializer:
    return PolymorphicProxySerializer(
        f"{_name(kind)}OneOrMany", [kind, kind(many=True)], resource_type_field_name=None, many=False
    )


def _path(resource: type[Resource], *own: OpenApiParameter) -> list[OpenApiParameter]:
    return [*(path_parameter(name, *what) for name, what in resource.within.items()), *own]


def _own(resource: type[Resource]) -> OpenApiParameter:
    is_number = resource.flat.all_fields()[resource.key].schema["type"] == "integer"
    return path_parameter(
        resource.parameter, int if is_number else str, f"The {resource.flat.noun}'s `{resource.key}`."
    )


def _examples(
    resource: type[Resource], given: Any = None, answer: Any = None, code: str = "200"
) -> list[OpenApiExample]:
    examples = []
    if given is not None:
        examples.append(OpenApiExample(f"{resource.flat.kind} in", value=given, request_only=True))
    if answer is not None:
        examples.append(
            OpenApiExample(f"{resource.flat.kind} out", value=answer, response_only=True, status_codes=[code])
        )
    return examples


def of_collection(resource: type[ReadOnlyCollection], method: str) -> Operation:
    flat = resource.flat
    nouns = flat.nouns
    if method == "GET":
        return Operation(
            id=f"list{_id(flat)}s",
            summary=f"List {nouns}",
            description="Page by page. Filters hold together; texts that are ids or names compare ignoring case.",
            tag=resource.tag,
            parameters=[*_path(resource), *resource.listing().described(), _LINK],
            responses={200: _page_of(flat)},
            examples=_examples(resource, answer={"items": [flat.example()], "next": None}),
        )
    if method == "POST":
        return Operation(
            id=f"create{_id(flat)}s",
            summary=f"Create one or more {nouns}",
            description=f"One object, or a list of them: {_ALL_OR_NONE[0].lower()}{_ALL_OR_NONE[1:]}",
            tag=resource.tag,
            parameters=[*_path(resource), _ETAG, _LOCATION],
            request=_one_or_many(flat.creation()),
            responses={201: _one_or_many(flat)},
            errors=_NOT_PERMITTED | _CONFLICT,
            examples=_examples(resource, flat.creation().example(), flat.example(), "201"),
        )
    item = {resource.key: flat.example()[resource.key]} | flat.change_example()
    return Operation(
        id=f"change{_id(flat)}s",
        summary=f"Change several {nouns}",
        description=f"Each item has `{resource.key}` and the keys to change. {_ALL_OR_NONE}",
        tag=resource.tag,
        parameters=_path(resource),
        request=flat.change(resource.key)(many=True),
        responses={200: flat(many=True)},
        errors=_NOT_PERMITTED | _CONFLICT,
        examples=_examples(resource, item, flat.example()),
    )


def of_item(resource: type[Item], method: str) -> Operation:
    flat = resource.flat
    noun = flat.noun
    if method == "GET":
        return Operation(
            id=f"get{_id(flat)}",
            summary=f"Get one {noun}",
            description=f"By its `{resource.key}`, as a flat object.",
            tag=resource.tag,
            parameters=[*_path(resource, _own(resource)), _IF_NONE_MATCH, _ETAG],
            responses={200: flat},
            errors={304: "Not modified"} | _PRECONDITION,
            examples=_examples(resource, answer=flat.example()),
        )
    if method == "PATCH":
        return Operation(
            id=f"change{_id(flat)}",
            summary=f"Change one {noun}",
            description="Missing keys keep their values, null clears a value. Read-only keys may be "
            "sent back unchanged.",
            tag=resource.tag,
            parameters=[*_path(resource, _own(resource)), _IF_MATCH, _ETAG],
            request=flat.change(),
            responses={200: flat},
            errors=_NOT_PERMITTED | _CONFLICT | _PRECONDITION,
            examples=_examples(resource, flat.change_example(), flat.example()),
        )
    return Operation(
        id=f"delete{_id(flat)}",
        summary=f"Delete one {noun}",
        description="Rejected while other objects depend on it; the response names them.",
        tag=resource.tag,
        parameters=[*_path(resource, _own(resource)), _IF_MATCH],
        responses={204: None},
        errors=_NOT_PERMITTED | _CONFLICT | _PRECONDITION,
    )


def of_tie(resource: type[Tie], method: str) -> Operation:
    flat = resource.flat
    if method == "GET":
        return Operation(
            id=f"get{_id(flat)}",
            summary=f"Get one {flat.noun}",
            description="Whether it is there.",
            parameters=[*_path(resource), _ETAG],
            responses={200: flat},
            examples=_examples(resource, answer=flat.example()),
            tag=resource.tag,
        )
    if method == "PUT":
        return Operation(
            id=f"put{_id(flat)}",
            summary=f"Create a {flat.noun}",
            description="201 if it was created, 200 if it already existed. No body is needed.",
            parameters=[*_path(resource), _IF_MATCH, _ETAG],
            responses={200: flat, 201: flat},
            errors=_NOT_PERMITTED | _CONFLICT | _PRECONDITION,
            examples=_examples(resource, answer=flat.example(), code="201"),
            tag=resource.tag,
        )
    return Operation(
        id=f"delete{_id(flat)}",
        summary=f"Delete a {flat.noun}",
        description="204 even if it did not exist.",
        parameters=[*_path(resource), _IF_MATCH],
        responses={204: None},
        errors=_NOT_PERMITTED | _CONFLICT | _PRECONDITION,
        tag=resource.tag,
    )

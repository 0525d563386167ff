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

_IF_MATCH = tag_parameter("If-Match", "The ETag of the version that you have seen: any other is not touched.")
_IF_NONE_MATCH = tag_parameter("If-None-Match", "The ETag of what you have: 304 while it is still that.")
_READ_ONLY = "The key may only read, or this lies outside of what its operator may change"
_NOT_PERMITTED = {403: _READ_ONLY}
_CONFLICT = {409: "It collides with what is there; `detail` names it"}
_PRECONDITION = {412: "It is not in the version that `If-Match` names"}
_ALL_OR_NONE = "All or none, at most 1,000; what is wrong is named as `/index/key`."


def _response_header(name: str, codes: list[int], description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=codes)


_ETAG = _response_header("ETag", [200, 201], "The version, for `If-Match`.")
_LOCATION = _response_header("Location", [201], "The address of the new object.")
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
    noun, nouns = flat.noun, flat.nouns
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
            summary=f"Make one {noun} or many",
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
        summary=f"Change many {nouns}",
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
            summary=f"One {noun}",
            description=f"By its `{resource.key}`, as a flat object.",
            tag=resource.tag,
            parameters=[*_path(resource, _own(resource)), _IF_NONE_MATCH, _ETAG],
            responses={200: flat},
            errors={304: "It is still what you have"} | _PRECONDITION,
            examples=_examples(resource, answer=flat.example()),
        )
    if method == "PATCH":
        return Operation(
            id=f"change{_id(flat)}",
            summary=f"Change one {noun}",
            description="A key that is missing leaves its value alone, null takes it away. Keys that are the object's "
            "own business may be sent back as they came; they change nothing.",
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
        description="Refused while other objects stand in the way, which the answer names.",
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
            summary=f"One {flat.noun}",
            description="Whether it is there.",
            parameters=[*_path(resource), _ETAG],
            responses={200: flat},
            examples=_examples(resource, answer=flat.example()),
            tag=resource.tag,
        )
    if method == "PUT":
        return Operation(
            id=f"put{_id(flat)}",
            summary=f"Give a {flat.noun}",
            description="201 when it was not there before, 200 when it was. No body is needed.",
            parameters=[*_path(resource), _IF_MATCH, _ETAG],
            responses={200: flat, 201: flat},
            errors=_NOT_PERMITTED | _CONFLICT | _PRECONDITION,
            examples=_examples(resource, answer=flat.example(), code="201"),
            tag=resource.tag,
        )
    return Operation(
        id=f"delete{_id(flat)}",
        summary=f"Take away a {flat.noun}",
        description="204 also when it was not there.",
        parameters=[*_path(resource), _IF_MATCH],
        responses={204: None},
        errors=_NOT_PERMITTED | _CONFLICT | _PRECONDITION,
        tag=resource.tag,
    )

"""The OpenAPI document: what drf-spectacular cannot see by itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_array_type
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from api.components import share
from api.examples import add_examples

_FIELD_ERRORS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
    },
}

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `title` is the contract's sentence; with `Accept: text/plain` it is the whole body.",
    "required": ["type", "title", "status", "detail", "instance", "requestId"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "requestId": {"type": "string"},
        "errors": _FIELD_ERRORS,
        "items": {
            "type": "array",
            "description": "Where the body is a list: its items that are wrong, with pointers into each.",
            "items": {
                "type": "object",
                "required": ["index", "errors"],
                "properties": {"index": {"type": "integer", "minimum": 0}, "errors": _FIELD_ERRORS},
            },
        },
    },
    "examples": [
        {
            "type": "/problems/bad-parameters",
            "title": "Errors in the route parameters",
            "status": 400,
            "detail": "limit: Must be a whole number from 1 to 1000.",
            "instance": "/api/v1/sites",
            "requestId": "4f1c0e7a9b2d4c5e8f60718293a4b5c6",
            "errors": [{"pointer": "limit", "code": "limit", "detail": "Must be a whole number from 1 to 1000."}],
        }
    ],
}

NOT_FOUND = "Not there, or not the caller's"


def error_response(description: str) -> OpenApiResponse:
    """An error that an operation has beside those of all."""
    return OpenApiResponse(description=description)


def query_parameter(name: str, description: str, known: Collection[str] = (), **more: Any) -> OpenApiParameter:
    """A textual parameter; `known` are its values."""
    enum = list(known) or None
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=description, enum=enum, **more)


def list_schema(item: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that takes several values."""
    return {"type": "array", "items": dict(item), "minItems": 1}


def described_parameter(name: str, schema: Mapping[str, Any], description: str) -> OpenApiParameter:
    """A parameter by its schema; several values have commas between them."""
    explode = False if schema.get("type") == "array" else None
    return OpenApiParameter(name, dict(schema), OpenApiParameter.QUERY, description=description, explode=explode)


def boolean_parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, bool, OpenApiParameter.QUERY, description=description, default=False)


def path_parameter(name: str, kind: type, description: str) -> OpenApiParameter:
    schema = OpenApiTypes.INT64 if kind is int else kind
    return OpenApiParameter(name, schema, OpenApiParameter.PATH, description=description)


def tag_parameter(name: str, description: str) -> OpenApiParameter:
    """A header with entity tags, as `conditions` reads it."""
    tag = r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"'
    schema = {"type": "string", "pattern": rf"^\s*(\*|{tag}(\s*,\s*{tag})*)\s*$"}
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of one operation, for views whose operations follow from a declaration.

    `responses` are the successes; `errors` the statuses besides those of all operations.
    """

    id: str
    summary: str
    description: str
    tag: str
    responses: Mapping[int, Any]
    request: Any = None
    parameters: Sequence[OpenApiParameter] = ()
    errors: Mapping[int, str] = field(default_factory=dict)
    examples: Sequence[OpenApiExample] = ()


class OperationSchema(AutoSchema):
    """Takes what the view's `operation(method)` says."""

    @property
    def _operation(self) -> Operation:
        view: Any = self.view
        return view.operation(self.method)

    def get_operation_id(self) -> str:
        return self._operation.id

    def get_summary(self) -> str:
        return self._operation.summary

    def get_description(self) -> str:  # type: ignore[override]
        return self._operation.description

    def get_tags(self) -> list[str]:
        return [self._operation.tag]

    def get_override_parameters(self) -> list[Any]:
        return list(self._operation.parameters)

    def get_request_serializer(self) -> Any:
        return self._operation.request

    def get_response_serializers(self) -> Any:
        operation = self._operation
        errors = {status: error_response(description) for status, description in operation.errors.items()}
        return {**operation.responses, **errors}

    def get_examples(self) -> list[OpenApiExample]:
        return list(self._operation.examples)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "operators.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class AdminSessionScheme(OpenApiAuthenticationExtension):
    """Left out: browsers send the admin's session by themselves, and nobody could enter it in Swagger UI."""

    target_class = "operators.authentication.AdminSessionAuthentication"
    name = []

    def get_security_requirement(self, auto_schema: Any) -> list[Any]:
        return []

    def get_security_definition(self, auto_schema: Any) -> list[Any]:
        return []


class RecursiveField(OpenApiSerializerFieldExtension):
    """A list of the serializer that holds it."""

    target_class = "api.wire.Recursive"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        kind = type(self.target.parent)
        return build_array_type(auto_schema.resolve_serializer(kind(), direction).ref)


def _ask_for_no_more(component: dict[str, Any]) -> None:
    """What is only read may come in, and need not."""
    properties = component.get("properties", {})
    required = [name for name in component.pop("required", ()) if not properties[name].get("readOnly")]
    if required:
        component["required"] = required


# The headers that answers have whatever they are about, each with its type and meaning.
_HEADERS = {
    "X-Request-ID": ("string", "The id under which the log has the request: the one that was sent, or a new one."),
    "RateLimit-Policy": (
        "string",
        "How many requests (`q`) may come in how many seconds (`w`), if there is a limit.",
    ),
    "RateLimit": ("string", "How many more may come now (`r`), and in how many seconds (`t`) it is all of them again."),
    "Retry-After": ("integer", "In how many seconds to try again, where waiting helps."),
    "Idempotency-Replayed": (
        "string",
        "`true`: the POST with this `Idempotency-Key` came before, and this is what was answered then.",
    ),
}
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Chosen by the sender, new for every new request: its repeats within 24 hours are not done again.",
}


def _described(kind: str, text: str) -> dict[str, Any]:
    return {"schema": {"type": kind}, "description": text}


def _headers_of(method: str, status: str) -> list[str]:
    """Which of them an answer may have. Errors have those of a POST, so that all operations share them."""
    names = ["X-Request-ID", *(() if status == "401" else ("RateLimit-Policy", "RateLimit"))]
    if status in ("409", "429", "503"):
        names.append("Retry-After")
    elif status != "401" and (method == "post" or status >= "400"):
        names.append("Idempotency-Replayed")
    return names


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Give every operation its errors, with the schema of a problem, its headers and examples; and close every object:
    no key is left unsaid. What operations have in common stands among the components."""
    for component in result["components"]["schemas"].values():
        if component.get("type") == "object":
            component["additionalProperties"] = False
            _ask_for_no_more(component)
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    result["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
    result["servers"] = [{"url": "/", "description": "The one that this document is from."}]
    result["security"] = [{ApiKeyScheme.name: []}]
    content = {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        "text/plain": {"schema": {"type": "string"}},
    }
    result["components"]["headers"] = {name: _described(kind, text) for name, (kind, text) in _HEADERS.items()}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if operation["security"] == result["security"]:
                del operation["security"]
            errors = {"400": "Errors in the parameters or the body", "401": "Customer not found or not authorised"}
            if "{" in path:
                errors["404"] = NOT_FOUND
            errors["406"] = "Only application/json is offered"
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
                errors["411"] = "The body came in chunks, without its length"
                errors["413"] = "The body is larger than it may be"
                errors["415"] = "Only application/json is accepted"
            errors["429"] = "More requests came than the key may send"
            responses = operation["responses"]
            if method == "post":
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
                errors["409"] = "A request with this Idempotency-Key is being answered"
                errors["422"] = "The Idempotency-Key came before, with another request"
            if method == "get" and "ETag" in responses.get("200", {}).get("headers", {}):
                tag = {"ETag": responses["200"]["headers"]["ETag"]}
                responses.setdefault("304", {"description": "It is still the answer that you have", "headers": tag})
            for status, description in errors.items():
                responses.setdefault(status, {"description": description})
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = content
                shown = response.setdefault("headers", {})
                for name in _headers_of(method, status):
                    shown[name] = {"$ref": f"#/components/headers/{name}"}
            operation["responses"] = dict(sorted(responses.items()))
    add_examples(result)
    share(result)
    return result

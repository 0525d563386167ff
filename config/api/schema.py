"""The OpenAPI document: what drf-spectacular cannot see by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import build_array_type
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

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
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
            },
        },
    },
}


NOT_FOUND = "Not there, or not the caller's"


def error_response(description: str) -> OpenApiResponse:
    """An error that an operation has beside those of all."""
    return OpenApiResponse(description=description)


def boolean_parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, bool, OpenApiParameter.QUERY, description=description, default=False)


def path_parameter(name: str, kind: type, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=description)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "operators.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class AdminSessionScheme(OpenApiAuthenticationExtension):
    target_class = "operators.authentication.AdminSessionAuthentication"
    name = "AdminSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class RecursiveField(OpenApiSerializerFieldExtension):
    """A list of the serializer that holds it."""

    target_class = "config.api.wire.Recursive"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        kind = type(self.target.parent)
        return build_array_type(auto_schema.resolve_serializer(kind(), direction).ref)


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Give every operation its errors, with the schema of a problem; and close every object: no key is left unsaid."""
    for component in result["components"]["schemas"].values():
        if component.get("type") == "object":
            component["additionalProperties"] = False
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        "text/plain": {"schema": {"type": "string"}},
    }
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            errors = {"400": "Errors in the parameters or the body", "401": "Customer not found or not authorised"}
            if "{" in path:
                errors["404"] = NOT_FOUND
            errors["406"] = "Only application/json is offered"
            if method == "post":
                errors["415"] = "Only application/json is accepted"
            responses = operation["responses"]
            for status, description in errors.items():
                responses.setdefault(status, {"description": description})
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = content
            operation["responses"] = dict(sorted(responses.items()))
    return result

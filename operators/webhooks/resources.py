"""Webhooks as flat objects, and what else can be done with one: a new secret, telling again, a try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import inputs
from api.bodies import read_items, refuse
from api.conditions import check_writing
from api.flat import FlatSerializer
from api.idempotency import Idempotency
from api.resources import Collection, Item, Resource, tag_of, writing
from api.schema import error_response, path_parameter
from api.views import ApiView
from hierarchy.column_types import ColumnType, StringListType
from hierarchy.entity import Entity
from hierarchy.errors import FieldError, field_errors
from operators.webhooks import services as webhooks
from operators.webhooks.models import EVENTS, Webhook

# A request waits for the receiver, and others wait for the request.
_PATIENCE_S = 5.0


class SecretType(ColumnType):
    """Null, but in the answer that creates it."""

    is_comparable = False
    is_nullable = True
    encode = staticmethod(lambda _value: None)
    decode = encode


class EventsType(StringListType):
    schema = {
        "type": "array",
        "items": {"type": "string", "enum": list(EVENTS)},
        "minItems": 1,
        "uniqueItems": True,
    }
    example = list(EVENTS[:-1])


class FlatWebhookSerializer(FlatSerializer):
    """An address that is told what changes, as far as the operator `operatorId` sees it. `secret` is shown once."""

    model = Webhook
    kind = "webhook"
    noun, nouns = "webhook", "webhooks"
    keys = {
        "id": "id",
        "operatorId": "operator.operator_id",
        "name": "name",
        "url": "url",
        "events": "events",
        "isActive": "is_active",
        "secret": "seed",
        "disabledReason": "disabled_reason",
        "lastSequence": "cursor",
        "lastDelivered": "last_delivered_at",
        "failingSince": "failing_since",
        "lastFailed": "last_failed_at",
        "lastFailure": "last_failure",
        "givenUp": "given_up",
    }
    types = {"events": EventsType, "secret": SecretType}
    sample = {
        "id": 2,
        "operatorId": "op_0f1e2d3c4b5a6978",
        "name": "ERP",
        "url": "https://erp.example.org/hooks/chargetree",
        "isActive": True,
        "lastSequence": 1204,
        "lastDelivered": "2026-06-01T12:00:00Z",
    }


class Webhooks(Resource):
    flat = FlatWebhookSerializer
    tag = "Webhooks"
    parameter = "webhookId"
    # Some have a secret in them.
    idempotency = Idempotency(is_one_transaction=True, keeps_answers=False)


class WebhookCollection(Webhooks, Collection):
    """A new webhook is told what its maker sees, from now on."""

    def new_row(self, values: Mapping[str, Any]) -> Webhook:
        assert self.scope.operator_id is not None
        return Webhook(operator_id=self.scope.operator_id, **values)

    def save(self, rows: Sequence[Entity]) -> list[dict[str, Any]]:
        items = super().save(rows)
        if self.request.method != "POST":
            return items
        return [item | {"secret": webhooks.secret(row)} for item, row in zip(items, rows, strict=True)]  # type: ignore[arg-type]


class WebhookItem(Webhooks, Item):
    pass


_PATH = [path_parameter("webhookId", int, "The webhook's `id`.")]
_ERRORS = {
    403: error_response("The key may only read, or this is the webhook of somebody else"),
    412: error_response("It is not in the version that `If-Match` names"),
}


class _Deed(Webhooks):
    """Something that is done with one webhook."""

    schema = ApiView.schema  # type: ignore[assignment]

    def webhook(self, lock: bool = True) -> Webhook:
        webhook: Webhook = self.find(self.flat, self.key, self.parameter, lock)
        check_writing(self.request, webhook.version)
        return webhook

    def item(self, webhook: Webhook) -> dict[str, Any]:
        return self.objects(self.rows().filter(pk=webhook.pk))[webhook.pk]


class WebhookRotation(_Deed):
    @extend_schema(
        operation_id="rotateWebhook",
        summary="Rotate the secret of a webhook",
        description="The answer has it, and nothing else ever will. For 24 hours messages carry both signatures.",
        parameters=_PATH,
        request=None,
        responses={200: FlatWebhookSerializer, **_ERRORS},
        tags=["Webhooks"],
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        with writing(self.caller, Webhook):
            webhook = self.webhook()
            secret = webhooks.rotate(self.caller, webhook)
            item = self.item(webhook)
        return Response(item | {"secret": secret}, headers={"ETag": tag_of(self.flat, item)})


class WebhookReplaySerializer(serializers.Serializer[Any]):
    """From where to tell again."""

    since = inputs.IntegerInput(
        min_value=0,
        max_value=2**63 - 1,
        help_text="The `sequence` of the last change that is not told again; 0 is everything.",
    )


class WebhookReplay(_Deed):
    @extend_schema(
        operation_id="replayWebhook",
        summary="Replay events to a webhook",
        description="In order and with the same message ids. It may also lie ahead, which leaves out what is between.",
        parameters=_PATH,
        request=WebhookReplaySerializer,
        responses={200: FlatWebhookSerializer, **_ERRORS},
        tags=["Webhooks"],
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        if isinstance(request.data, list):
            refuse([FieldError("", "not_an_object", _("Must be one object: one webhook is replayed at a time."))])
        (values,) = read_items(WebhookReplaySerializer, request.data, 1)
        with writing(self.caller, Webhook):
            webhook = self.webhook()
            try:
                webhooks.replay(self.caller, webhook, values["since"])
            except ValidationError as error:
                refuse(field_errors(error))
            return self.answer(self.item(webhook))


class WebhookTrySerializer(serializers.Serializer[Any]):
    """What came of a message that only tries. `status` is null when there was no answer."""

    delivered = serializers.BooleanField(source="is_ok")
    status = serializers.IntegerField(allow_null=True)
    failure = serializers.CharField()


class WebhookTry(_Deed):
    # It waits for the receiver, and writes nothing.
    idempotency = Idempotency(keeps_answers=False)

    @extend_schema(
        operation_id="tryWebhook",
        summary="Send a test event",
        description=f"A `webhook.test`, at once and only once; the receiver has {_PATIENCE_S:g} seconds to answer.",
        parameters=_PATH,
        request=None,
        responses={200: WebhookTrySerializer, **_ERRORS},
        tags=["Webhooks"],
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        answer = webhooks.attempt(self.caller, self.webhook(lock=False), _PATIENCE_S)
        return Response(WebhookTrySerializer(answer).data)

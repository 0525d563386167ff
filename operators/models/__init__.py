"""The models of operators: accounts, grants, keys, and what requests and webhooks remember."""

from operators.models.api_key import ApiKey
from operators.models.attempts import Attempts
from operators.models.grant import SiteGrant
from operators.models.idempotent_request import IdempotentRequest
from operators.models.operator import Operator, OperatorManager, new_operator_id
from operators.webhooks.models import ToldStatus, Webhook

__all__ = [
    "ApiKey",
    "Attempts",
    "IdempotentRequest",
    "Operator",
    "OperatorManager",
    "SiteGrant",
    "ToldStatus",
    "Webhook",
    "new_operator_id",
]

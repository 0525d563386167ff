"""POST requests that may come again, with their answers."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from hierarchy.fields import TimestampField


class IdempotentRequest(models.Model):
    """A request that may come again, and its answer. `status` is null while it is being answered.

    `owner` is who sent it: a key, or an operator who is signed in. `body` is compressed; null was not kept.
    """

    owner = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    started_at = TimestampField(default=timezone.now)
    request = models.CharField(max_length=64, blank=True, default="")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "name"], name="idempotent_request_once")
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["started_at"], name="idempotent_request_age")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.name}"

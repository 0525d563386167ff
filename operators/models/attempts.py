"""Attempts: how often someone tried something lately."""

from typing import ClassVar

from django.db import models

from hierarchy.fields import TimestampField


class Attempts(models.Model):
    """What one person or client tried of one kind, until `ends_at`, after which it counts for nothing."""

    digest = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    ends_at = TimestampField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["ends_at"], name="attempts_age")]

    def __str__(self) -> str:
        return f"{self.digest[:8]}: {self.count}"

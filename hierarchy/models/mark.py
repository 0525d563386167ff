"""Marks: what changes with a customer's network where the journal has no entry."""

from typing import ClassVar

from django.db import models


class Mark(models.Model):
    """A number that is drawn anew whenever the network changes without a line in the journal.

    Drawn, not counted: a database that was restored does not come upon the numbers of the lost one again.
    """

    customer = models.ForeignKey("hierarchy.Customer", models.CASCADE, related_name="marks", db_index=False)
    place = models.PositiveSmallIntegerField()
    number = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["customer", "place"], name="mark_once")
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.number}"

"""Make an API key."""

import datetime
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hierarchy.management.console import command_caller, find, reporting_errors
from operators import services
from operators.models import Operator


class Command(BaseCommand):
    help = "Make an API key that acts as an operator, and print it, alone, on standard output. It is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="OPERATOR_EMAIL")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument("--read-only", action="store_true", help="may look but not change anything")
        parser.add_argument("--expires", metavar="TIME", help="such as 2027-01-31 or 2027-01-31T18:00Z; default never")

    def handle(self, *args: Any, email: str, name: str, read_only: bool, expires: str | None, **options: Any) -> None:
        operator = find(Operator.objects.all(), email, by="email")
        expires_at = None if expires is None else _moment(expires)
        with reporting_errors():
            key, text = services.api_key_create(
                command_caller("create_api_key"), operator, name, is_read_only=read_only, expires_at=expires_at
            )
        self.stderr.write(f"Created key {key.name} of {operator.email}; it will not be shown again.")
        self.stdout.write(text)


def _moment(text: str) -> datetime.datetime:
    """A moment as ISO 8601 has it; in UTC where it names no offset."""
    try:
        moment = datetime.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        now = timezone.now().replace(microsecond=0)
        raise CommandError(
            f"--expires {text!r} is not a time: write it as in 2027-01-31 or {now.isoformat()}."
        ) from None

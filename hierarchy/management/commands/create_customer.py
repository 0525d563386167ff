"""Make a customer."""

from typing import Any

from django.core.management import BaseCommand, CommandParser

from hierarchy import services
from hierarchy.management.console import command_caller, reporting_errors
from hierarchy.models import Customer


class Command(BaseCommand):
    help = "Make a customer: a charge point operator, to whom sites, drivers and operators then belong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--time-zone", default="UTC", metavar="ZONE", help="such as Europe/Paris; default UTC")

    def handle(self, *args: Any, name: str, time_zone: str, **options: Any) -> None:
        with reporting_errors():
            customer = services.save(command_caller("create_customer"), Customer(name=name, time_zone=time_zone))
        self.stdout.write(f"Created customer {customer.name} (id {customer.pk}).")

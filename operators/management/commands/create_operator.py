"""Make an operator: a first login on a real system."""

import getpass
import secrets
import sys
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from hierarchy.management.console import command_caller, find, reporting_errors
from hierarchy.models import Customer
from operators import services
from operators.models import Operator


class Command(BaseCommand):
    help = (
        "Make an operator of a customer. The password is asked for on a terminal; elsewhere it is read with "
        "--password-stdin, or a random one is printed, alone, on standard output."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--customer", metavar="NAME", help="whose operator; needed")
        parser.add_argument("--name", default="", help="what people call the operator; default the e-mail address")
        parser.add_argument("--admin", action="store_true", help="sees and changes everything of the customer")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(
        self, *args: Any, email: str, customer: str | None, name: str, admin: bool, password_stdin: bool, **options: Any
    ) -> None:
        if customer is None:
            raise CommandError(
                "Whose operator? Give --customer NAME. Platform staff, who belong to no customer, are made with "
                "createsuperuser.",
                returncode=2,
            )
        owner = find(Customer.objects.all(), customer, by="name")
        given = _given_password(password_stdin)
        password = given or secrets.token_urlsafe(15)
        operator = Operator(customer=owner, email=email, name=name or email, is_admin_operator=admin)
        with reporting_errors():
            services.operator_create(command_caller("create_operator"), operator, password)
        kind = "admin operator" if admin else "operator"
        self.stderr.write(f"Created {kind} {operator.email} of {owner.name}.")
        if not admin:
            self.stderr.write("An operator who is no admin sees nothing until sites are granted in the admin.")
        if not given:
            self.stdout.write(password)


def _given_password(from_stdin: bool) -> str:
    """The password that somebody gave; empty where nobody is there to ask."""
    if from_stdin:
        try:
            password = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise CommandError("The password on standard input is not UTF-8 text.") from None
        if not password:
            raise CommandError("There is no password on standard input: write it there, on one line.")
        return password
    if not sys.stdin.isatty():
        return ""
    password = getpass.getpass("Password: ")
    if not password:
        raise CommandError("The password is empty: type at least ten characters.")
    if password != getpass.getpass("Password (again): "):
        raise CommandError("The two passwords differ: nothing was made, try again.")
    return password

"""Fill the database with the demo network."""

import os
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hierarchy.management.console import command_caller, reporting_errors
from hierarchy.models import Customer
from operators import keys
from operators.demo.operators import API_KEY, LOGINS
from operators.demo.seed import Size, seed
from operators.models import ApiKey, Operator

_SIZES = ("customers", "sites", "chargers", "drivers", "operators")


class Command(BaseCommand):
    help = (
        "Fill an empty database with a made-up network at real addresses, the same each time. The demo's logins get "
        f"the passwords in {', '.join(login.secret for login in LOGINS)}, its admin operator the API key in {API_KEY}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        for name in _SIZES:
            default = getattr(Size(), name)
            parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"default {default}")
        parser.add_argument("--force", action="store_true", help="add the demo to a database that holds customers")
        parser.add_argument(
            "--welcome", metavar="URL", help="leave a filled database alone, and say how to sign in at URL"
        )

    def handle(self, *args: Any, force: bool, welcome: str | None, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError(
                "The demo is not for production, where its logins would be a back door: set "
                "CHARGETREE_ENVIRONMENT=demo if this is none."
            )
        size = _size(options)
        is_filled = Customer.objects.exists()
        if is_filled and not force and welcome is None:
            raise CommandError(
                "This database holds customers already, and stays as it is. Use an empty one, or --force to add the "
                "demo beside them."
            )
        if not keys.is_key(os.environ.get(API_KEY, keys.new_key())):
            raise CommandError(f"{API_KEY} is not a key: remove it from .chargetree/local.env, and a new one is made.")
        if not is_filled or force:
            with reporting_errors():
                customers, counts = seed(command_caller("seed_demo"), size, timezone.now(), os.environ)
            if options["verbosity"]:
                self.stdout.write(f"Created {', '.join(customer.name for customer in customers)}:")
                self.stdout.writelines(f"  {count:>7} {kind}\n" for kind, count in counts.items())
        if welcome is not None:
            self._welcome(welcome, os.environ)

    def _welcome(self, url: str, secrets: Mapping[str, str]) -> None:
        """Say how to get in: only what opens this database now, which may have been filled elsewhere or changed."""
        write = self.stdout.write
        write(f"\nChargetree  {url}/admin/   API documentation  {url}/api/docs\n")
        for login in LOGINS:
            operator = Operator.objects.filter(email=login.email, is_active=True).first()
            password = secrets.get(login.secret, "")
            if operator is not None and check_password(password, operator.password):
                write(f"  {login.email:<30}  {password:<24}  {login.who}")
            else:
                write(f"  {login.email:<30}  does not sign in here with the password in {login.secret}")
        text = secrets.get(API_KEY, "")
        key = ApiKey.objects.filter(digest=keys.digest(text), operator__is_active=True).first()
        if key is not None and key.is_valid:
            write(f"\n  API key  {text}")
            write(f"  curl -H 'X-API-Key: {text}' {url}/api/v1/sites/tree\n")
        else:
            write(f"\n  The API key in {API_KEY} opens nothing here.\n")


def _size(options: dict[str, Any]) -> Size:
    size = Size(**{name: options[name] for name in _SIZES})
    if size.customers < 1:
        raise CommandError("--customers must be at least 1.", returncode=2)
    if size.sites < size.customers:
        raise CommandError(
            "--sites must be at least as many as --customers: every customer has a head office.", returncode=2
        )
    for name in _SIZES:
        if getattr(size, name) < 0:
            raise CommandError(f"--{name} must not be negative.", returncode=2)
    return size

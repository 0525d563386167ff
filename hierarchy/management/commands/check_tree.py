"""Check the trees of sites, and repair them."""

from collections.abc import Iterable
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from hierarchy import tree_check
from hierarchy.management.console import command_caller


class Command(BaseCommand):
    help = (
        "Compare the tree numbers of every site with its parents, and look for circles, missing parents and parents "
        "of another customer. Exits with 1 when something is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="repair what is found, then look again")

    def handle(self, *args: Any, fix: bool, **options: Any) -> None:
        findings = tree_check.repair(command_caller("check_tree")) if fix else tree_check.check()
        self._tell(findings)
        if not findings:
            self.stdout.write("The trees are sound.")
            return
        if not fix:
            raise CommandError(f"{_findings(len(findings))}: fix them with check_tree --fix.")
        left = tree_check.check()
        if left:
            self.stdout.write("Still wrong after mending:")
            self._tell(left)
            raise CommandError(f"{_findings(len(left))} could not be fixed.")
        self.stdout.write(f"{_findings(len(findings))} fixed; the trees are sound.")

    def _tell(self, findings: Iterable[tree_check.Damage]) -> None:
        for finding in findings:
            self.stdout.write(str(finding))


def _findings(count: int) -> str:
    return f"{count} finding{'' if count == 1 else 's'}"

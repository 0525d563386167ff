"""What the commands share: who they write as, finding rows by what a person calls them, and telling errors."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.db import models
from django.utils.functional import Promise
from tqdm import tqdm

from hierarchy.errors import DomainError
from hierarchy.journal import COMMAND
from hierarchy.scoping import Caller, Scope
from hierarchy.text import comparison_key


def command_caller(name: str) -> Caller:
    """Whoever may start commands on the server may do anything; the journal names the command."""
    return Caller(scope=Scope.platform(), label=f"manage.py {name}", source=COMMAND)


def find(rows: models.QuerySet[Any], text: str, *, by: str) -> Any:
    """The row whose column `by` is `text`, whatever the case and the spaces.

    `by` has a `KeyField` beside it. Raises CommandError with the nearest there is.
    """
    noun = str(rows.model._meta.verbose_name)
    key = comparison_key(text)
    row = rows.filter(**{f"{by}_key": key}).first()
    if row is not None:
        return row
    named = dict(rows.values_list(f"{by}_key", by))
    near = difflib.get_close_matches(key, named, n=1, cutoff=0.5)
    if near:
        raise CommandError(f"There is no {noun} {text!r}. Did you mean {named[near[0]]!r}?")
    raise CommandError(f"There is no {noun} {text!r}." if named else f"There is no {noun} yet: create one first.")


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Turn the errors of the services into the command's: what is wrong, a line each."""
    try:
        yield
    except ValidationError as error:
        raise CommandError("\n".join(_lines(error))) from error
    except DomainError as error:
        raise CommandError(str(error)) from error


def _lines(error: ValidationError) -> Iterator[str]:
    if not hasattr(error, "error_dict"):
        yield from error.messages
        return
    for name, messages in error.message_dict.items():
        for message in messages:
            yield message if name == "__all__" else f"{name}: {message}"


def shown(rows: Iterable[Any], what: str | Promise, total: int | None) -> Iterable[Any]:
    """A progress bar on standard error, where that is a terminal."""
    return tqdm(rows, desc=str(what), total=total, unit=" rows", file=sys.stderr, disable=None, leave=False)

"""Match a search text against the search fields of a model, rank the results, and highlight the matches.

Changelists and the global search share these rules: each word must occur in one of the columns, and a quoted
phrase counts as one word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Case, IntegerField, Q, When
from django.utils.text import capfirst, smart_split

from hierarchy.fields import KeyField
from hierarchy.scoping import Scope
from hierarchy.text import comparison_key

# Databases reject much longer conditions.
LONGEST = 200
MOST_WORDS = 12

EXACT, BEGINS, CONTAINS = range(3)
_LOOKUPS = {"contains": CONTAINS, "icontains": CONTAINS, "exact": EXACT, "iexact": EXACT}
_OPERATORS = {EXACT: "exact", BEGINS: "startswith", CONTAINS: "contains"}


class SearchTerm(NamedTuple):
    """A search text: as a whole, and split into words."""

    whole: str
    words: list[str]

    @classmethod
    def parse(cls, text: str) -> SearchTerm:
        whole = " ".join(text.replace("\0", " ").split())[:LONGEST]
        words = [_unquoted(word) for word in smart_split(whole)]
        return cls(whole, [word for word in words if word.strip()][:MOST_WORDS])


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


class Part(NamedTuple):
    """A piece of a text, and whether it matches the search."""

    text: str
    is_match: bool = False


@dataclass(frozen=True, slots=True)
class SearchColumn:
    """A searched column. `key` is the lookup path to the compared value, `shown` that to the displayed one.

    `loosest` is the weakest match allowed. `many` is the reverse relation, if a row has several values.
    """

    label: str
    key: str
    shown: str
    field: models.Field[Any, Any]
    loosest: int = CONTAINS
    many: Any = None

    @classmethod
    def of(cls, model: type[models.Model], declared: str) -> SearchColumn:
        """From an entry of `search_fields`."""
        *steps, last = declared.removeprefix("=").split("__")
        loosest = EXACT if declared.startswith("=") else _LOOKUPS.get(last, CONTAINS)
        if last not in _LOOKUPS:
            steps.append(last)
        *relations, name = steps
        label, many = "", None
        for step in relations:
            relation: Any = model._meta.get_field(step)
            model = relation.related_model
            if relation.one_to_many:
                many = relation
            else:
                label = relation.verbose_name
        field: Any = model._meta.get_field(name)
        shown: Any = model._meta.get_field(field.of) if isinstance(field, KeyField) else field
        path = "__".join([*relations, shown.name])
        return cls(str(label or shown.verbose_name), "__".join(steps), path, field, loosest, many)

    def matches(self, text: str, fit: int, scope: Scope) -> Q:
        """The condition that this column matches `text` at least as well as `fit`."""
        fit = min(fit, self.loosest)
        condition = Q(pk__in=[])
        for written in self._spellings(text):
            operator = _OPERATORS[fit] if isinstance(self.field, KeyField) else f"i{_OPERATORS[fit]}"
            path = self.key if self.many is None else self.key.partition("__")[2]
            condition |= Q(**{f"{path}__{operator}": written})
        if self.many is None:
            return condition
        rows = self.many.related_model.objects.visible_to(scope).order_by().filter(condition)
        return Q(pk__in=rows.values(self.many.field.name))

    def _spellings(self, text: str) -> set[str]:
        """The spellings to compare with. SQLite ignores case for ASCII only."""
        if isinstance(self.field, KeyField):
            return {self.field.key(text)} - {""}
        text = unicodedata.normalize("NFC", text)
        return {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}

    def read(self, row: Any) -> list[str]:
        """The values of this column in a row."""
        found = [row]
        for step in self.shown.split("__"):
            found = [value for one in found if one is not None for value in _values(getattr(one, step))]
        return [str(value) for value in found if value is not None]

    def fold(self, text: str) -> str:
        return self.field.key(text) if isinstance(self.field, KeyField) else comparison_key(text)

    def fit(self, value: str, text: str) -> int | None:
        """How well a value matches the text; None if it does not."""
        value, text = self.fold(value), self.fold(text)
        if not text or text not in value:
            return None
        fit = EXACT if value == text else BEGINS if value.startswith(text) else CONTAINS
        return fit if fit <= self.loosest else None


def _values(value: Any) -> Iterable[Any]:
    return value.all() if isinstance(value, models.Manager) else [value]


def columns_of(model: type[models.Model], search_fields: Sequence[str]) -> list[SearchColumn]:
    return [SearchColumn.of(model, declared) for declared in search_fields]


def matching(columns: Sequence[SearchColumn], text: SearchTerm, scope: Scope) -> Q:
    """The condition that each word occurs in one of the columns."""
    condition = Q()
    for word in text.words:
        somewhere = Q(pk__in=[])
        for column in columns:
            somewhere |= column.matches(word, CONTAINS, scope)
        condition &= somewhere
    return condition


def fitness(columns: Sequence[SearchColumn], text: SearchTerm, scope: Scope) -> Case:
    """The rank of a matching row, by its best column."""

    def fits(fit: int) -> Q:
        somewhere = Q(pk__in=[])
        for column in columns:
            somewhere |= column.matches(text.whole, fit, scope)
        return somewhere

    cases = [When(fits(fit), then=fit) for fit in (EXACT, BEGINS)]
    return Case(*cases, default=CONTAINS, output_field=IntegerField())


@dataclass(frozen=True, slots=True)
class MatchReason:
    """Why a row was found: a column and its value with highlighted words."""

    label: str
    text: str
    parts: list[Part]


def reasons(columns: Sequence[SearchColumn], row: Any, text: SearchTerm) -> list[MatchReason]:
    """The best matching column for each word."""
    values = [(column, value) for column in columns for value in column.read(row)]
    best: dict[tuple[str, str], SearchColumn] = {}
    for words in ([text.whole], text.words):
        for word in words:
            fits = [(fit, column, value) for column, value in values if (fit := column.fit(value, word)) is not None]
            if fits:
                _fit, column, value = min(fits, key=lambda one: one[0])
                best[column.shown, value] = column
        if best:
            break
    return [
        MatchReason(capfirst(column.label), value, marked(value, [text.whole, *text.words], column.fold))
        for (_shown, value), column in best.items()
    ]


def marked(text: str, words: Iterable[str], fold: Callable[[str], str]) -> list[Part]:
    """The text in pieces, with all matches of the words marked, compared by their folded forms."""
    text = unicodedata.normalize("NFC", text)
    folded, origin = "", []
    for place, letter in enumerate(text):
        letters = fold(letter) or (" " if letter.isspace() else "")
        folded += letters
        origin += [place] * len(letters)
    is_match = [False] * len(text)
    for word in filter(None, map(fold, words)):
        start = folded.find(word)
        while start >= 0:
            # Up to the last letter, including characters that folding removes in between.
            for place in range(origin[start], origin[start + len(word) - 1] + 1):
                is_match[place] = True
            start = folded.find(word, start + len(word))
    parts: list[Part] = []
    for letter, here in zip(text, is_match, strict=True):
        if parts and parts[-1].is_match == here:
            parts[-1] = Part(parts[-1].text + letter, here)
        else:
            parts.append(Part(letter, here))
    return parts

"""How views answer a POST that comes again with its `Idempotency-Key`: declared here, kept by who knows the callers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What a view says of its POSTs.

    `is_one_transaction`: whether all that one writes may be one transaction with the kept answer. `keeps_answers`:
    whether an answer may be kept at all, which is no place for secrets.
    """

    is_one_transaction: bool = False
    keeps_answers: bool = True


# Answers a request once: given the view, its `post`, the request and the path's parameters, what `post` answers, or has
# answered before.
AnswerStore = Callable[..., Any]
_stores: list[AnswerStore] = []


def register_answer_store(store: AnswerStore) -> None:
    """Have `store` keep the answers, which belong to the keys of operators."""
    _stores[:] = [store]


def answered_once(post: Callable[..., Any]) -> Callable[..., Any]:
    """A view's `post` that heeds the header `Idempotency-Key`."""

    @functools.wraps(post)
    def answer(view: Any, request: Request, **kwargs: Any) -> Any:
        if "Idempotency-Key" not in request.headers:
            return post(view, request, **kwargs)
        return _stores[0](view, functools.partial(post, view), request, **kwargs)

    return answer

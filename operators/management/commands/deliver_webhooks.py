"""Deliver webhooks, for as long as it runs."""

import logging
import signal
import threading
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error, connections
from django.utils import timezone

from hierarchy.management.console import command_caller, reporting_errors
from operators.webhooks import delivery, dispatch
from operators.webhooks import services as webhooks
from operators.webhooks.models import Webhook

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Tell webhooks what changed, until it is stopped. Several may run at once: one webhook is served by one of "
        "them at a time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due now, and end")
        parser.add_argument(
            "--every", type=_positive, default=3, metavar="SECONDS", help="how often to look; default 3"
        )
        parser.add_argument("--workers", type=_positive, default=4, metavar="N", help="webhooks at a time; default 4")
        parser.add_argument("--replay", type=int, metavar="WEBHOOK", help="the id of a webhook to tell again, and end")
        parser.add_argument("--since", type=int, metavar="SEQUENCE", help="the last change that is not told again")

    def handle(
        self, *args: Any, once: bool, every: int, workers: int, replay: int | None, since: int | None, **options: Any
    ) -> None:
        if (replay is None) != (since is None):
            raise CommandError("--replay WEBHOOK and --since SEQUENCE belong together: give both.", returncode=2)
        if replay is not None and since is not None:
            self._replay(replay, since)
        elif once:
            outcomes = _deliver_once()
            self.stdout.write(f"{outcomes[True]} delivered, {outcomes[False]} failed.")
        else:
            _Loop(every, workers).run()

    def _replay(self, webhook_id: int, since: int) -> None:
        webhook = Webhook.unscoped.select_related("operator").filter(pk=webhook_id).first()
        if webhook is None:
            named = ", ".join(f"{one.pk} ({one.name})" for one in Webhook.unscoped.order_by("pk")[:20])
            raise CommandError(
                f"There is no webhook {webhook_id}: {'there are ' + named if named else 'make one first'}."
            )
        with reporting_errors():
            webhooks.replay(command_caller("deliver_webhooks"), webhook, since)
        self.stdout.write(f"{webhook.name} is told again what came after change {since}.")


def _deliver_once() -> Counter[bool]:
    """Serve every webhook until none has anything due; how many messages were delivered, and how many not."""
    outcomes: Counter[bool] = Counter()

    def send(url: str, headers: Mapping[str, str], body: bytes) -> delivery.DeliveryAnswer:
        answer = delivery.post(url, headers, body)
        outcomes[answer.is_ok] += 1
        return answer

    while sum(dispatch.serve(webhook_id, send) for webhook_id in dispatch.due(timezone.now())):
        pass
    return outcomes


class _Loop:
    """Serves webhooks until the process is asked to stop, and lets those that are being served finish."""

    def __init__(self, every_s: int, workers: int) -> None:
        self._every_s, self._workers = every_s, workers
        self._stop = threading.Event()
        self._running: dict[int, Future[None]] = {}

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_what: self._stop.set())
        dispatch.forget_what_is_gone()
        with ThreadPoolExecutor(self._workers) as pool:
            while not self._stop.is_set():
                try:
                    self._start_turns(pool)
                except Error as error:
                    logger.error("Webhooks wait for the database: %s", error)
                    connections.close_all()
                self._stop.wait(self._every_s)
            pool.shutdown(cancel_futures=True)
        connections.close_all()

    def _start_turns(self, pool: ThreadPoolExecutor) -> None:
        self._running = {pk: future for pk, future in self._running.items() if not future.done()}
        for webhook_id in dispatch.due(timezone.now()):
            if webhook_id not in self._running:
                self._running[webhook_id] = pool.submit(self._serve, webhook_id)

    def _serve(self, webhook_id: int) -> None:
        try:
            dispatch.serve(webhook_id, is_stopped=self._stop.is_set)
        except Exception:
            # Whatever it is must not keep the others waiting. The lease runs out by itself.
            logger.exception("Webhook %s could not be served.", webhook_id)
        finally:
            connections.close_all()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)

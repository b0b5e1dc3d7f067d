"""The delivery worker: claims, attempts, concludes, and sleeps until something is due.

Several may run, in one process or in many: leases keep them apart. A worker that dies leaves its leases to run out,
after which its deliveries are attempted again with the same ``event_id``: at least once, never silently lost.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import Counter as MetricCounter
from prometheus_client import Histogram

from ipse import __version__
from ipse.runtime.services import Services
from ipse.security.canonical_json import NotCanonical
from ipse.security.outbound import OutboundClient, OutboundError, OutboundResponse, OutboundTimeout
from ipse.security.signatures import sign
from ipse.webhooks import queue
from ipse.webhooks.policy import Answered, PausePolicy, RetryPolicy, Unanswered
from ipse.webhooks.queue import Claim, Concluded, Room

log = structlog.get_logger(__name__)

POLL_S: Final = 1.0
"""How often the queue is looked at when nothing rings: retries that fall due, events of other processes."""

_SUPERSEDE_EVERY: Final = timedelta(seconds=1)

EXCERPT_BYTES: Final = 2_000
"""What is kept of an answer (W5)."""

_GATHER_S: Final = 0.02
"""How long finished attempts are gathered, so that many are written down, and as many claimed, in one transaction:
half of a worker's processor time went into small ones.
"""

_PATIENCE_S: Final = 0.25
"""After this long an attempt only waits for its receiver: it gives its slot to another one (W9)."""

_WAITING_FOLD: Final = 4
"""How many times the slots may be under way with those that wait for slow receivers."""

ATTEMPTS: Final = MetricCounter("ipse_webhook_attempts", "Delivery attempts", ["result"])
ATTEMPT_SECONDS: Final = Histogram(
    "ipse_webhook_attempt_seconds",
    "Time until a receiver answered",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """An attempt that has begun; ``since`` in seconds of ``time.monotonic``."""

    claim: Claim
    since: float


class DeliveryWorker:
    """Delivers what is due. ``run`` is the service, ``run_once`` a single round for tests and the demo."""

    def __init__(
        self,
        services: Services,
        *,
        client: OutboundClient | None = None,
        retries: RetryPolicy | None = None,
        pauses: PausePolicy | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._services = services
        self._client = client or OutboundClient(timeout_s=services.settings.webhook_timeout_s)
        self._retries = retries or RetryPolicy()
        self._pauses = pauses or PausePolicy()
        self._chance = chance
        self._slots = services.settings.webhook_concurrency
        self.name = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._running: dict[asyncio.Task[Concluded], _UnderWay] = {}
        self._concluded: list[Concluded] = []
        self._superseded_at: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set; attempts under way are finished and written down first."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._round()
                except Exception as error:
                    # The queue is in the database: whatever went wrong here, nothing is lost by trying again.
                    log.error("webhook.worker_failed", error=type(error).__name__, exc_info=error)
                    await asyncio.wait({stopped}, timeout=POLL_S)
                else:
                    await self._wait(stopped)
        finally:
            stopped.cancel()
            await self.drain()
            await self._client.close()

    async def run_once(self) -> int:
        """Attempt everything that is due now, write it down and return how many attempts there were.

        Nothing is left open: kept connections are closed.
        """
        attempts = 0
        try:
            while True:
                await self._round()
                if not self._running:
                    return attempts
                attempts += len(self._running)
                await self.drain()
        finally:
            await self._client.close()

    async def drain(self) -> None:
        """Finish the attempts under way and write them down."""
        if self._running:
            await asyncio.wait(self._running)
        self._collect()
        if self._concluded:
            await self._write(claiming=False)

    async def _round(self) -> None:
        self._collect()
        if self._concluded or self._free() > 0:
            for claim in await self._write(claiming=True):
                self._running[asyncio.create_task(self._attempt(claim))] = _UnderWay(claim, time.monotonic())

    async def _write(self, *, claiming: bool) -> list[Claim]:
        """One transaction: the outcomes since the last one, and new claims."""
        concluded = list(self._concluded)
        claims: list[Claim] = []
        async with self._services.database.writing() as tx:
            await queue.conclude(
                tx,
                concluded,
                worker=self.name,
                retries=self._retries,
                pauses=self._pauses,
                chances=[self._chance() for _ in concluded],
            )
            if claiming:
                now = self._services.clock.now()
                if self._superseded_at is None or now - self._superseded_at >= _SUPERSEDE_EVERY:
                    await queue.supersede(tx, self._services)
                    self._superseded_at = now
                room = self._room()
                if room.free > 0:
                    claims = await queue.claim(tx, self._services, worker=self.name, room=room)
        del self._concluded[: len(concluded)]
        return claims

    def _free(self) -> int:
        """Slots for attempts that begin now. One that waits for a slow receiver costs us nothing and holds none."""
        begun = time.monotonic() - _PATIENCE_S
        busy = sum(one.since > begun for one in self._running.values())
        return min(self._slots - busy, _WAITING_FOLD * self._slots - len(self._running))

    def _room(self) -> Room:
        in_hand = [one.claim for one in self._running.values()]
        return Room(
            free=self._free(),
            busy=Counter(claim.destination_id for claim in in_hand),
            failing=sum(claim.failing for claim in in_hand),
            per_destination=max(1, self._slots * 3 // 4),
            per_failing_destination=max(1, self._slots // 8),
            all_failing=max(1, self._slots // 2),
        )

    async def _wait(self, stopped: asyncio.Task[bool]) -> None:
        longest = POLL_S if self._free() > 0 else _PATIENCE_S
        bell = asyncio.create_task(self._services.deliveries_due.wait(longest))
        try:
            done, _ = await asyncio.wait({bell, stopped, *self._running}, return_when=asyncio.FIRST_COMPLETED)
            if done.isdisjoint({bell, stopped}):
                await asyncio.wait({bell, stopped}, timeout=_GATHER_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()
            await asyncio.gather(bell, return_exceptions=True)

    def _collect(self) -> None:
        for task in [task for task in self._running if task.done()]:
            del self._running[task]
            self._concluded.append(task.result())

    async def _attempt(self, claim: Claim) -> Concluded:
        now = self._services.clock.now()
        try:
            signed = sign(claim.secret, claim.payload, timestamp=int(now.timestamp()))
            response = await self._client.post(
                claim.url,
                body=signed.body,
                headers={
                    **signed.headers,
                    "Content-Type": "application/json",
                    "User-Agent": f"Ipse/{__version__} (webhooks)",
                    "X-Ipse-Delivery": claim.delivery_id,
                    "X-Ipse-Attempt": str(claim.attempts),
                },
                allow_private=claim.allow_private,
            )
        except OutboundError as error:
            return self._unanswered(claim, error)
        except NotCanonical as error:
            ATTEMPTS.labels("unsignable").inc()
            return Concluded(
                claim, Unanswered(error.code, retryable=False), None, None, None, str(error)[:255], self._now()
            )
        except Exception as error:
            # Whatever it is, the attempt must be written down, or the delivery would be tried without end.
            log.error("webhook.attempt_failed", delivery=claim.delivery_id, error=type(error).__name__, exc_info=error)
            ATTEMPTS.labels("error").inc()
            return Concluded(
                claim, Unanswered("ERROR"), None, None, None, "The attempt failed on our side.", self._now()
            )
        return self._answered(claim, response)

    def _answered(self, claim: Claim, response: OutboundResponse) -> Concluded:
        success = 200 <= response.status < 300
        ATTEMPTS.labels("delivered" if success else "refused").inc()
        ATTEMPT_SECONDS.observe(response.milliseconds / 1000)
        log.info(
            "webhook.attempted",
            delivery=claim.delivery_id,
            destination=claim.destination_id,
            attempt=claim.attempts,
            status=response.status,
            ms=response.milliseconds,
        )
        return Concluded(
            claim,
            Answered(response.status, response.headers.get("retry-after")),
            status=response.status,
            milliseconds=response.milliseconds,
            excerpt=_excerpt(response.body),
            error=None if success else f"The receiver answered {response.status}.",
            at=self._now(),
        )

    def _unanswered(self, claim: Claim, error: OutboundError) -> Concluded:
        ATTEMPTS.labels(error.code.lower()).inc()
        log.info(
            "webhook.attempted",
            delivery=claim.delivery_id,
            destination=claim.destination_id,
            attempt=claim.attempts,
            error=error.code,
        )
        outcome = Unanswered(error.code, timed_out=isinstance(error, OutboundTimeout), retryable=error.retryable)
        return Concluded(claim, outcome, None, None, None, str(error)[:255], self._now())

    def _now(self) -> datetime:
        return self._services.clock.now()


def _excerpt(body: bytes) -> str | None:
    """The beginning of an answer as text; NUL, which PostgreSQL cannot store, is dropped."""
    return body[:EXCERPT_BYTES].decode(errors="replace").replace("\x00", "") or None

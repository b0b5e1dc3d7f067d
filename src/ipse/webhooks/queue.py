"""The outbox as a queue: claim what is due under a lease, write down what became of it.

Order within a session and destination: only the earliest pending delivery is ever claimed, so a later status waits
for the earlier one. It does not wait for ever: once an earlier delivery has been retried for 60 seconds and a later
one exists, the earlier one is marked *superseded* and never sent again (W3). A resend, which a person asks for,
stands outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import aliased

from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.storage.database import Transaction
from ipse.storage.tables import ApplicationRow, DeliveryRow, DestinationRow, EventRow
from ipse.webhooks import events
from ipse.webhooks.destinations import secret_context
from ipse.webhooks.policy import Consequence, Delivered, GiveUp, PausePolicy, RetryAt, RetryPolicy
from ipse.webhooks.policy import Outcome as AttemptOutcome
from ipse.webhooks.service import open_payload

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=30)
"""How long a claimed delivery belongs to its worker: several times the longest attempt. A dead worker's come back
then.
"""

SUPERSEDED_AFTER: Final = timedelta(seconds=60)
"""How long a later status waits for an earlier one that keeps failing (W3)."""

_LOOKAHEAD: Final = 2
"""Due deliveries considered at one look for each free slot, before the limit for each destination is applied."""

_LOOKS: Final = 4
"""How often a claim looks past deliveries of destinations that have no room before it makes do with what it has."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many deliveries a worker can take, so that dead destinations do not slow down the others (W9).

    ``busy`` counts what it has in hand per destination, ``failing`` how many of these go to failing ones.
    """

    free: int
    busy: Mapping[str, int]
    failing: int
    per_destination: int
    per_failing_destination: int
    all_failing: int

    def after(self, taken: Sequence[_Due]) -> Room:
        """Return what is left once ``taken`` are in hand as well."""
        return replace(
            self,
            free=self.free - len(taken),
            busy=Counter(self.busy) + Counter(due.destination_id for due in taken),
            failing=self.failing + sum(due.failing for due in taken),
        )


@dataclass(frozen=True, slots=True)
class _Due:
    """A delivery that could be claimed; ``rank`` counts from 1 within its destination, oldest first."""

    delivery_id: str
    destination_id: str
    rank: int
    failing: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker may attempt until its lease ends."""

    delivery_id: str
    destination_id: str
    url: str
    secret: str
    payload: Mapping[str, Any]
    attempts: int
    """Number of this attempt, from 1."""
    allow_private: bool
    failing: bool
    """The destination's last attempt failed."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """What became of one attempt. ``excerpt`` is at most 2 kB of the answer."""

    claim: Claim
    outcome: AttemptOutcome
    status: int | None
    milliseconds: int | None
    excerpt: str | None
    error: str | None
    at: datetime


async def claim(tx: Transaction, services: Services, *, worker: str, room: Room) -> list[Claim]:
    """Lease due deliveries to ``worker``, as many as it has room for."""
    now = services.clock.now()
    chosen = await _due(tx, now, room)
    if not chosen:
        return []
    leased = await tx.scalars(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(chosen))
        .values(
            leased_until=now + LEASE,
            leased_by=worker,
            attempts=DeliveryRow.attempts + 1,
            first_attempt_at=func.coalesce(DeliveryRow.first_attempt_at, now),
            last_attempt_at=now,
        )
        .returning(DeliveryRow.id)
        .execution_options(synchronize_session=False)
    )
    rows = await tx.execute(
        select(DeliveryRow, EventRow, DestinationRow, ApplicationRow.allow_private_webhooks)
        .join(EventRow, EventRow.id == DeliveryRow.event_id)
        .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
        .join(ApplicationRow, ApplicationRow.id == DestinationRow.application_id)
        .where(DeliveryRow.id.in_(leased.all()))
        .order_by(DeliveryRow.due_at, DeliveryRow.position)
        .execution_options(populate_existing=True)
    )
    claims = []
    for delivery, event, destination, allow_private in rows.all():
        try:
            claims.append(_opened(services, delivery, event, destination, allow_private=allow_private))
        except CannotOpen:
            # Not sent and not lost: the lease runs out and the delivery is tried again, with the keys then known.
            log.error("webhook.cannot_open", delivery=delivery.id, destination=destination.id)
    return claims


async def conclude(
    tx: Transaction,
    concluded: Sequence[Concluded],
    *,
    worker: str,
    retries: RetryPolicy,
    pauses: PausePolicy,
    chances: Sequence[float],
) -> None:
    """Write down attempts. One whose lease has passed to another worker is left to that worker."""
    attempts = {
        attempt.claim.delivery_id: (attempt, chance) for attempt, chance in zip(concluded, chances, strict=True)
    }
    if not attempts:
        return
    destinations = await _lock_changing(tx, concluded)
    rows = await tx.scalars(
        select(DeliveryRow).where(DeliveryRow.id.in_(attempts)).order_by(DeliveryRow.id).with_for_update()
    )
    held = [row for row in rows if row.leased_by == worker and row.attempts == attempts[row.id][0].claim.attempts]
    for row in held:
        attempt, chance = attempts[row.id]
        consequence = retries.after(attempt.outcome, attempts=row.attempts, now=attempt.at, chance=chance)
        _write_down(row, attempt, consequence)
        destination = destinations.get(row.destination_id)
        reason = _judge(destination, row, consequence, attempt.at, pauses) if destination is not None else None
        if destination is not None and reason is not None:
            await _pause(tx, destination, reason, attempt.at)
    await tx.flush()


async def supersede(tx: Transaction, services: Services) -> None:
    """Mark what has been retried for 60 seconds while a later status of its session waits."""
    now = services.clock.now()
    later = aliased(DeliveryRow)
    superseded = await tx.scalars(
        update(DeliveryRow)
        .where(
            DeliveryRow.state == "pending",
            DeliveryRow.is_resend.is_(False),
            DeliveryRow.session_id.is_not(None),
            DeliveryRow.first_attempt_at <= now - SUPERSEDED_AFTER,
            # A worker that died in mid-attempt wrote down no failure: what it held is tried again, not given up.
            or_(DeliveryRow.response_status.is_not(None), DeliveryRow.error.is_not(None)),
            or_(DeliveryRow.leased_until.is_(None), DeliveryRow.leased_until <= now),
            select(later.id)
            .where(
                later.destination_id == DeliveryRow.destination_id,
                later.session_id == DeliveryRow.session_id,
                _is_pending(later),
                later.is_resend.is_(False),
                later.position > DeliveryRow.position,
            )
            .exists(),
        )
        .values(state="superseded", leased_until=None, leased_by=None)
        .returning(DeliveryRow.id)
        .execution_options(synchronize_session=False)
    )
    for delivery_id in superseded.all():
        log.info("webhook.superseded", delivery=delivery_id)


async def _lock_changing(tx: Transaction, concluded: Sequence[Concluded]) -> Mapping[str, DestinationRow]:
    """Lock the destinations that these attempts may change, and return them by id.

    A success changes nothing at a destination that works, and nearly all are of this kind: workers that wait for one
    another's commits are slower together than one of them. Destinations are locked before deliveries, each in the order
    of ids, as in every other transaction: no two can deadlock. NO KEY UPDATE lets requests go on adding deliveries.
    """
    failed = {one.claim.destination_id for one in concluded if one.error is not None}
    found = await tx.scalars(
        select(DestinationRow)
        .where(
            DestinationRow.id.in_({one.claim.destination_id for one in concluded}),
            or_(DestinationRow.id.in_(failed), DestinationRow.consecutive_failures > 0),
        )
        .order_by(DestinationRow.id)
        .with_for_update(key_share=True)
    )
    return {row.id: row for row in found}


async def _due(tx: Transaction, now: datetime, room: Room) -> Sequence[str]:
    chosen: list[str] = []
    for _ in range(_LOOKS):
        due, more = await _look(tx, now, room, besides=chosen)
        fair = _fair(due, room)
        chosen += [one.delivery_id for one in fair]
        room = room.after(fair)
        if room.free <= 0 or not more:
            break
        # All that was seen belongs to destinations without room: behind their backlog others may wait.
    return chosen


async def _look(tx: Transaction, now: datetime, room: Room, *, besides: Sequence[str]) -> tuple[list[_Due], bool]:
    """Return and lock the oldest due deliveries of destinations with room, and say whether there may be more.

    What another worker is just claiming is passed over, so that workers take different deliveries without waiting for
    one another. SQLite has one writer and ignores the lock.
    """
    earlier = aliased(DeliveryRow)
    limit = _LOOKAHEAD * room.free
    rows = await tx.execute(
        select(DeliveryRow.id, DeliveryRow.destination_id, DestinationRow.failing_since)
        .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
        .where(
            _free(now),
            DeliveryRow.id.not_in(besides),
            DeliveryRow.destination_id.not_in(_without_room(room)),
            or_(
                DeliveryRow.is_resend.is_(True),
                DeliveryRow.session_id.is_(None),
                ~select(earlier.id)
                .where(
                    earlier.destination_id == DeliveryRow.destination_id,
                    earlier.session_id == DeliveryRow.session_id,
                    _is_pending(earlier),
                    earlier.is_resend.is_(False),
                    or_(
                        earlier.position < DeliveryRow.position,
                        and_(earlier.position == DeliveryRow.position, earlier.created_at < DeliveryRow.created_at),
                        and_(
                            earlier.position == DeliveryRow.position,
                            earlier.created_at == DeliveryRow.created_at,
                            earlier.id < DeliveryRow.id,
                        ),
                    ),
                )
                .exists(),
            ),
        )
        .order_by(DeliveryRow.due_at, DeliveryRow.position)
        .limit(limit)
        .with_for_update(skip_locked=True, of=DeliveryRow)
    )
    ranks = Counter[str]()
    due = []
    for row in rows:
        ranks[row.destination_id] += 1
        due.append(_Due(row.id, row.destination_id, ranks[row.destination_id], row.failing_since is not None))
    return due, len(due) == limit


def _without_room(room: Room) -> Select[Any]:
    """Select the destinations that can take nothing now. Failing ones have less room, however much they wait for."""
    full = [destination for destination, count in room.busy.items() if count >= room.per_destination]
    nearly = [destination for destination, count in room.busy.items() if count >= room.per_failing_destination]
    failing: ColumnElement[bool] = DestinationRow.failing_since.is_not(None)
    if room.failing < room.all_failing:
        failing = and_(failing, DestinationRow.id.in_(nearly))
    return select(DestinationRow.id).where(or_(DestinationRow.id.in_(full), failing))


def _is_pending(other: type[DeliveryRow]) -> ColumnElement[bool]:
    """Compare in a way that no index serves: SQLite, which keeps no statistics, would otherwise look for the session's
    other deliveries among all pending ones (47 ms a claim at 2,000 of them) instead of among those of the session.
    """
    return func.coalesce(other.state, "") == "pending"


def _fair(candidates: Iterable[_Due], room: Room) -> list[_Due]:
    """Choose what there is room for, oldest first."""
    chosen: list[_Due] = []
    failing = room.failing
    for due in candidates:
        limit = room.per_failing_destination if due.failing else room.per_destination
        if len(chosen) == room.free or due.rank + room.busy.get(due.destination_id, 0) > limit:
            continue
        if due.failing:
            if failing >= room.all_failing:
                continue
            failing += 1
        chosen.append(due)
    return chosen


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(
        DeliveryRow.state == "pending",
        DeliveryRow.due_at <= now,
        or_(DeliveryRow.leased_until.is_(None), DeliveryRow.leased_until <= now),
    )


def _opened(
    services: Services, delivery: DeliveryRow, event: EventRow, destination: DestinationRow, *, allow_private: bool
) -> Claim:
    ring = services.ordinary_ring
    payload = open_payload(ring, event)
    wanted = events.interest(destination.subscribed_events, event.webhook_type, event.status)
    if wanted is not None and wanted.alias is not None:
        payload["event_alias"] = wanted.alias
    return Claim(
        delivery_id=delivery.id,
        destination_id=destination.id,
        url=destination.url,
        secret=ring.open(destination.secret_sealed, context=secret_context(destination)).decode(),
        payload=payload,
        attempts=delivery.attempts,
        allow_private=allow_private,
        failing=destination.failing_since is not None,
    )


def _write_down(row: DeliveryRow, attempt: Concluded, consequence: Consequence) -> None:
    row.leased_until = row.leased_by = None
    row.response_status = attempt.status
    row.response_ms = attempt.milliseconds
    row.response_excerpt = attempt.excerpt
    row.error = attempt.error
    match consequence:
        case Delivered():
            row.state = "delivered"
            row.delivered_at = attempt.at
        case RetryAt(due):
            row.due_at = due
        case GiveUp():
            row.state = "failed"


def _judge(
    row: DestinationRow, delivery: DeliveryRow, consequence: Consequence, at: datetime, pauses: PausePolicy
) -> str | None:
    """Count a success or failure of a destination; return the reason if it is to be paused."""
    if not row.enabled:
        if isinstance(consequence, RetryAt):
            delivery.state = "paused"  # it was under way when the destination was switched off
        return None
    if isinstance(consequence, Delivered):
        if row.consecutive_failures:
            row.failing_since = None
            row.consecutive_failures = 0
        return None
    warned = pauses.warning_is_due(failing_since=row.failing_since, failures=row.consecutive_failures, now=at)
    row.failing_since = row.failing_since or at
    row.consecutive_failures += 1
    if isinstance(consequence, GiveUp) and consequence.gone:
        return "The receiver answered 410 Gone."
    if pauses.is_due(failing_since=row.failing_since, failures=row.consecutive_failures, now=at):
        return "Every delivery has failed for several days."
    if not warned and pauses.warning_is_due(failing_since=row.failing_since, failures=row.consecutive_failures, now=at):
        log.warning("webhook.destination_failing", destination=row.id, failures=row.consecutive_failures)
    return None


async def _pause(tx: Transaction, row: DestinationRow, reason: str, at: datetime) -> None:
    row.enabled = False
    row.paused_at = at
    row.pause_reason = reason
    await tx.flush()
    await tx.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.destination_id == row.id,
            DeliveryRow.state == "pending",
            or_(DeliveryRow.leased_until.is_(None), DeliveryRow.leased_until <= at),
        )
        .values(state="paused")
        .execution_options(synchronize_session=False)
    )
    log.error("webhook.destination_paused", destination=row.id, reason=reason)

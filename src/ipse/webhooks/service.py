"""Record an event with the change it reports, look at its deliveries, send one again.

The outbox is the delivery queue (decision 0007): an event and one delivery for each destination that wants it are
rows of the caller's transaction. They exist exactly if the change does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from ipse.runtime.scope import Scope
from ipse.security.canonical_json import canonical_bytes
from ipse.security.keyring import KeyRing
from ipse.storage.database import after_commit
from ipse.storage.tables import DeliveryRow, DestinationRow, EventRow
from ipse.webhooks import events, repository
from ipse.webhooks.errors import DeliveryNotFound, DestinationDisabled
from ipse.webhooks.repository import DeliveryFacts


async def record_event(
    scope: Scope,
    *,
    session_id: str | None,
    session_version: int | None,
    webhook_type: str,
    status: str | None,
    payload: Mapping[str, Any],
) -> str:
    """Add an event to the caller's transaction and return its ``event_id``, the same in every attempt.

    Args:
        session_version: number of the status change; it orders the session's events. A ``data.updated`` carries the
            version of the status it happened in.
        payload: the body without ``event_id``, ``webhook_type``, ``timestamp`` and ``created_at``. The first two are
            added here, the others are stamped on every attempt.

    Raises:
        NotCanonical: the payload has no portable JSON text.
    """
    services = scope.services
    now = services.clock.now()
    event_id = services.identifiers.uuid()
    envelope = {"application_id": scope.application_id, "environment": scope.application.mode.value}
    body = canonical_bytes({**envelope, **payload, "event_id": event_id, "webhook_type": webhook_type})
    scope.tx.add(
        EventRow(
            id=event_id,
            application_id=scope.application_id,
            session_id=session_id,
            # Unique for changes of status: one version, one event. Other events may repeat within a version.
            session_version=session_version if webhook_type == "status.updated" else None,
            webhook_type=webhook_type,
            status=status,
            payload_sealed=services.ordinary_ring.seal(body, context=payload_context(scope.application_id, event_id)),
            occurred_at=now,
        )
    )
    await scope.tx.flush()
    for destination in await repository.destinations(scope):
        waits = destination.paused_at is not None
        if not (destination.enabled or waits):
            continue
        if events.interest(destination.subscribed_events, webhook_type, status) is not None:
            _enqueue(scope, event_id, destination, session_id, session_version or 0, waits=waits)
    await scope.tx.flush()
    after_commit(scope.tx, services.deliveries_due.ring)
    return event_id


async def session_deliveries(scope: Scope, session_id: str, *, limit: int, offset: int) -> Sequence[DeliveryFacts]:
    """Return one window of a session's delivery log, newest first.

    Raises:
        DeliveryNotFound: no session of the application has this id.
    """
    if not await repository.session_has_events(scope, session_id):
        raise DeliveryNotFound
    return await repository.deliveries_of_session(scope, session_id, limit=limit, offset=offset)


async def resend(scope: Scope, session_id: str, delivery_id: str) -> DeliveryFacts:
    """Queue the event of a delivery once more, with the same ``event_id``, ahead of any order.

    Raises:
        DeliveryNotFound: unknown, of another session or foreign.
        DestinationDisabled: nothing is sent to a destination that is switched off.
    """
    found = await repository.delivery(scope, session_id, delivery_id)
    if found is None:
        raise DeliveryNotFound
    original, event, destination = found
    if not destination.enabled:
        raise DestinationDisabled
    again = _enqueue(scope, event.id, destination, session_id, original.position, is_resend=True)
    await scope.tx.flush()
    after_commit(scope.tx, scope.services.deliveries_due.ring)
    queued = await repository.delivery(scope, session_id, again.id)
    assert queued is not None
    return queued


async def events_about(scope: Scope, vendor_data: str) -> Sequence[str]:
    """Ids of the events that name a person and belong to no session: changes of users.

    Bodies are sealed, so those of the application that are still kept (30 days) are opened and looked through.
    """
    needle = canonical_bytes(vendor_data)
    ring = scope.services.ordinary_ring
    found = await scope.tx.execute(
        select(EventRow.id, EventRow.payload_sealed).where(
            EventRow.application_id == scope.application_id, EventRow.session_id.is_(None)
        )
    )
    return [
        row.id
        for row in found
        if needle in ring.open(row.payload_sealed, context=payload_context(scope.application_id, row.id))
    ]


def open_payload(ring: KeyRing, event: EventRow) -> dict[str, Any]:
    """Return the body of an event without what is stamped per attempt."""
    body = ring.open(event.payload_sealed, context=payload_context(event.application_id, event.id))
    payload = json.loads(body)
    assert isinstance(payload, dict)
    return payload


def payload_context(application_id: str, event_id: str) -> bytes:
    """Return the associated data that ties a sealed payload to its event."""
    return f"event|{application_id}|{event_id}".encode()


def _enqueue(
    scope: Scope,
    event_id: str,
    destination: DestinationRow,
    session_id: str | None,
    position: int,
    *,
    waits: bool = False,
    is_resend: bool = False,
) -> DeliveryRow:
    now = scope.services.clock.now()
    row = DeliveryRow(
        id=scope.services.identifiers.uuid(),
        event_id=event_id,
        destination_id=destination.id,
        session_id=session_id,
        position=position,
        state="paused" if waits else "pending",
        is_resend=is_resend,
        attempts=0,
        due_at=now,
        created_at=now,
    )
    scope.tx.add(row)
    return row

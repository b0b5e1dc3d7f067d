"""Where an application wants its events: create, change, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import update

from ipse.audit.service import record
from ipse.runtime.scope import Scope
from ipse.security.outbound import OutboundError, check_url
from ipse.security.tokens import new_webhook_secret
from ipse.storage.database import after_commit
from ipse.storage.tables import DeliveryRow, DestinationRow
from ipse.webhooks import events, repository
from ipse.webhooks.errors import (
    DestinationNotFound,
    DuplicateUrl,
    NoEvents,
    NotStoredHere,
    UnknownEvents,
    UnusableDestinationUrl,
)
from ipse.webhooks.schemas import DestinationChange, LegacyChange, NewDestination


async def create(scope: Scope, wanted: NewDestination) -> DestinationRow:
    """Add a destination with a fresh secret.

    Raises:
        FieldErrors: duplicate or unusable URL, empty or unknown events.
    """
    services = scope.services
    now = services.clock.now()
    row = DestinationRow(
        id=services.identifiers.uuid(),
        application_id=scope.application_id,
        label=wanted.label or (urlsplit(wanted.url).hostname or wanted.url)[:255],
        url=await _usable_url(scope, wanted.url),
        enabled=wanted.enabled,
        webhook_version=wanted.webhook_version,
        subscribed_events=_checked_events(wanted.subscribed_events),
        consecutive_failures=0,
        created_at=now,
        updated_at=now,
    )
    _set_secret(scope, row)
    scope.tx.add(row)
    await _record(scope, "destination.created", row)
    await scope.tx.flush()
    return row


async def get(scope: Scope, destination_id: str, *, lock: bool = False) -> DestinationRow:
    """Return a destination of the application.

    Raises:
        DestinationNotFound: unknown or foreign.
    """
    row = await repository.find(scope, destination_id, lock=lock)
    if row is None:
        raise DestinationNotFound
    return row


async def change(scope: Scope, destination_id: str, wanted: DestinationChange) -> DestinationRow:
    """Change the fields that were sent; the secret stays.

    Enabling a paused destination forgives its failures and sends what waited meanwhile.

    Raises:
        DestinationNotFound: unknown or foreign.
        FieldErrors: as :func:`create`.
    """
    row = await get(scope, destination_id, lock=True)
    sent = wanted.model_fields_set
    if "url" in sent:
        row.url = await _usable_url(scope, wanted.url, besides=row.id)
    if "label" in sent:
        row.label = wanted.label
    if "webhook_version" in sent:
        row.webhook_version = wanted.webhook_version
    if "subscribed_events" in sent:
        row.subscribed_events = _checked_events(wanted.subscribed_events)
    if "enabled" in sent:
        await _switch(scope, row, on=wanted.enabled)
    row.updated_at = scope.services.clock.now()
    await _record(scope, "destination.changed", row, fields=sorted(sent))
    await scope.tx.flush()
    return row


async def delete(scope: Scope, destination_id: str) -> None:
    """Remove a destination and what was still on its way to it.

    Raises:
        DestinationNotFound: unknown or foreign.
    """
    row = await get(scope, destination_id, lock=True)
    await scope.tx.delete(row)
    await _record(scope, "destination.deleted", row)
    await scope.tx.flush()


async def oldest(scope: Scope) -> DestinationRow | None:
    """Return the destination that the legacy endpoint shows."""
    return next(iter(await repository.destinations(scope)), None)


async def change_oldest(scope: Scope, wanted: LegacyChange) -> DestinationRow | None:
    """Change the oldest destination through the legacy view; create it if a URL is given and there is none.

    Raises:
        FieldErrors: as :func:`create`, or a setting that this service does not keep.
    """
    if wanted.capture_method != "both":
        raise NotStoredHere("capture_method", "Only both is available: the person chooses the device.")
    if wanted.data_retention_months is not None:
        raise NotStoredHere("data_retention_months", "Retention cannot be set here; leave it out or send null.")
    row = await oldest(scope)
    sent = wanted.model_fields_set
    if row is None:
        if wanted.webhook_url is None:
            return None
        return await create(scope, NewDestination(url=wanted.webhook_url, webhook_version=wanted.webhook_version))
    if "webhook_url" in sent:
        if wanted.webhook_url is not None:
            row.url = await _usable_url(scope, wanted.webhook_url, besides=row.id)
        await _switch(scope, row, on=wanted.webhook_url is not None)
    if "webhook_version" in sent:
        row.webhook_version = wanted.webhook_version
    if wanted.rotate_secret_key:
        _set_secret(scope, row)
        await _record(scope, "destination.secret_rotated", row)
    if sent - {"rotate_secret_key"}:
        await _record(scope, "destination.changed", row, fields=sorted(sent - {"rotate_secret_key"}))
    row.updated_at = scope.services.clock.now()
    await scope.tx.flush()
    return row


async def _record(scope: Scope, act: str, row: DestinationRow, **details: Any) -> None:
    """Where it leads is written by host only: paths carry secrets of their owners."""
    host = urlsplit(row.url).hostname
    await record(scope, act, object_type="destination", object_id=row.id, details={"host": host, **details})


def secret_of(scope: Scope, row: DestinationRow) -> str:
    """Return the HMAC secret of a destination in clear."""
    return scope.services.ordinary_ring.open(row.secret_sealed, context=secret_context(row)).decode()


def secret_context(row: DestinationRow) -> bytes:
    """Return the associated data that ties a sealed secret to its row."""
    return f"webhook-secret|{row.application_id}|{row.id}".encode()


def _set_secret(scope: Scope, row: DestinationRow) -> None:
    secret = new_webhook_secret(scope.services.identifiers)
    row.secret_sealed = scope.services.ordinary_ring.seal(secret.encode(), context=secret_context(row))


async def _usable_url(scope: Scope, url: str, *, besides: str | None = None) -> str:
    try:
        check_url(url, allow_private=scope.application.allow_private_webhooks)
    except OutboundError as error:
        raise UnusableDestinationUrl(str(error)) from error
    if await repository.url_is_taken(scope, url, besides=besides):
        raise DuplicateUrl
    return url


def _checked_events(names: Sequence[str] | None) -> list[str]:
    if names is None:
        return sorted(events.EMITTED)
    if not names:
        raise NoEvents
    unknown = events.unknown_events(names)
    if unknown:
        raise UnknownEvents(unknown)
    return list(dict.fromkeys(names))


async def _switch(scope: Scope, row: DestinationRow, *, on: bool) -> None:
    """What is still on its way to a destination waits while it is off, and goes out when it is on again."""
    row.enabled = on
    waiting = update(DeliveryRow).where(DeliveryRow.destination_id == row.id)
    if not on:
        await scope.tx.execute(
            waiting.where(DeliveryRow.state == "pending", DeliveryRow.leased_until.is_(None)).values(state="paused")
        )
        return
    row.paused_at = row.pause_reason = row.failing_since = None
    row.consecutive_failures = 0
    await scope.tx.execute(
        waiting.where(DeliveryRow.state == "paused").values(state="pending", due_at=scope.services.clock.now())
    )
    after_commit(scope.tx, scope.services.deliveries_due.ring)

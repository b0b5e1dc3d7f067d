"""Webhook destinations, the legacy single endpoint, and the delivery log of a session (contract 40, section 1)."""

from __future__ import annotations

from fastapi import Response

from ipse.edge.authentication import ReadScope, SessionReadScope, SessionWriteScope, WriteScope, as_uuid
from ipse.edge.documented import documented
from ipse.edge.pagination import WindowParam
from ipse.edge.routing import router as make_router
from ipse.runtime.scope import Scope
from ipse.security.canonical_json import canonical_bytes
from ipse.storage.tables import DestinationRow
from ipse.webhooks import destinations, repository, service
from ipse.webhooks.repository import DeliveryFacts, DeliveryStatistics
from ipse.webhooks.schemas import (
    Delivery,
    DeliveryDestination,
    Destination,
    DestinationChange,
    DestinationItem,
    LegacyChange,
    LegacyWebhook,
    NewDestination,
    Summary,
)

router = make_router(tags=["Webhook"])


@router.get("/v3/webhook/destinations/", operation_id="list_webhook_destinations", responses=documented(403, 429))
async def list_destinations(scope: ReadScope) -> list[DestinationItem]:
    """Every destination of the application, oldest first, without secrets."""
    rows = await repository.destinations(scope)
    figures = await repository.statistics(scope, [row.id for row in rows])
    return [_item(row, figures.get(row.id, DeliveryStatistics())) for row in rows]


@router.post(
    "/v3/webhook/destinations/",
    operation_id="create_webhook_destination",
    status_code=201,
    responses=documented(400, 403, 409, 429),
)
async def create_destination(scope: WriteScope, body: NewDestination) -> Destination:
    """Add a destination. Keep ``secret_shared_key``: every delivery is signed with it."""
    return await _shown(scope, await destinations.create(scope, body))


@router.get(
    "/v3/webhook/destinations/{destination_uuid}/",
    operation_id="get_webhook_destination",
    responses=documented(403, 404, 429),
)
async def get_destination(scope: ReadScope, destination_uuid: str) -> Destination:
    """One destination with its secret and the figures of its deliveries."""
    return await _shown(scope, await destinations.get(scope, as_uuid(destination_uuid)))


@router.patch(
    "/v3/webhook/destinations/{destination_uuid}/",
    operation_id="update_webhook_destination",
    responses=documented(400, 403, 404, 409, 429),
)
async def change_destination(scope: WriteScope, destination_uuid: str, body: DestinationChange) -> Destination:
    """Change any subset of the fields. Enabling a paused destination sends what waited meanwhile."""
    return await _shown(scope, await destinations.change(scope, as_uuid(destination_uuid), body))


@router.delete(
    "/v3/webhook/destinations/{destination_uuid}/",
    operation_id="delete_webhook_destination",
    status_code=204,
    response_class=Response,
    responses=documented(403, 404, 429),
)
async def delete_destination(scope: WriteScope, destination_uuid: str) -> None:
    """Remove a destination and what was still on its way to it."""
    await destinations.delete(scope, as_uuid(destination_uuid))


@router.get("/v3/webhook/", operation_id="get_webhook", responses=documented(403, 429))
async def get_legacy(scope: ReadScope) -> LegacyWebhook:
    """The oldest destination, for clients that know only one."""
    return _legacy(scope, await destinations.oldest(scope))


@router.patch("/v3/webhook/", operation_id="update_webhook", responses=documented(400, 403, 409, 429))
async def change_legacy(scope: WriteScope, body: LegacyChange) -> LegacyWebhook:
    """Change the oldest destination. Only ``rotate_secret_key`` replaces the secret; a null URL switches it off."""
    return _legacy(scope, await destinations.change_oldest(scope, body))


@router.get(
    "/v3/session/{session_id}/webhooks/",
    operation_id="list_session_webhooks",
    responses=documented(403, 404, 429),
)
async def session_deliveries(scope: SessionReadScope, session_id: str, window: WindowParam) -> list[Delivery]:
    """The delivery log of a session, newest first: a bare array, of which ``limit`` and ``offset`` take a part."""
    rows = await service.session_deliveries(scope, as_uuid(session_id), limit=window.limit, offset=window.offset)
    return [_delivery(scope, row) for row in rows]


@router.post(
    "/v3/session/{session_id}/webhook/{delivery_id}/resend/",
    operation_id="resend_session_webhook",
    responses=documented(400, 403, 404, 409, 429),
)
async def resend(scope: SessionWriteScope, session_id: str, delivery_id: str) -> Delivery:
    """Send the event of a delivery once more, with the same ``event_id``; answers with the new delivery."""
    return _delivery(scope, await service.resend(scope, as_uuid(session_id), as_uuid(delivery_id)))


async def _shown(scope: Scope, row: DestinationRow) -> Destination:
    figures = (await repository.statistics(scope, [row.id])).get(row.id, DeliveryStatistics())
    return Destination.model_validate(
        {
            "uuid": row.id,
            "label": row.label,
            "url": row.url,
            "enabled": row.enabled,
            "webhook_version": row.webhook_version,
            "secret_shared_key": destinations.secret_of(scope, row),
            "subscribed_events": row.subscribed_events,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "paused_at": row.paused_at,
            "pause_reason": row.pause_reason,
            "summary": Summary(
                total_deliveries=figures.attempted,
                failed_deliveries=figures.failed,
                error_rate_percentage=figures.error_rate_percentage,
                min_response_time_ms=figures.fastest_ms,
                avg_response_time_ms=figures.average_ms,
                max_response_time_ms=figures.slowest_ms,
                last_delivery_at=figures.last_at,
            ),
        }
    )


def _item(row: DestinationRow, figures: DeliveryStatistics) -> DestinationItem:
    return DestinationItem.model_validate(
        {
            "uuid": row.id,
            "label": row.label,
            "url": row.url,
            "enabled": row.enabled,
            "webhook_version": row.webhook_version,
            "subscribed_events": row.subscribed_events,
            "subscribed_events_count": len(row.subscribed_events),
            "deliveries_count": figures.attempted,
            "failed_deliveries_count": figures.failed,
            "average_response_time_ms": figures.average_ms,
            "error_rate_percentage": figures.error_rate_percentage,
            "last_delivery_at": figures.last_at,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
    )


def _legacy(scope: Scope, row: DestinationRow | None) -> LegacyWebhook:
    return LegacyWebhook.model_validate(
        {
            "webhook_url": row.url if row is not None and row.enabled else None,
            "webhook_version": row.webhook_version if row is not None else "v3",
            "secret_shared_key": destinations.secret_of(scope, row) if row is not None else None,
            "capture_method": "both",
            "data_retention_months": None,
        }
    )


def _delivery(scope: Scope, facts: DeliveryFacts) -> Delivery:
    row, event, destination = facts
    payload = service.open_payload(scope.services.ordinary_ring, event)
    return Delivery.model_validate(
        {
            "uuid": row.id,
            "session_id": event.session_id,
            "request_url": destination.url,
            "request_body": canonical_bytes(payload).decode(),
            "response_status": row.response_status,
            "event_id": event.id,
            "webhook_type": event.webhook_type,
            "status": event.status,
            "destination": DeliveryDestination.model_validate(
                {"uuid": destination.id, "label": destination.label, "url": destination.url}
            ),
            "state": row.state,
            "is_resend": row.is_resend,
            "attempts": row.attempts,
            "created_at": row.created_at,
            "next_attempt_at": row.due_at if row.state == "pending" else None,
            "last_attempt_at": row.last_attempt_at,
            "delivered_at": row.delivered_at,
            "response_status_code": row.response_status,
            "response_time_ms": row.response_ms,
            "response_body": row.response_excerpt,
            "error": row.error,
        }
    )

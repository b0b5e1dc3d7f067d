"""Bodies of the webhook endpoints (contract 40, section 1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

WebhookVersion = Literal["v1", "v2", "v3"]

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)]
EventName = Annotated[str, StringConstraints(max_length=64)]

_EXAMPLE_URL = "https://shop.example/hooks/identity"


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class NewDestination(_Body):
    """``POST /v3/webhook/destinations/``. An omitted label becomes the URL's host, omitted events mean all."""

    label: Label | None = None
    url: Url = Field(examples=[_EXAMPLE_URL])
    enabled: bool = True
    webhook_version: WebhookVersion = "v3"
    subscribed_events: list[EventName] | None = Field(
        None, examples=[["status.updated"]], description="Event types, or the aliases session.verified and so on."
    )


class DestinationChange(_Body):
    """``PATCH``: any subset; ``subscribed_events`` replaces the list. The secret never changes here."""

    label: Label = ""
    url: Url = ""
    enabled: bool = True
    webhook_version: WebhookVersion = "v3"
    subscribed_events: list[EventName] = []


class Summary(BaseModel):
    """Deliveries of one destination; times in milliseconds, over those that were answered."""

    total_deliveries: int
    failed_deliveries: int
    error_rate_percentage: int
    min_response_time_ms: int | None
    avg_response_time_ms: int | None
    max_response_time_ms: int | None
    last_delivery_at: datetime | None


class Destination(BaseModel):
    """One destination with its secret."""

    uuid: UUID
    label: str
    url: str
    enabled: bool
    webhook_version: WebhookVersion
    secret_shared_key: str = Field(description="HMAC key: the UTF-8 bytes of this text, never base64-decoded.")
    subscribed_events: list[str]
    created_at: datetime
    updated_at: datetime
    paused_at: datetime | None = Field(description="When this service switched the destination off after failures.")
    pause_reason: str | None
    summary: Summary


class DestinationItem(BaseModel):
    """One destination in the list: without its secret."""

    uuid: UUID
    label: str
    url: str
    enabled: bool
    webhook_version: WebhookVersion
    subscribed_events: list[str]
    subscribed_events_count: int
    deliveries_count: int
    failed_deliveries_count: int
    average_response_time_ms: int | None
    error_rate_percentage: int
    last_delivery_at: datetime | None
    created_at: datetime
    updated_at: datetime


class LegacyWebhook(BaseModel):
    """``/v3/webhook/``: the oldest destination, seen as the only one."""

    webhook_url: str | None
    webhook_version: WebhookVersion
    secret_shared_key: str | None
    capture_method: Literal["mobile", "desktop", "both"]
    data_retention_months: int | None


class LegacyChange(_Body):
    """``PATCH /v3/webhook/``: any subset."""

    webhook_url: Url | None = None
    webhook_version: WebhookVersion = "v3"
    rotate_secret_key: bool = False
    capture_method: Literal["mobile", "desktop", "both"] = "both"
    data_retention_months: Annotated[int, Field(ge=1, le=120)] | None = None


class DeliveryDestination(BaseModel):
    """Where a delivery goes."""

    uuid: UUID
    label: str
    url: str


class Delivery(BaseModel):
    """One event on its way to one destination. ``response_time_ms`` and what follows describe the last attempt."""

    uuid: UUID
    event_id: UUID
    session_id: UUID | None
    webhook_type: str
    status: str | None = Field(description="Status of the session that the event reports.")
    request_url: str
    request_body: str = Field(description="JSON text of the event, without the timestamps stamped on each attempt.")
    response_status: int | None
    destination: DeliveryDestination
    state: Literal["pending", "delivered", "failed", "superseded", "paused"]
    is_resend: bool
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    delivered_at: datetime | None
    response_status_code: int | None
    response_time_ms: int | None
    response_body: str | None = Field(description="The first 2 kB of the answer.")
    error: str | None

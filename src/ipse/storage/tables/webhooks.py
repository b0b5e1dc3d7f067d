"""Destinations, the outbox of events, and deliveries: the outbox is the delivery queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.sealed import SealedField, absent
from ipse.storage.tables.base import Base


class DestinationRow(Base):
    __tablename__ = "webhook_destinations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(255))
    url: Mapped[str] = mapped_column(String(2048))
    enabled: Mapped[bool] = mapped_column(default=True)
    webhook_version: Mapped[str] = mapped_column(String(2), default="v3")
    subscribed_events: Mapped[list[Any]]
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    failing_since: Mapped[datetime | None]
    consecutive_failures: Mapped[int] = mapped_column(default=0)
    paused_at: Mapped[datetime | None]
    pause_reason: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("application_id", "url"),)


class EventRow(Base):
    """The outbox. A row is written in the transaction of the change that it reports."""

    __tablename__ = "events"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    """The contract's ``event_id``: stable across attempts and destinations."""
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    session_id: Mapped[str | None] = mapped_column(Id)
    session_version: Mapped[int | None]
    webhook_type: Mapped[str] = mapped_column(String(64))
    status: Mapped[str | None] = mapped_column(String(16))
    payload_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    occurred_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("session_id", "session_version", "webhook_type"),
        Index(None, "application_id", "occurred_at"),
    )


class DeliveryRow(Base):
    """One event on its way to one destination."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    event_id: Mapped[str] = mapped_column(Id, ForeignKey("events.id", ondelete="CASCADE"))
    destination_id: Mapped[str] = mapped_column(Id, ForeignKey("webhook_destinations.id", ondelete="CASCADE"))
    session_id: Mapped[str | None] = mapped_column(Id, index=True)
    position: Mapped[int]
    """Order within the session and destination (the session's version; 0 without a session)."""
    state: Mapped[str] = mapped_column(String(12))
    """``pending``, ``delivered``, ``failed``, ``superseded`` or ``paused``."""
    is_resend: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None] = mapped_column(String(64))
    first_attempt_at: Mapped[datetime | None]
    last_attempt_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    response_status: Mapped[int | None]
    response_excerpt = SealedField[str | None](absent)
    response_ms: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "destination_id", "session_id", "position"),
    )

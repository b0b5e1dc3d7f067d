"""Rows that keep the service honest: idempotency records and leases of scheduled tasks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.tables.base import Base


class IdempotencyRow(Base):
    """The answer given to the first request with a key, kept 24 hours, stored with its effects."""

    __tablename__ = "idempotency_keys"

    application_id: Mapped[str] = mapped_column(Id, primary_key=True)
    route: Mapped[str] = mapped_column(String(255), primary_key=True)
    """Method and path."""
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of address and body; the body itself is never kept."""
    status_code: Mapped[int]
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    content_type: Mapped[str] = mapped_column(String(64))
    session_id: Mapped[str | None] = mapped_column(Id, index=True)
    """The session that the answer speaks of: erased with it."""
    subject_tag: Mapped[str | None] = mapped_column(String(64), index=True)
    """Keyed digest of the person that the answer speaks of."""
    created_at: Mapped[datetime]


class LeaseRow(Base):
    """Who runs a scheduled task at the moment, and when it ran last."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    last_run_at: Mapped[datetime | None]

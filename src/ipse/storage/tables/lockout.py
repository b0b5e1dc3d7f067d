"""Failed attempts, the locks that follow from them, and request counters that processes share (decision 0021)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.tables.base import Base


class AttemptRow(Base):
    """One biometric attempt that counts: who, on which device, from where, and how it ended. Digests, no ids."""

    __tablename__ = "attempts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    session_id: Mapped[str] = mapped_column(Id, index=True)
    subject_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of ``vendor_data``."""
    device_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the device, or of address and agent where the device is unknown."""
    address_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the address (IPv6: of its /64)."""
    has_passed: Mapped[bool]
    attempted_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "application_id", "subject_tag", "attempted_at"),
        Index(None, "application_id", "address_tag", "attempted_at"),
        Index(None, "attempted_at"),
    )


class LockRow(Base):
    """Why somebody must wait: a subject on one device, or a subject everywhere (``device_tag`` empty)."""

    __tablename__ = "locks"

    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True)
    subject_tag: Mapped[str] = mapped_column(String(64), primary_key=True)
    device_tag: Mapped[str] = mapped_column(String(64), primary_key=True, default="")
    failures: Mapped[int] = mapped_column(default=0)
    """Consecutive ones; a pass sets it to 0."""
    locked_until: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    """Faces are refused from here on until an operator or the integrator lifts it."""
    updated_at: Mapped[datetime]


class CounterRow(Base):
    """Requests of one key in one window of time. On PostgreSQL the table is unlogged: counts may be lost in a crash."""

    __tablename__ = "request_counters"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    window: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """Number of the window since 1970."""
    count: Mapped[int]
    expires_at: Mapped[datetime]

    __table_args__ = (Index(None, "expires_at"),)

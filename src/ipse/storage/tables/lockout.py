"""Failed attempts, the locks that follow from them, and request counters that processes share (decision 0021)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.tables.base import Base


class AttemptRow(Base):
    """One biometric attempt that counts: who, on which device, from where. Digests, no ids; kept for a day."""

    __tablename__ = "attempts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    session_id: Mapped[str] = mapped_column(Id, index=True)
    subject_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of ``vendor_data``."""
    device_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of a device on which the person was approved; null for all others, which share one budget."""
    address_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the address (IPv6: of its /64)."""
    has_passed: Mapped[bool]
    """Only failures are written so far: nothing counts successes."""
    attempted_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "application_id", "subject_tag", "attempted_at"),
        Index(None, "application_id", "address_tag", "attempted_at"),
        Index(None, "attempted_at"),
    )


class LockRow(Base):
    """Failures in a row of a person on a device of theirs, or on all other devices together (``device_tag`` empty)."""

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
    """Requests of one key in one window of time, or a tally (window 0). On PostgreSQL only, and unlogged: counts may be
    lost in a crash. SQLite has a file of its own for them (``ipse.storage.counters``)."""

    __tablename__ = "request_counters"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    """A keyed digest: some keys are addresses."""
    window: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """Number of the window since 1970."""
    count: Mapped[int]
    expires_at: Mapped[datetime]

    __table_args__ = (Index(None, "expires_at"),)

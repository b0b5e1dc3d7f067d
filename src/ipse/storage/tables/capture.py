"""What the hosted capture page leaves behind while a session runs: challenges and hand-offs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.sealed import SealedField
from ipse.storage.tables.base import Base


class ChallengeRow(Base):
    """One liveness challenge: what the server asked for, phase by phase, and when it was answered."""

    __tablename__ = "challenges"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    """The nonce that the submission names."""
    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    node_id: Mapped[str] = mapped_column(String(64))
    attempt: Mapped[int]
    """The attempt at the step that this challenge belongs to, counted from 1."""
    method: Mapped[str] = mapped_column(String(16))
    phases: Mapped[list[Any]]
    """The whole instruction; the person learns one phase at a time."""
    marks: Mapped[list[Any]] = mapped_column(default=list)
    """For each revealed phase: when it was revealed, when its frames were committed, and their digests."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class HandoffRow(Base):
    """One offer to continue a session on another device."""

    __tablename__ = "handoffs"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Digest of the one-time token in the QR code."""
    device_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Digest of the token under which the second device acts once it has opened the link."""
    number: Mapped[int]
    """Two digits, shown on both screens."""
    state: Mapped[str] = mapped_column(String(9))
    """``offered``, ``opened``, ``active`` or ``ended``."""
    devices = SealedField[dict[str, Any]](dict)
    """Address and user agent of the device that offered and of the one that took over."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    """The last sign of life of the second device; without one for a while the first may go on."""

"""The audit log: a hash chain per application and one of the installation, with signed checkpoints (decision 0019)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.tables.base import Base


class AuditEntryRow(Base):
    """One act. What identifies anybody stands in ``details_sealed`` only; destroying that leaves the chain whole.

    Written unlinked in the transaction of the act; a scheduled task gives it its place in the chain. No foreign keys:
    an entry outlives what it speaks of.
    """

    __tablename__ = "audit_entries"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    chain: Mapped[str] = mapped_column(String(36))
    """Id of the application, or ``installation``."""
    position: Mapped[int | None]
    """Place in the chain from 1; None until it is linked."""
    occurred_at: Mapped[datetime]
    act: Mapped[str] = mapped_column(String(64))
    """Such as ``session.decided``."""
    actor_type: Mapped[str] = mapped_column(String(16))
    object_type: Mapped[str] = mapped_column(String(32))
    object_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the object's id: finds its entries, tells nothing."""
    subject_tag: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the person's ``vendor_data``: erasing a person finds the entries about them."""
    commitment: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the salt and the canonical details."""
    details_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Salt and details under the ordinary ring; None once they are erased."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of everything above that is not sealed."""
    chained: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the link before and ``digest``; None until it is linked."""

    __table_args__ = (
        UniqueConstraint("chain", "position"),
        Index(None, "chain", "object_tag"),
        Index(None, "chain", "subject_tag"),
        Index(None, "position", "occurred_at"),
    )


class AuditCheckpointRow(Base):
    """A signed statement of how far a chain had grown: whoever cuts its end off contradicts the checkpoint."""

    __tablename__ = "audit_checkpoints"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    chain: Mapped[str] = mapped_column(String(36))
    position: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    signed: Mapped[str] = mapped_column(Text)
    """JWS over chain, position, head and time (``audit.checkpoints``)."""
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("chain", "position"),)

"""What was destroyed, on whose order, and what a run of the retention did (decision 0020)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.tables.base import Base


class ErasureReceiptRow(Base):
    """A signed receipt. It names nobody: the holder of an id can find it, the reader of the table learns no id."""

    __tablename__ = "erasure_receipts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id)
    """Without foreign key: the receipt of an application outlives it."""
    kind: Mapped[str] = mapped_column(String(16))
    """``session``, ``user`` or ``application``."""
    object_tag: Mapped[str] = mapped_column(String(64))
    """Keyed digest of the id (of a user: ``vendor_data``) that was erased."""
    reason: Mapped[str] = mapped_column(String(16))
    """``request`` or ``retention``."""
    destroyed: Mapped[dict[str, Any]]
    """Kind of row or object -> how many."""
    signed: Mapped[str] = mapped_column(Text)
    """JWS over the above, the SHA-256 of every destroyed blob among it."""
    created_at: Mapped[datetime]

    __table_args__ = (Index(None, "application_id", "object_tag"),)


class RetentionRunRow(Base):
    """One run of the retention of one application: what was due and what was erased."""

    __tablename__ = "retention_runs"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    is_dry: Mapped[bool]
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)

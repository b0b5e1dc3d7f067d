"""How an application presents itself on the hosted page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.tables.base import Base


class BrandingRow(Base):
    """Colours, names and texts that differ from the defaults."""

    __tablename__ = "brandings"

    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True)
    choices: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]


class BrandingImageRow(Base):
    """A logo. Public by nature: anyone with a session link sees it."""

    __tablename__ = "branding_images"

    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    """``square``, ``rectangular`` or ``favicon``."""
    content: Mapped[bytes] = mapped_column(LargeBinary)
    content_type: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the content; part of its address, so that browsers may keep it for ever."""

"""What is found by the beginning of a word although the words themselves are sealed (decision 0017)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.tables.base import Base


class SearchTermRow(Base):
    """The keyed digest of one beginning of one word of an object: it goes when the object goes."""

    __tablename__ = "search_terms"

    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    """``vendor_data`` or ``name`` of a user, or ``list entry``."""
    tag: Mapped[str] = mapped_column(String(32), primary_key=True)
    """128 bits of ``LookupKey.tag`` in hex."""
    object_id: Mapped[str] = mapped_column(Id, primary_key=True, index=True)

"""Blocklists, allowlists and custom lists, and what stands on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id, Pseudonym
from ipse.storage.sealed import SealedField, absent
from ipse.storage.tables.base import Base


class ListRow(Base):
    """One list of an application; its type and the type of its entries never change."""

    __tablename__ = "lists"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    list_type: Mapped[str] = mapped_column(String(9))
    """``blocklist``, ``allowlist`` or ``custom``."""
    entry_type: Mapped[str] = mapped_column(String(18))
    is_system: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("application_id", "name"),)


class ListEntryRow(Base):
    """One value on a list. ``value`` is normalised, so that a look-up is one comparison.

    An address is found by asking for every network that contains it: there are 33 for IPv4 and 129 for IPv6, so that
    a list of a million networks costs one indexed query.
    """

    __tablename__ = "list_entries"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    list_id: Mapped[str] = mapped_column(Id, ForeignKey("lists.id", ondelete="CASCADE"))
    entry_type: Mapped[str] = mapped_column(String(18))
    value: Mapped[str] = mapped_column(Pseudonym("list value", 512))
    display_label = SealedField[str | None](absent)
    comment = SealedField[str | None](absent)
    details = SealedField[dict[str, Any]](dict)
    """The contract's ``metadata``."""
    reference_session_id: Mapped[str | None] = mapped_column(Id, index=True)
    reference_object_id: Mapped[str | None] = mapped_column(Id)
    added_by = SealedField[str](str)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    """An entry whose time is over has no effect, and a schedule removes it."""

    __table_args__ = (
        UniqueConstraint("list_id", "value"),
        Index(None, "application_id", "entry_type", "value"),
        Index(None, "list_id", "created_at", "id"),
    )

"""Workflows and their immutable published versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id
from ipse.storage.sealed import SealedField
from ipse.storage.tables.base import Base


class WorkflowRow(Base):
    """The stable group; its versions carry the content."""

    __tablename__ = "workflows"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), index=True)
    slug: Mapped[str | None] = mapped_column(String(64))
    """Alias accepted as ``workflow_id``, for example ``wf_ato_step_up``."""
    is_default: Mapped[bool] = mapped_column(default=False)
    is_archived: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("application_id", "slug"),)


class WorkflowContentRow(Base):
    """Graph and settings as they were published, addressed by their SHA-256 and never changed."""

    __tablename__ = "workflow_contents"

    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    graph: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class WorkflowVersionRow(Base):
    """One version. The contract lets a PATCH change it in place; sessions pin its content, which cannot change."""

    __tablename__ = "workflow_versions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workflow_id: Mapped[str] = mapped_column(Id, ForeignKey("workflows.id", ondelete="CASCADE"))
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    status: Mapped[str] = mapped_column(String(9))
    """``draft`` or ``published``."""
    label: Mapped[str] = mapped_column(String(50))
    workflow_type: Mapped[str | None] = mapped_column(String(40))
    is_simple: Mapped[bool]
    graph: Mapped[dict[str, Any]]
    content: Mapped[str | None] = mapped_column(String(64))
    """Digest of what is published now; sessions pin it. None while the version is a draft."""
    settings: Mapped[dict[str, Any]]
    """Workflow-level settings: retries, expiry, white label, callback, response attributes."""
    created_by = SealedField[dict[str, Any]](dict)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("workflow_id", "version"),)

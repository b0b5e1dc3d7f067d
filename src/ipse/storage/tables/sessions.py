"""Sessions, what was captured in them, what the checks reported, and what reviewers wrote."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id, Pseudonym
from ipse.storage.sealed import SealedField, absent
from ipse.storage.tables.base import Base


class UserRow(Base):
    """A subject, known to the integrator as ``vendor_data``."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    vendor_data: Mapped[str] = mapped_column(Pseudonym("vendor_data", 256))
    status: Mapped[str] = mapped_column(String(8), default="ACTIVE")
    """``ACTIVE``, ``FLAGGED`` or ``BLOCKED``."""
    display_name = SealedField[str | None](absent)
    full_name = SealedField[str | None](absent)
    date_of_birth = SealedField[str | None](absent)
    """``YYYY-MM-DD``."""
    details = SealedField[dict[str, Any]](dict)
    """``metadata``, ``approved_emails``, ``approved_phones``."""
    issuing_states: Mapped[list[Any]] = mapped_column(default=list)
    """Countries of documents, in clear: lists are filtered by them."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("application_id", "vendor_data"),)


class SessionRow(Base):
    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    session_number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8), default="HOSTED")
    """``HOSTED`` or ``API`` (a saved standalone call)."""
    api_service: Mapped[str | None] = mapped_column(String(32))
    environment: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(default=1)
    """Grows with every change of status; the event of a change carries it."""
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The token under the ordinary key ring: the hosted URL is shown again in lists and decisions."""
    workflow_id: Mapped[str | None] = mapped_column(Id)
    workflow_version_id: Mapped[str | None] = mapped_column(Id)
    workflow_version: Mapped[int | None]
    workflow_content: Mapped[str | None] = mapped_column(String(64))
    """Digest of the graph and settings that decide this session."""
    user_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    vendor_data: Mapped[str | None] = mapped_column(Pseudonym("vendor_data", 256))
    reference_face_id: Mapped[str | None] = mapped_column(Id)
    """The face that this session compares with, fixed when the session was created."""
    reference_kind: Mapped[str | None] = mapped_column(String(16))
    callback = SealedField[str | None](absent)
    callback_method: Mapped[str] = mapped_column(String(9), default="initiator")
    language: Mapped[str | None] = mapped_column(String(5))
    session_metadata = SealedField[Any](absent)
    expected_details = SealedField[dict[str, Any] | None](absent)
    contact_details = SealedField[dict[str, Any] | None](absent)
    action = SealedField[dict[str, Any] | None](absent)
    """What the person authorises, canonical (docs/step-up.md)."""
    action_hash: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the canonical action. Challenges and verdicts carry it."""
    evaluation_id: Mapped[str | None] = mapped_column(Id)
    """The policy evaluation that asked for this session."""
    sandbox_scenario: Mapped[str | None] = mapped_column(String(64))
    experiments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    trace = SealedField[list[Any]](list)
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What produced the decision: model digests, calibration, thresholds, durations in milliseconds."""
    status_override = SealedField[dict[str, Any] | None](absent)
    resubmission = SealedField[dict[str, Any] | None](absent)
    """Nodes reopened by a reviewer and the reasons given, while the status is ``Resubmitted``."""
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("application_id", "session_number"),
        Index(None, "application_id", "vendor_data"),
        Index(None, "status", "expires_at"),
    )


class ReportRow(Base):
    """The report of one feature node of one session: the current attempt and its number."""

    __tablename__ = "reports"

    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    node_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    """Order among the reports of one moment."""
    feature: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(default=1)
    final: Mapped[bool] = mapped_column(default=True)
    """False while the person may try this step again."""
    report = SealedField[dict[str, Any]](dict)
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    """Risk codes of the report, in clear: sessions are listed by them."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CaptureRow(Base):
    """One submission of frames for a step. Repeating it with the same key changes nothing."""

    __tablename__ = "captures"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"))
    node_id: Mapped[str] = mapped_column(String(64))
    attempt: Mapped[int]
    submission_key: Mapped[str] = mapped_column(String(64))
    answer = SealedField[dict[str, Any]](dict)
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("session_id", "node_id", "submission_key"),)


class ReviewRow(Base):
    """The audit trail of a session: notes, status changes, corrections."""

    __tablename__ = "reviews"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    sequence: Mapped[int]
    activity_type: Mapped[str] = mapped_column(String(32))
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_display = SealedField[str](str)
    actor_email = SealedField[str | None](absent)
    previous_status: Mapped[str | None] = mapped_column(String(16))
    new_status: Mapped[str | None] = mapped_column(String(16))
    comment = SealedField[str | None](absent)
    changes = SealedField[dict[str, Any]](dict)
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("session_id", "sequence"),)

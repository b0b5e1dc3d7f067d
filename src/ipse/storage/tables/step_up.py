"""The step-up: policies, what they answered, and the verdicts that are bound to an action."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id, Pseudonym
from ipse.storage.sealed import SealedField
from ipse.storage.tables.base import Base


class PolicyRow(Base):
    """A step-up policy of an application; what it says lies in its versions."""

    __tablename__ = "step_up_policies"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    current_version: Mapped[int] = mapped_column(default=0)
    """The version in force; 0 before the first is published."""
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("application_id", "name"),)


class PolicyVersionRow(Base):
    """One published version: it never changes."""

    __tablename__ = "step_up_policy_versions"

    policy_id: Mapped[str] = mapped_column(Id, ForeignKey("step_up_policies.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    comment: Mapped[str | None] = mapped_column(Text)
    published_by = SealedField[str](str)
    published_at: Mapped[datetime]


class EvaluationRow(Base):
    """One answer of a policy, with the facts it saw: velocity is counted here and back-tests read it."""

    __tablename__ = "step_up_evaluations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    evaluated_at: Mapped[datetime]
    vendor_data: Mapped[str | None] = mapped_column(Pseudonym("vendor_data", 256))
    action_type: Mapped[str] = mapped_column(String(64))
    action_hash: Mapped[str] = mapped_column(String(64))
    amount: Mapped[str | None] = mapped_column(String(40))
    """Decimal text: no engine rounds it."""
    currency: Mapped[str | None] = mapped_column(String(12))
    payee_key: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of who gets the money; the account itself is not stored here."""
    device_id: Mapped[str | None] = mapped_column(Id)
    ip: Mapped[str | None] = mapped_column(Pseudonym("address", 45))
    facts = SealedField[dict[str, Any]](dict)
    """Everything the rules saw."""
    policy_id: Mapped[str | None] = mapped_column(Id)
    policy_version: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(8))
    """``allow``, ``step_up`` or ``deny``."""
    reasons = SealedField[list[Any]](list)
    session_id: Mapped[str | None] = mapped_column(Id, index=True)
    completed_at: Mapped[datetime | None]
    """When the action was allowed, or its verdict redeemed: only then is its payee a known one."""

    __table_args__ = (
        Index(None, "application_id", "vendor_data", "action_type", "evaluated_at"),
        Index(None, "application_id", "vendor_data", "payee_key"),
        Index(None, "application_id", "payee_key", "evaluated_at"),
        Index(None, "application_id", "device_id", "evaluated_at"),
        Index(None, "application_id", "ip", "evaluated_at"),
        Index(None, "application_id", "evaluated_at"),
    )


class SigningKeyRow(Base):
    """A key that signs verdicts. Its public half stays published until the last token it signed has expired."""

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The ``kid``: RFC 7638 thumbprint of the public key."""
    algorithm: Mapped[str] = mapped_column(String(8))
    public_jwk: Mapped[dict[str, Any]]
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class VerdictRow(Base):
    """A signed verdict that was handed out; redeeming it works once."""

    __tablename__ = "verdicts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    """The token's ``jti``."""
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    session_version: Mapped[int]
    action_hash: Mapped[str | None] = mapped_column(String(64))
    code_hash: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the short code of the OTP adapter."""
    wrong_codes: Mapped[int] = mapped_column(default=0)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    redeemed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "application_id", "expires_at"),)


class SessionSignalsRow(Base):
    """The value of every signal computed on a session, by code (docs/signals.md)."""

    __tablename__ = "session_signals"

    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    signals = SealedField[dict[str, Any]](dict)
    updated_at: Mapped[datetime]

"""Organisations, the accounts of the people who run them, applications and their keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id, Pseudonym
from ipse.storage.sealed import SealedField, absent
from ipse.storage.tables.base import Base


class OrganizationRow(Base):
    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name = SealedField[str](str)
    contact_email = SealedField[str | None](absent)
    created_at: Mapped[datetime]


class AccountRow(Base):
    """A person who administers an organisation (console and ``/auth/v2``)."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[str | None] = mapped_column(Id, ForeignKey("organizations.id"))
    email: Mapped[str] = mapped_column(Pseudonym("email", 320), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    verified_at: Mapped[datetime | None]
    code_hash: Mapped[str | None] = mapped_column(String(64))
    code_sent_at: Mapped[datetime | None]
    code_failures: Mapped[int] = mapped_column(default=0)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class AccessTokenRow(Base):
    """Opaque bearer and refresh tokens, stored hashed."""

    __tablename__ = "access_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    """``access`` or ``refresh``."""
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]


class ApplicationRow(Base):
    __tablename__ = "applications"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[str] = mapped_column(Id, ForeignKey("organizations.id"))
    client_id: Mapped[str] = mapped_column(String(22), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    mode: Mapped[str] = mapped_column(String(8))
    """``sandbox`` or ``live``."""
    sandbox_engine: Mapped[str] = mapped_column(String(10), default="scenarios")
    """In sandbox: ``scenarios`` answers by scenario, ``real`` runs the face engine."""
    reference_source: Mapped[str] = mapped_column(String(32), default="stored_or_supplied")
    """``stored_only``, ``stored_or_supplied`` or ``supplied_must_match_stored``."""
    enroll_on_first_use: Mapped[bool] = mapped_column(default=False)
    allow_private_webhooks: Mapped[bool] = mapped_column(default=False)
    kyc_validity_days: Mapped[int | None]
    """Days after which an approved session becomes ``Kyc Expired``; null = never."""
    retention_days: Mapped[int | None]
    """Days from its creation after which a session is erased, 30 to 3650; null = never."""
    website_url: Mapped[str | None] = mapped_column(String(2048))
    redirect_uris: Mapped[list[Any]] = mapped_column(default=list)
    terms_url: Mapped[str | None] = mapped_column(String(2048))
    privacy_url: Mapped[str | None] = mapped_column(String(2048))
    description: Mapped[str | None] = mapped_column(String(2048))
    last_session_number: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    __table_args__ = (Index(None, "organization_id"),)


class ApiKeyRow(Base):
    """Application keys: shown once, stored hashed, recognisable by their prefix."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    prefix: Mapped[str] = mapped_column(String(24))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class KeysetRow(Base):
    """A wrapped encryption keyset. The master key that opens it never enters the database."""

    __tablename__ = "keysets"

    ring: Mapped[str] = mapped_column(String(16), primary_key=True)
    """``ordinary`` or ``biometric``."""
    version: Mapped[int] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]

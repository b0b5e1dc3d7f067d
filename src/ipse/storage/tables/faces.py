"""Media, enrolled references and the faces that 1:N search knows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id, Pseudonym
from ipse.storage.sealed import SealedField, absent
from ipse.storage.tables.base import Base


class MediaRow(Base):
    """A blob that holds one encrypted image. The key ring is the biometric one."""

    __tablename__ = "media"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[str | None] = mapped_column(Id, index=True)
    kind: Mapped[str] = mapped_column(String(32))
    content_type: Mapped[str] = mapped_column(String(64))
    blob_key: Mapped[str] = mapped_column(String(255), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    """Digest of the sealed bytes, so that a damaged blob is noticed before it is opened."""
    key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The key of this blob alone, under the biometric ring: with the row gone, no copy of the blob can be read.
    None: the ring sealed the blob itself (before decision 0022)."""
    byte_count: Mapped[int]
    created_at: Mapped[datetime]


class FaceRow(Base):
    """One face: a template, where it came from, and what it is used for."""

    __tablename__ = "faces"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    """Grows with every face, so that an index in memory can catch up."""
    id: Mapped[str] = mapped_column(Id, unique=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    user_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    vendor_data: Mapped[str | None] = mapped_column(Pseudonym("vendor_data", 256))
    session_id: Mapped[str | None] = mapped_column(Id, index=True)
    media_id: Mapped[str | None] = mapped_column(Id)
    purpose: Mapped[str] = mapped_column(String(16))
    """``reference`` (enrolled), ``probe`` (live selfie), ``supplied`` (``portrait_image``), ``profile``, ``listed``."""
    source: Mapped[str] = mapped_column(String(16))
    """``session``, ``imported`` or ``list_entry``: the contract's vocabulary for matches."""
    supplied_by: Mapped[str] = mapped_column(String(16))
    """``person`` (a live capture), ``integrator`` (sent through the API), ``operator``."""
    searchable: Mapped[bool] = mapped_column(default=False)
    model_id: Mapped[str] = mapped_column(String(64))
    template_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The protected template (decision 0018), under the biometric ring."""
    space_version: Mapped[int | None]
    """The template space of the application that protects it; None: not protected yet, or no template."""
    search_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The vector that 1:N search compares, in the search space of the application; searchable faces have one."""
    renewed_at: Mapped[datetime | None]
    comment = SealedField[str | None](absent)
    created_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "application_id", "user_id", "purpose"),
        Index(None, "application_id", "searchable", "sequence"),
    )


class FaceSpaceRow(Base):
    """The seed of the rotation under which an application's vectors stand in PostgreSQL's vector index.

    The vectors themselves lie in ``face_vectors``, which exists only where pgvector does (``storage.vector_table``).
    """

    __tablename__ = "face_spaces"

    id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True)
    """The application."""
    seed_sealed: Mapped[bytes] = mapped_column(LargeBinary)


class TemplateSpaceRow(Base):
    """The secret behind the transformations of an application's templates; a new version revokes the old one."""

    __tablename__ = "template_spaces"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    version: Mapped[int]
    seed_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    """Protects no new template from here on; old ones are renewed."""

    __table_args__ = (UniqueConstraint("application_id", "version"),)

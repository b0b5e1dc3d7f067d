"""Devices, where they were seen with whom, and which of them a person is known to use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ipse.storage.columns import Id, Pseudonym, PseudonymNumber
from ipse.storage.sealed import SealedField
from ipse.storage.tables.base import Base


class DeviceRow(Base):
    """One browser or app installation, as far as it can be told apart."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    persistent_hash: Mapped[str | None] = mapped_column(String(64))
    """Keyed digest of the id that the device keeps; the id itself is never stored."""
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    """Digest of the components that stay the same on one device."""
    components: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Component name -> value or short digest; what recovery compares after the storage was cleared."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """``device_brand``, ``device_model``, ``browser_family``, ``os_family``, ``platform``."""
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "application_id", "persistent_hash", unique=True),
        Index(None, "application_id", "fingerprint"),
    )


class SightingRow(Base):
    """Somebody was seen at an address, on a device: in a session or in the evaluation of an action."""

    __tablename__ = "sightings"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    seen_at: Mapped[datetime]
    session_id: Mapped[str | None] = mapped_column(Id, ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    evaluation_id: Mapped[str | None] = mapped_column(Id)
    vendor_data: Mapped[str | None] = mapped_column(Pseudonym("vendor_data", 256))
    device_id: Mapped[str | None] = mapped_column(Id, ForeignKey("devices.id", ondelete="SET NULL"))
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    ip: Mapped[str | None] = mapped_column(Pseudonym("address", 45))
    network: Mapped[str | None] = mapped_column(Pseudonym("network", 49))
    """The /24 of an IPv4 address, the /48 of an IPv6 one."""
    country: Mapped[str | None] = mapped_column(String(2))
    latitude: Mapped[float | None] = mapped_column(PseudonymNumber("latitude"))
    longitude: Mapped[float | None] = mapped_column(PseudonymNumber("longitude"))
    asn: Mapped[int | None]
    is_anonymous: Mapped[bool] = mapped_column(default=False)
    """VPN, proxy, Tor, relay or data centre: the place says nothing about the person."""
    details = SealedField[dict[str, Any]](dict)
    """``device_info`` and ``location_info`` of the contract's ``matches[]``."""

    __table_args__ = (
        Index(None, "application_id", "vendor_data", "seen_at"),
        Index(None, "application_id", "ip", "seen_at"),
        Index(None, "application_id", "device_id", "seen_at"),
        Index(None, "application_id", "fingerprint", "seen_at"),
    )


class UserDeviceRow(Base):
    """A device that a person has used; trusted once a face was approved on it."""

    __tablename__ = "user_devices"

    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    device_id: Mapped[str] = mapped_column(Id, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    application_id: Mapped[str] = mapped_column(Id, ForeignKey("applications.id", ondelete="CASCADE"))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    times_seen: Mapped[int] = mapped_column(default=1)
    trusted_at: Mapped[datetime | None]
    trusted_by: Mapped[str | None] = mapped_column(String(16))
    """``session`` (an approved one on this device) or ``integrator``."""
    revoked_at: Mapped[datetime | None]

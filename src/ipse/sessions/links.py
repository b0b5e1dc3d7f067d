"""Addresses of the hosted page."""

from __future__ import annotations

from ipse.settings import Settings


def session_url(settings: Settings, token: str, language: str | None) -> str:
    """The hosted link: ``/{language}/session/{token}``, or ``/session/{token}`` when no language was asked for."""
    prefix = f"/{language}" if language else ""
    return f"{settings.public_url.rstrip('/')}{prefix}/session/{token}"


def handoff_url(settings: Settings, token: str, language: str | None) -> str:
    """The link for a second device: ``/{language}/h/{token}``, or ``/h/{token}``."""
    prefix = f"/{language}" if language else ""
    return f"{settings.public_url.rstrip('/')}{prefix}/h/{token}"

"""The ``ipse`` command beside a running test: the same installation, and nothing of the developer's shell."""

from __future__ import annotations

import os

from ipse.settings import Settings


def environment_for(settings: Settings) -> dict[str, str]:
    """The environment in which a command finds the installation of ``settings``: data, database, keys, address."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IPSE_")}
    keys = {
        f"IPSE_{name.upper()}": secret.get_secret_value()
        for name in ("ordinary_master_key", "biometric_master_key")
        if (secret := getattr(settings, name)) is not None
    }
    return {
        **inherited,
        **keys,
        "IPSE_DATA_DIR": str(settings.data_dir),
        "IPSE_DATABASE_URL": settings.resolved_database_url,
        "IPSE_INTELLIGENCE_DIR": str(settings.intelligence_dir),
        "IPSE_PUBLIC_URL": settings.public_url,
    }

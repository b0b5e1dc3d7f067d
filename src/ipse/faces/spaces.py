"""The secrets from which the transformations of an application's templates are derived (decision 0018)."""

from __future__ import annotations


def seed_context(application_id: str, version: int) -> bytes:
    """Associated data that ties a sealed secret to its application and version; key rotation needs it too."""
    return f"template-space|{application_id}|{version}".encode()

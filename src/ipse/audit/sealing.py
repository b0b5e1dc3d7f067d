"""Details of audit entries at rest: sealed with the ordinary ring, each bound to its entry."""

from __future__ import annotations


def details_context(chain: str, entry_id: str) -> bytes:
    """Associated data that ties sealed details to their entry; key rotation needs it too."""
    return f"audit-details|{chain}|{entry_id}".encode()

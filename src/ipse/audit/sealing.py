"""Contents of audit entries at rest: sealed with the ordinary ring, each bound to its entry.

The content holds whatever identifies anybody: who acted, the id of the object, the person, the particulars of the act.
"""

from __future__ import annotations

import json
from typing import Any

from ipse.audit.chain import SALT_BYTES
from ipse.security.keyring import KeyRing


def details_context(chain: str, entry_id: str) -> bytes:
    """Associated data that ties sealed details to their entry; key rotation needs it too."""
    return f"audit-details|{chain}|{entry_id}".encode()


def seal_content(ring: KeyRing, chain: str, entry_id: str, salt: bytes, content: bytes) -> bytes:
    """Return salt and content, as canonical JSON, sealed for one entry."""
    return ring.seal(salt + content, context=details_context(chain, entry_id))


def open_content(ring: KeyRing, chain: str, entry_id: str, sealed: bytes) -> tuple[bytes, dict[str, Any]]:
    """Return the salt (32 bytes) and the content of an entry.

    Raises:
        CannotOpen: sealed for another entry, or changed.
    """
    opened = ring.open(sealed, context=details_context(chain, entry_id))
    content: dict[str, Any] = json.loads(opened[SALT_BYTES:])
    return opened[:SALT_BYTES], content

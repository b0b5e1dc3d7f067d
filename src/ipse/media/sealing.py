"""Images at rest: each blob under a key of its own, the key under the biometric ring (decision 0022).

Whoever has a copy of a blob (a bucket that keeps versions, a backup, a deletion that never reached the store) needs the
row to read it; erasing the row therefore makes every copy unreadable. And a rotation touches 100 bytes, not the image.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ipse.security.keyring import CannotOpen, KeyRing

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


def seal_context(application_id: str, media_id: str, kind: str) -> bytes:
    """Return the associated data that ties the sealed bytes of an image to its row."""
    return f"media|{application_id}|{media_id}|{kind}".encode()


def key_context(application_id: str, media_id: str, kind: str) -> bytes:
    """Return the associated data that ties the sealed key of an image to its row; key rotation needs it too."""
    return f"media-key|{application_id}|{media_id}|{kind}".encode()


def seal(ring: KeyRing, content: bytes, *, application_id: str, media_id: str, kind: str) -> tuple[bytes, bytes]:
    """Return ``content`` under a fresh key (AES-256-GCM, nonce in front), and that key under the ring."""
    key, nonce = secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, content, seal_context(application_id, media_id, kind))
    return sealed, ring.seal(key, context=key_context(application_id, media_id, kind))


def unseal(
    ring: KeyRing, sealed: bytes, key_sealed: bytes | None, *, application_id: str, media_id: str, kind: str
) -> bytes:
    """Return the image. Without ``key_sealed`` the ring sealed the bytes itself, as it did before decision 0022.

    Raises:
        CannotOpen: another place, another ring, or changed bytes.
    """
    context = seal_context(application_id, media_id, kind)
    if key_sealed is None:
        return ring.open(sealed, context=context)
    key = ring.open(key_sealed, context=key_context(application_id, media_id, kind))
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
        raise CannotOpen("The image was sealed for another place, or was changed.") from error

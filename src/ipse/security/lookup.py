"""Values that must be found and yet not be readable: keyed digests, and encryption that gives equal values equal bytes.

Both use one secret of the installation, which stays what it is when data keys rotate: a column of digests or of
deterministic ciphertext would otherwise have to be rewritten before the first look-up after a rotation. It is stored
among the key sets, wrapped by the ordinary master key, and follows a change of that master key.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ipse.security.keyring import CannotOpen, MasterKey

SECRET_BYTES: Final = 64
TAG_LENGTH: Final = 64
"""Characters of a tag: SHA-256 in hex."""

_CONTEXT: Final = b"ipse|lookup|1"


class LookupKey:
    """The secret, ready for use. Safe to share between threads."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"the look-up secret has {SECRET_BYTES} bytes, not {len(secret)}")
        self._secret = secret
        self._siv = AESSIV(_derived(secret, "siv", 64))
        self._mac_key = _derived(secret, "tag", 32)

    @classmethod
    def create(cls) -> LookupKey:
        """Return a fresh one."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def unwrap(cls, wrapped: bytes, master: MasterKey) -> LookupKey:
        """Return the stored secret.

        Raises:
            CannotOpen: ``master`` is not the one that wrapped it.
        """
        return cls(master.unwrap(wrapped, context=_CONTEXT))

    def wrap(self, master: MasterKey) -> bytes:
        """Return the secret for storage; it is useless without the master key."""
        return master.wrap(self._secret, context=_CONTEXT)

    def tag(self, purpose: str, *parts: str) -> str:
        """Return the keyed digest of ``parts`` for one purpose: 64 hexadecimal digits of HMAC-SHA256.

        Name the application among the parts: digests of two applications are then unlinkable.
        """
        message = b"".join(len(part).to_bytes(4, "big") + part for part in (one.encode() for one in (purpose, *parts)))
        return hmac.digest(self._mac_key, message, "sha256").hex()

    def seal(self, text: str, *, field: str) -> str:
        """Return ``text`` under AES-SIV (RFC 5297) as base64url: the same text of the same field is the same bytes.

        Who reads the column learns which rows agree and how long a value is, nothing else.
        """
        return base64.urlsafe_b64encode(self._siv.encrypt(text.encode(), [field.encode()])).rstrip(b"=").decode()

    def open(self, sealed: str, *, field: str) -> str:
        """Return what was sealed.

        Raises:
            CannotOpen: sealed for another field, with another secret, or changed.
        """
        try:
            content = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            return self._siv.decrypt(content, [field.encode()]).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise CannotOpen("The value was sealed for another field, or was changed.") from error


def _derived(secret: bytes, purpose: str, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length=length, salt=None, info=f"ipse|lookup|{purpose}".encode()).derive(secret)

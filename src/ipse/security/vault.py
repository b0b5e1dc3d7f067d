"""The keys of sealed fields and pseudonyms, as the storage asks for them (decision 0017)."""

from __future__ import annotations

from dataclasses import dataclass

from ipse.security.keyring import KeyRing
from ipse.security.lookup import LookupKey


@dataclass(frozen=True, slots=True)
class KeyVault:
    """``ipse.storage.sealed.Vault`` over the ordinary ring, which rotates, and the look-up secret, which does not."""

    ring: KeyRing
    lookup: LookupKey

    def seal(self, content: bytes, *, context: bytes) -> bytes:
        """As :meth:`KeyRing.seal`."""
        return self.ring.seal(content, context=context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """As :meth:`KeyRing.open`."""
        return self.ring.open(sealed, context=context)

    def pseudonym(self, text: str, *, field: str) -> str:
        """As :meth:`LookupKey.seal`."""
        return self.lookup.seal(text, field=field)

    def reveal(self, pseudonym: str, *, field: str) -> str:
        """As :meth:`LookupKey.open`."""
        return self.lookup.open(pseudonym, field=field)

    def tag(self, purpose: str, *parts: str) -> str:
        """As :meth:`LookupKey.tag`."""
        return self.lookup.tag(purpose, *parts)

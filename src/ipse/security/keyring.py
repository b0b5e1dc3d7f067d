"""Envelope encryption: a ring of data keys, wrapped by one master key (decision 0008).

Two rings exist. The *biometric* ring seals images and templates, the *ordinary* ring seals everything else; each is
wrapped by a master key of its own, so that access to one says nothing about the other. A sealed value starts with the
identifier of the key that sealed it, which is how old values stay readable after a rotation.

The *context* given to :meth:`KeyRing.seal` is authenticated but not stored: it names the place of the value
(application, row, field), so that a value copied to another row does not open there.

Data keys are AES-256-GCM (NIST SP 800-38D) in the Tink wire format: 0x01, four bytes of key identifier, a nonce of 12
bytes, the ciphertext, a tag of 16 bytes: 33 bytes more than the plaintext.
"""

from __future__ import annotations

import enum
import hmac
import secrets
from typing import Final, Protocol

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tink import aead, secret_key_access
from tink.proto import tink_pb2

aead.register()

MASTER_KEY_BYTES: Final = 32
OVERHEAD_BYTES: Final = 33

_TINK_PREFIX: Final = b"\x01"
_PREFIX_BYTES: Final = 5
_NONCE_BYTES: Final = 12
_KEY_ID_BYTES: Final = 4


class Ring(enum.StrEnum):
    """The two rings."""

    ORDINARY = "ordinary"
    BIOMETRIC = "biometric"


class KeyRingError(Exception):
    """Something about keys is not as it must be; ``code`` is stable."""

    code = "KEY_RING_ERROR"


class CannotOpen(KeyRingError):
    """The value was sealed elsewhere, for another place, or was changed. Which one is not said."""

    code = "CANNOT_OPEN"


class UnknownKey(CannotOpen):
    """The value was sealed with a key this process does not know (yet): reload the ring and try once more."""

    code = "UNKNOWN_KEY"

    def __init__(self, ring: Ring, key_id: int) -> None:
        super().__init__(f"Key {key_id:08x} is not on the {ring} ring.")
        self.key_id = key_id


class WrongMasterKey(KeyRingError):
    """A stored ring does not open under the master key of this process."""

    code = "WRONG_MASTER_KEY"

    def __init__(self, ring: Ring) -> None:
        super().__init__(
            f"The stored {ring} key ring does not open with this master key. Configure the master key it was created "
            "with, or restore the key file beside the database backup."
        )


class MasterKey(Protocol):
    """What wraps a ring. A key management service takes part by implementing these two calls."""

    def wrap(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt and authenticate ``plaintext``; ``context`` is authenticated only."""
        ...

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Return what was wrapped.

        Raises:
            CannotOpen: another master key, another context, or changed bytes.
        """
        ...


class LocalMasterKey:
    """A master key held in memory: AES-256-GCM with a random nonce of 12 bytes in front."""

    def __init__(self, key: bytes) -> None:
        if len(key) != MASTER_KEY_BYTES:
            raise ValueError(f"a master key has {MASTER_KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)

    def wrap(self, plaintext: bytes, *, context: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
            raise CannotOpen("The master key does not open this.") from error


class KeyRing:
    """Seals and opens values. Safe to share between threads; a new version is taken in by one assignment."""

    def __init__(self, ring: Ring, version: int, keyset: tink_pb2.Keyset) -> None:
        self.ring = ring
        self._use(version, keyset)

    @classmethod
    def create(cls, ring: Ring) -> KeyRing:
        """Return version 1 of a ring, with one fresh key."""
        return cls(ring, 1, _fresh_keyset())

    @classmethod
    def unwrap(cls, ring: Ring, version: int, wrapped: bytes, master: MasterKey) -> KeyRing:
        """Return a stored version.

        Raises:
            WrongMasterKey: ``master`` is not the one that wrapped it.
        """
        try:
            keyset = master.unwrap(wrapped, context=_wrapping_context(ring, version))
        except CannotOpen as error:
            raise WrongMasterKey(ring) from error
        return cls(ring, version, tink_pb2.Keyset.FromString(keyset))

    def wrap(self, master: MasterKey) -> bytes:
        """Return this version for storage; it is useless without the master key."""
        return master.wrap(self._keyset.SerializeToString(), context=_wrapping_context(self.ring, self.version))

    @property
    def version(self) -> int:
        """Grows by one with every change of the ring."""
        return self._version

    @property
    def primary_key_id(self) -> int:
        """Identifier of the key that seals now."""
        return self._primary_key_id

    @property
    def key_ids(self) -> tuple[int, ...]:
        """Identifiers of every key that opens, oldest first."""
        return self._key_ids

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Return ``plaintext`` encrypted under the primary key and bound to ``context``."""
        sealed: bytes = self._cipher.encrypt(plaintext, context)
        return sealed

    def open(self, ciphertext: bytes, *, context: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            UnknownKey: the key is not on this ring.
            CannotOpen: the context differs, or the bytes were changed.
        """
        key_id = key_id_of(ciphertext)
        if key_id not in self.key_ids:
            raise UnknownKey(self.ring, key_id)
        try:
            plaintext: bytes = self._cipher.decrypt(ciphertext, context)
        except tink.TinkError as error:
            raise CannotOpen("The value was sealed for another place, or was changed.") from error
        return plaintext

    def needs_rewrap(self, ciphertext: bytes) -> bool:
        """Return whether ``ciphertext`` was sealed with a key that is no longer the primary one."""
        return key_id_of(ciphertext) != self.primary_key_id

    def rewrap(self, ciphertext: bytes, *, context: bytes) -> bytes:
        """Return the same value sealed with the primary key; unchanged if it already is.

        Raises:
            CannotOpen: as :meth:`open`.
        """
        if not self.needs_rewrap(ciphertext):
            return ciphertext
        return self.seal(self.open(ciphertext, context=context), context=context)

    def tag(self, message: bytes, *, purpose: str) -> bytes:
        """Return 36 bytes that prove ``message`` came from a holder of this ring: key identifier and HMAC-SHA256.

        The HMAC key is derived from the primary data key for one ``purpose`` (HKDF, RFC 5869), so a tag made for one
        purpose is worthless for another.
        """
        return self.primary_key_id.to_bytes(_KEY_ID_BYTES, "big") + self._mac(self.primary_key_id, message, purpose)

    def tags(self, message: bytes, *, purpose: str) -> tuple[bytes, ...]:
        """Return the tag of ``message`` under every key of this ring, that of :meth:`tag` first, then newest first.

        For values that are looked up by their tag: one that was stored before a rotation is found by an older key.
        """
        others = [key_id for key_id in reversed(self.key_ids) if key_id != self.primary_key_id]
        return tuple(
            key_id.to_bytes(_KEY_ID_BYTES, "big") + self._mac(key_id, message, purpose)
            for key_id in (self.primary_key_id, *others)
        )

    def confirms(self, tag: bytes, message: bytes, *, purpose: str) -> bool:
        """Return whether ``tag`` was made by :meth:`tag` for this message and purpose with a key of this ring."""
        key_id = int.from_bytes(tag[:_KEY_ID_BYTES], "big")
        if key_id not in self.key_ids:
            return False
        return hmac.compare_digest(tag[_KEY_ID_BYTES:], self._mac(key_id, message, purpose))

    def with_new_key(self) -> KeyRing:
        """Return the next version: one more key, which opens but does not seal yet.

        A key becomes primary only after every process had time to load it (:meth:`with_newest_primary`); otherwise a
        process could meet a value sealed with a key it has never seen.
        """
        keyset = _copy(self._keyset)
        fresh = _fresh_keyset()
        while fresh.key[0].key_id in self.key_ids:
            fresh = _fresh_keyset()
        keyset.key.append(fresh.key[0])
        return KeyRing(self.ring, self.version + 1, keyset)

    def with_newest_primary(self) -> KeyRing:
        """Return the next version, in which the youngest key seals."""
        keyset = _copy(self._keyset)
        keyset.primary_key_id = keyset.key[-1].key_id
        return KeyRing(self.ring, self.version + 1, keyset)

    def with_only_primary(self) -> KeyRing:
        """Return the next version without the older keys. What is still sealed with them is lost: rewrap first."""
        keyset = _copy(self._keyset)
        kept = [key for key in keyset.key if key.key_id == keyset.primary_key_id]
        del keyset.key[:]
        keyset.key.extend(kept)
        return KeyRing(self.ring, self.version + 1, keyset)

    def rotate(self) -> None:
        """Add a key and seal with it at once: right where no other process shares the ring."""
        self.take_over(self.with_new_key().with_newest_primary())

    def take_over(self, other: KeyRing) -> None:
        """Become ``other``, another version of the same ring: the holders of this object see it at once."""
        if other.ring is not self.ring:
            raise ValueError(f"the {self.ring} ring cannot become the {other.ring} ring")
        self._use(other.version, other._keyset)

    def _mac(self, key_id: int, message: bytes, purpose: str) -> bytes:
        key = self._mac_keys.get((key_id, purpose))
        if key is None:
            material = next(key.key_data.value for key in self._keyset.key if key.key_id == key_id)
            derivation = HKDF(hashes.SHA256(), length=32, salt=None, info=f"ipse|tag|{purpose}".encode())
            key = self._mac_keys[key_id, purpose] = derivation.derive(material)
        return hmac.digest(key, message, "sha256")

    def _use(self, version: int, keyset: tink_pb2.Keyset) -> None:
        handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
        self._cipher: aead.Aead = handle.primitive(aead.Aead)
        self._keyset = keyset
        self._version = version
        # Read from the message once: these are asked for with every field that is opened.
        self._primary_key_id = int(keyset.primary_key_id)
        self._key_ids = tuple(int(key.key_id) for key in keyset.key)
        self._mac_keys: dict[tuple[int, str], bytes] = {}


def key_id_of(ciphertext: bytes) -> int:
    """Return the identifier of the key that sealed ``ciphertext``.

    Raises:
        CannotOpen: this is not a sealed value.
    """
    if len(ciphertext) < OVERHEAD_BYTES or ciphertext[:1] != _TINK_PREFIX:
        raise CannotOpen("This is not a sealed value.")
    return int.from_bytes(ciphertext[1:_PREFIX_BYTES], "big")


def _fresh_keyset() -> tink_pb2.Keyset:
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return tink_pb2.Keyset.FromString(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def _copy(keyset: tink_pb2.Keyset) -> tink_pb2.Keyset:
    copy = tink_pb2.Keyset()
    copy.CopyFrom(keyset)
    return copy


def _wrapping_context(ring: Ring, version: int) -> bytes:
    return f"ipse|keyset|{ring}|{version}".encode()

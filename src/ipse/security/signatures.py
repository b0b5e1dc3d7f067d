"""Signing and verifying webhook events (contract 40, sections 4 to 6).

Sending: the body is the canonical text, so the HMAC over its raw bytes and the HMAC over its rebuilt form are the
same and ``X-Signature`` equals ``X-Signature-V2``. ``timestamp`` and ``created_at`` are stamped per attempt and equal
``X-Timestamp``. The HMAC key is the UTF-8 text of the secret; it is never base64-decoded.

Three further headers follow the Standard Webhooks specification (``webhook-id``, ``webhook-timestamp``,
``webhook-signature: v1,<base64>``), keyed with the same bytes: a receiver that uses one of its libraries configures
``whsec_`` + base64(secret).

Receiving: :func:`verify` walks through numbered checks and raises one of :class:`SignatureError`'s children, each
with what was expected and what was got.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ipse.security.canonical_json import JsonValue, canonical_form, serialise, shorten_floats

FRESHNESS_SECONDS: Final = 300
"""How far ``X-Timestamp`` may lie from the receiver's clock, in either direction (contract 40, section 4)."""

TIMESTAMP_HEADER: Final = "X-Timestamp"
RAW_HEADER: Final = "X-Signature"
CANONICAL_HEADER: Final = "X-Signature-V2"
SIMPLE_HEADER: Final = "X-Signature-Simple"

_HEX_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_UNIX_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_EXCERPT_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What one delivery attempt sends: the exact body and its signature headers."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two texts part; ``offset`` counts bytes from 0, the excerpts start a little before it."""

    offset: int
    raw: bytes
    canonical: bytes

    def __str__(self) -> str:
        return f"byte {self.offset}: received {self.raw!r}, canonical {self.canonical!r}"


@dataclass(frozen=True, slots=True)
class VerifiedEvent:
    """Facts that hold after :func:`verify` returned.

    ``raw`` and ``canonical`` say which body-covering recipe was present and matched; at least one is true.
    ``difference`` is set when the received bytes are not canonical although the signature holds.
    """

    event_id: str
    webhook_type: str
    session_id: str
    status: str
    timestamp: int
    raw: bool
    canonical: bool
    difference: Difference | None
    payload: Mapping[str, JsonValue]


class SignatureError(Exception):
    """A delivery that must not be trusted. ``code`` is stable; ``expected`` and ``got`` are for the person who
    repairs it.
    """

    code = "SIGNATURE_ERROR"

    def __init__(self, message: str, *, expected: str, got: str) -> None:
        super().__init__(f"{message} (expected {expected}, got {got})")
        self.expected = expected
        self.got = got


class MissingSignature(SignatureError):
    """A header without which nothing can be verified is absent."""

    code = "SIGNATURE_MISSING"


class MalformedSignature(SignatureError):
    """A header is present but is not what its definition says."""

    code = "SIGNATURE_MALFORMED"


class StaleTimestamp(SignatureError):
    """The delivery is too old or from the future: a replay, or a wrong clock."""

    code = "TIMESTAMP_STALE"


class MalformedBody(SignatureError):
    """The body is not one JSON object in UTF-8 without repeated keys."""

    code = "BODY_MALFORMED"


class SignatureMismatch(SignatureError):
    """An HMAC differs: another secret, or the body was changed on the way.

    ``difference`` is the first byte at which the received body is not canonical, or ``None`` if it is canonical
    throughout (then the secret is the first suspect).
    """

    code = "SIGNATURE_MISMATCH"

    def __init__(self, header: str, *, expected: str, got: str, difference: Difference | None) -> None:
        where = (
            "the body is canonical, so check the secret first"
            if difference is None
            else f"not canonical at {difference}"
        )
        super().__init__(f"{header} does not match; {where}", expected=expected, got=got)
        self.header = header
        self.difference = difference


class TimestampMismatch(SignatureError):
    """The body was stamped with another time than the header: parts of two deliveries were combined."""

    code = "TIMESTAMP_MISMATCH"


def sign(secret: str, payload: Mapping[str, object], *, timestamp: int) -> SignedRequest:
    """Stamp ``payload`` with ``timestamp`` (Unix seconds) and return its body and headers.

    Envelope fields absent from ``payload`` count as empty in ``X-Signature-Simple``.

    Raises:
        NotCanonical: the payload has no portable JSON text.
    """
    stamped = canonical_form({**payload, "timestamp": timestamp, "created_at": timestamp})
    assert isinstance(stamped, dict)
    body = serialise(stamped)
    signature = hmac_hex(secret, body)
    event_id = _text(stamped, "event_id")
    return SignedRequest(
        body,
        {
            TIMESTAMP_HEADER: str(timestamp),
            RAW_HEADER: signature,
            CANONICAL_HEADER: signature,
            SIMPLE_HEADER: hmac_hex(secret, _simple_text(stamped)),
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": f"v1,{_standard_signature(secret, event_id, timestamp, body)}",
        },
    )


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: int) -> VerifiedEvent:
    """Return the facts of a delivery, or raise.

    Header names are matched without regard to case. Every signature header that is present must hold, and one that
    covers the body (``X-Signature`` or ``X-Signature-V2``) must be present: ``X-Signature-Simple`` alone protects the
    envelope only.

    Args:
        now: the receiver's clock, Unix seconds.

    Raises:
        SignatureError: one of its children, by the first check that fails.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}

    # 1. X-Timestamp is there and is a number of seconds.
    timestamp = _read_timestamp(given)

    # 2. It is fresh, so that a recorded delivery cannot be replayed later.
    if abs(now - timestamp) > FRESHNESS_SECONDS:
        raise StaleTimestamp(
            "X-Timestamp is too far from this machine's clock",
            expected=f"{now} +- {FRESHNESS_SECONDS}",
            got=str(timestamp),
        )

    # 3. A signature that covers the body is there, and each one is 64 hexadecimal digits.
    raw_signature = _read_digest(given, RAW_HEADER)
    canonical_signature = _read_digest(given, CANONICAL_HEADER)
    simple_signature = _read_digest(given, SIMPLE_HEADER)
    if raw_signature is None and canonical_signature is None:
        raise MissingSignature(
            "No signature covers the body", expected=f"{RAW_HEADER} or {CANONICAL_HEADER}", got="neither header"
        )

    # 4. The body is one JSON object; its canonical text is what the sender had in hand.
    payload = _parse(body)
    canonical = rebuild(payload)
    difference = first_difference(body, canonical)

    # 5. X-Signature is the HMAC of the bytes as they arrived.
    _require_match(RAW_HEADER, raw_signature, hmac_hex(secret, body), difference)

    # 6. X-Signature-V2 is the HMAC of the canonical text.
    _require_match(CANONICAL_HEADER, canonical_signature, hmac_hex(secret, canonical), difference)

    # 7. X-Signature-Simple is the HMAC of the envelope.
    _require_match(SIMPLE_HEADER, simple_signature, hmac_hex(secret, _simple_text(payload)), difference)

    # 8. The body was stamped with the same second as the header.
    stamped = payload.get("timestamp", payload.get("created_at"))
    if isinstance(stamped, bool) or stamped != timestamp:
        raise TimestampMismatch("The body's timestamp is not the header's", expected=str(timestamp), got=repr(stamped))

    return VerifiedEvent(
        event_id=_text(payload, "event_id"),
        webhook_type=_text(payload, "webhook_type"),
        session_id=_text(payload, "session_id"),
        status=_text(payload, "status"),
        timestamp=timestamp,
        raw=raw_signature is not None,
        canonical=canonical_signature is not None,
        difference=difference,
        payload=payload,
    )


def rebuild(payload: JsonValue) -> bytes:
    """Return the canonical text of a parsed body by the receiver's recipe: shorten floats, sort keys, serialise."""
    return serialise(shorten_floats(payload))


def first_difference(raw: bytes, canonical: bytes) -> Difference | None:
    """Return where ``raw`` first departs from ``canonical``, or ``None`` if they are the same bytes."""
    if raw == canonical:
        return None
    shorter = min(len(raw), len(canonical))
    offset = next((index for index in range(shorter) if raw[index] != canonical[index]), shorter)
    start = max(0, offset - _EXCERPT_BYTES // 2)
    return Difference(offset, raw[start : start + _EXCERPT_BYTES], canonical[start : start + _EXCERPT_BYTES])


def hmac_hex(secret: str, message: bytes) -> str:
    """Return HMAC-SHA256 of ``message`` under the UTF-8 bytes of ``secret``: 64 lower-case hexadecimal digits."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _standard_signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{event_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def _simple_text(payload: Mapping[str, JsonValue]) -> bytes:
    fields = ("timestamp", "session_id", "status", "webhook_type")
    return ":".join(_text(payload, field) for field in fields).encode()


def _text(payload: Mapping[str, JsonValue], field: str) -> str:
    value = payload.get(field)
    return "" if value is None else str(value)


def _read_timestamp(given: Mapping[str, str]) -> int:
    value = given.get(TIMESTAMP_HEADER.lower())
    if value is None:
        raise MissingSignature("X-Timestamp is absent", expected="Unix seconds", got="no header")
    if not _UNIX_SECONDS.fullmatch(value):
        raise MalformedSignature("X-Timestamp is not a number of seconds", expected="up to 12 digits", got=value[:40])
    return int(value)


def _read_digest(given: Mapping[str, str], header: str) -> str | None:
    value = given.get(header.lower())
    if value is not None and not _HEX_DIGEST.fullmatch(value):
        raise MalformedSignature(f"{header} is not an HMAC-SHA256", expected="64 hexadecimal digits", got=value[:80])
    return None if value is None else value.lower()


def _require_match(header: str, got: str | None, expected: str, difference: Difference | None) -> None:
    if got is not None and not hmac.compare_digest(got, expected):
        raise SignatureMismatch(header, expected=expected, got=got, difference=difference)


def _parse(body: bytes) -> dict[str, JsonValue]:
    try:
        payload = json.loads(body.decode(), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise MalformedBody(
            "The body is nested too deep", expected="a JSON object", got=f"{len(body)} bytes"
        ) from error
    except ValueError as error:  # also UnicodeDecodeError and JSONDecodeError
        raise MalformedBody("The body cannot be read", expected="a JSON object in UTF-8", got=str(error)) from error
    if not isinstance(payload, dict):
        raise MalformedBody("The body is not an object", expected="a JSON object", got=type(payload).__name__)
    try:
        serialise(payload)
    except UnicodeEncodeError as error:
        raise MalformedBody("The body holds half a surrogate pair", expected="valid Unicode", got=str(error)) from error
    return payload


def _unique_keys(pairs: Sequence[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return members


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")

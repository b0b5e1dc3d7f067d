"""Signed verdicts: compact JWS with Ed25519, issued and checked without a database (decision 0014).

The verifier decides how a token is checked: one algorithm, one ``typ``, a key it already has. The header only names
which of those keys; ``jku``, ``jwk``, ``x5u``, ``crit`` and any other member make a token invalid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

ALGORITHM: Final = "EdDSA"
"""RFC 8037, with Ed25519 keys only. The name ``Ed25519`` of RFC 9864 is not yet known to most verifiers."""
TYPE: Final = "ipse-verdict+jwt"
"""Explicit typing (RFC 8725, section 3.11): no other token that these keys might sign is taken for a verdict."""
MAX_TOKEN: Final = 4096
CLOCK_SKEW: Final = timedelta(seconds=5)
"""How far in the future ``iat`` may lie: clocks of two processes of one installation."""
_HEADER: Final = frozenset({"alg", "typ", "kid"})


class TokenInvalid(Exception):
    """Not a verdict of this service for this application. Why is not told: it would help to forge one."""


class TokenExpired(Exception):
    """A verdict of this service for this application whose time is over."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verdict says. Times are whole seconds since 1970 in UTC."""

    iss: str
    """Public address of the service."""
    aud: str
    """The application."""
    sid: str
    """The session."""
    ver: int
    """Version of the session: another one has another verdict."""
    env: str
    """``live`` or ``sandbox``: a verdict of the sandbox proves nothing about a person."""
    status: str
    iat: int
    exp: int
    jti: str
    sub: str | None = None
    """``vendor_data``; left out for a session without a subject."""
    act: str | None = None
    """Hash of the action; left out for a session without one."""
    method: str | None = None
    """How the face was captured: ``PASSIVE``, ``ACTIVE_3D`` or ``FLASHING``."""
    ref: str | None = None
    """Kind of the reference face that was compared with: ``stored``, ``supplied``, …"""

    def to_json(self) -> dict[str, Any]:
        """The claims without those that are left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key under its ``kid``."""

    kid: str
    key: OKPKey


class _EdDsaOnly(JWSRegistry):
    """Knows one algorithm. joserfc warns that its name is deprecated (RFC 9864); what it does is not."""

    def get_alg(self, name: str) -> Any:
        if name != ALGORITHM:
            raise TokenInvalid
        return self.algorithms[ALGORITHM]


EDDSA_ONLY: Final = _EdDsaOnly(algorithms=[ALGORITHM])
"""What signs and checks everything of this service; another algorithm raises :class:`TokenInvalid`."""


def sign(claims: Claims, key: SigningKey) -> str:
    """Return the compact JWS of ``claims``."""
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    payload = json.dumps(claims.to_json(), separators=(",", ":"), ensure_ascii=False)
    return jws.serialize_compact(header, payload.encode(), key.key, registry=EDDSA_ONLY)


def verify(token: str, keys: Mapping[str, OKPKey], *, issuer: str, audience: str, now: datetime) -> Claims:
    """Return the claims of a verdict that holds now. ``keys`` are the published ones by ``kid``.

    Raises:
        TokenInvalid: anything but a verdict that this service signed for this application.
        TokenExpired: such a verdict, too late.
    """
    if len(token) > MAX_TOKEN or not token.isascii():
        raise TokenInvalid
    try:
        # 1. Nothing of the header is trusted; it must be of our shape and name a key that we have.
        header = jws.extract_compact(token.encode(), registry=EDDSA_ONLY).headers()
        key = keys.get(_kid(header))
        if key is None:
            raise TokenInvalid
        # 2. The signature, with the one algorithm.
        content = jws.deserialize_compact(token, key, registry=EDDSA_ONLY).payload
        # 3. The claims are ours, all of them and no other.
        claims = _claims(json.loads(content))
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenInvalid from error
    # 4. For whom, and when.
    if claims.iss != issuer or claims.aud != audience:
        raise TokenInvalid
    if claims.iat > (now + CLOCK_SKEW).timestamp() or claims.exp <= claims.iat:
        raise TokenInvalid
    if claims.exp <= now.timestamp():
        raise TokenExpired
    return claims


def moment(seconds: int) -> datetime:
    """The instant of a claim."""
    return datetime.fromtimestamp(seconds, UTC)


def _kid(header: Mapping[str, Any]) -> str:
    if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise TokenInvalid
    kid = header["kid"]
    if not isinstance(kid, str):
        raise TokenInvalid
    return kid


def _claims(given: Any) -> Claims:
    if not isinstance(given, dict):
        raise TokenInvalid
    numbers = {"ver", "iat", "exp"}
    for name, value in given.items():
        fits = type(value) is int if name in numbers else isinstance(value, str)
        if not fits or name not in _NAMES:
            raise TokenInvalid
    return Claims(**given)  # TypeError: one is missing


_NAMES: Final = frozenset(field.name for field in fields(Claims))

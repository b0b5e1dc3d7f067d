"""Statements signed by this installation: compact JWS with the keys that sign verdicts, readable for years.

A verdict is checked within minutes against the published keys. A checkpoint or a receipt is checked when its key may
long be gone from the published set, so it carries its public key, and its ``kid`` is the thumbprint of that key (RFC
7638): whoever wrote the thumbprint down, or finds it among the published keys, knows whose signature it is. ``typ``
tells the kinds apart (RFC 8725, section 3.11): none is taken for another, and none for a verdict.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from ipse.step_up.tokens import ALGORITHM, EDDSA_ONLY, SigningKey, TokenInvalid

LONGEST: Final = 16384
"""Characters of a statement; a longer text is not read."""
_HEADER: Final = frozenset({"alg", "typ", "kid"})


class StatementInvalid(Exception):
    """Not a statement of this kind, or its signature does not hold."""


class UnknownSigner(StatementInvalid):
    """The signature holds, but by a key that is not among those given."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed, and by which key."""

    kid: str
    payload: Mapping[str, Any]


def sign(payload: Mapping[str, Any], typ: str, key: SigningKey) -> str:
    """Return the compact JWS of ``payload``, which must not have a member ``jwk``: the public key goes there."""
    header = {"alg": ALGORITHM, "typ": typ, "kid": key.kid}
    whole = {**payload, "jwk": dict(key.key.as_dict(private=False))}
    content = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return jws.serialize_compact(header, content.encode(), key.key, registry=EDDSA_ONLY)


def read(token: str, typ: str, trusted: Collection[str] | None) -> Statement:
    """Return what was signed.

    Args:
        trusted: thumbprints of the keys that may have signed; None accepts any key, which proves only that the
            statement was not changed since.

    Raises:
        StatementInvalid: not a statement of this kind, or changed.
        UnknownSigner: signed by another key.
    """
    if len(token) > LONGEST or not token.isascii():
        raise StatementInvalid("This is not a signed statement.")
    try:
        unchecked = jws.extract_compact(token.encode(), registry=EDDSA_ONLY)
        header = unchecked.headers()
        if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != typ:
            raise StatementInvalid(f"This is not a statement of the kind {typ}.")
        payload = json.loads(unchecked.payload)
        key = OKPKey.import_key(payload.pop("jwk"))
        if key.is_private or key.thumbprint() != header["kid"]:
            raise StatementInvalid("The key of the statement is not the one that it names.")
        jws.deserialize_compact(token, key, registry=EDDSA_ONLY)
    except (JoseError, TokenInvalid, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise StatementInvalid("The signature of the statement does not hold.") from error
    if trusted is not None and header["kid"] not in trusted:
        raise UnknownSigner(f"Signed with key {header['kid']}, which is not one of the given ones.")
    return Statement(header["kid"], payload)

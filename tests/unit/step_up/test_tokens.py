"""A verdict is believed only in the form in which this service signs it, with its key, for its application, in time."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from ipse.step_up.tokens import Claims, SigningKey, TokenExpired, TokenInvalid, sign, verify

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, APPLICATION = "https://ipse.example", "app-1"
KEY = SigningKey("k1", OKPKey.generate_key("Ed25519"))
PUBLIC = {"k1": OKPKey.import_key(dict(KEY.key.as_dict(private=False)))}
CLAIMS = Claims(
    iss=ISSUER, aud=APPLICATION, sid="s-1", ver=3, env="live", status="Approved", iat=AT, exp=AT + 300, jti="v-1",
    sub="user-42", act="ab" * 32, method="PASSIVE", ref="stored",
)  # fmt: skip
HEADER = {"alg": "EdDSA", "typ": "ipse-verdict+jwt", "kid": "k1"}


def check(token: str, *, now: datetime = NOW, audience: str = APPLICATION, issuer: str = ISSUER) -> Claims:
    return verify(token, PUBLIC, issuer=issuer, audience=audience, now=now)


def encoded(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: Any) -> str:
    """A token that our own key signed, whatever it says."""
    text = f"{encoded(header)}.{encoded(claims)}"
    private: Any = KEY.key.private_key
    return f"{text}.{encoded(private.sign(text.encode()))}"


def test_a_verdict_verifies_to_the_claims_that_were_signed() -> None:
    assert check(sign(CLAIMS, KEY)) == CLAIMS
    bare = replace(CLAIMS, sub=None, act=None, method=None, ref=None)
    assert check(sign(bare, KEY)) == bare
    assert not {"sub", "act", "method", "ref"} & bare.to_json().keys()
    assert check(signed(HEADER, CLAIMS.to_json())) == CLAIMS, "the forger of these tests can sign"


def test_an_unsigned_token_is_refused() -> None:
    for name in ("none", "None", "NONE"):
        text = f"{encoded({**HEADER, 'alg': name})}.{encoded(CLAIMS.to_json())}"
        for signature in ("", encoded(b"x" * 64)):
            with pytest.raises(TokenInvalid):
                check(f"{text}.{signature}")


def test_a_mac_made_with_the_public_key_as_its_secret_is_refused() -> None:
    raw: Any = PUBLIC["k1"].raw_value
    for secret in (raw.public_bytes_raw(), json.dumps(PUBLIC["k1"].as_dict(private=False)).encode()):
        for name, digest in (("HS256", "sha256"), ("HS512", "sha512"), ("EdDSA", "sha512")):
            text = f"{encoded({**HEADER, 'alg': name})}.{encoded(CLAIMS.to_json())}"
            with pytest.raises(TokenInvalid):
                check(f"{text}.{encoded(hmac.digest(secret, text.encode(), digest))}")


def test_an_rsa_signature_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    text = f"{encoded({**HEADER, 'alg': 'RS256'})}.{encoded(CLAIMS.to_json())}"
    with pytest.raises(TokenInvalid):
        check(f"{text}.{encoded(key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}")


@pytest.mark.parametrize(
    "change",
    [
        {"kid": "nobody"},
        {"kid": None},
        {"kid": ["k1"]},
        {"typ": "JWT"},
        {"typ": "ipse-verdict"},
        {"alg": "Ed25519"},
        {"alg": "ES256"},
        {"alg": ["EdDSA"]},
        {"jku": "https://evil.example/jwks.json"},
        {"jwk": OKPKey.generate_key("Ed25519").as_dict(private=False)},
        {"x5u": "https://evil.example/chain.pem"},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
    ],
    ids=lambda change: "-".join(change),
)
def test_the_header_cannot_choose_how_or_with_what_a_token_is_checked(change: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        check(signed({**HEADER, **change}, CLAIMS.to_json()))


def test_a_key_brought_along_signs_nothing() -> None:
    own = SigningKey("k1", OKPKey.generate_key("Ed25519"))
    with pytest.raises(TokenInvalid):
        check(sign(CLAIMS, own))


@pytest.mark.parametrize(
    "change",
    [
        {"nbf": AT + 600},
        {"nbf": AT - 600},
        {"iat": AT + 6, "exp": AT + 300},
        {"iat": AT, "exp": AT},
        {"iat": str(AT)},
        {"iat": float(AT)},
        {"exp": True},
        {"exp": None},
        {"sub": 42},
        {"jti": None},
        {"aud": [APPLICATION]},
        {"aud": "app-2"},
        {"iss": "https://other.example"},
        {"admin": "yes"},
    ],
    ids=lambda change: "-".join(f"{key}={value}" for key, value in change.items()),
)
def test_claims_that_this_service_never_writes_are_refused_even_under_its_key(change: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        check(signed(HEADER, {**CLAIMS.to_json(), **change}))


def test_a_verdict_of_another_application_or_service_is_invalid_even_when_it_has_expired() -> None:
    token = sign(CLAIMS, KEY)
    with pytest.raises(TokenInvalid):
        check(token, audience="app-2", now=NOW + timedelta(days=1))
    with pytest.raises(TokenInvalid):
        check(token, issuer="https://other.example")


def test_a_verdict_expires_to_the_second() -> None:
    token = sign(CLAIMS, KEY)
    assert check(token, now=NOW + timedelta(seconds=299))
    with pytest.raises(TokenExpired):
        check(token, now=NOW + timedelta(seconds=300))


def test_a_clock_a_moment_behind_still_reads_a_fresh_verdict() -> None:
    assert check(sign(CLAIMS, KEY), now=NOW - timedelta(seconds=5))
    with pytest.raises(TokenInvalid):
        check(sign(CLAIMS, KEY), now=NOW - timedelta(seconds=6))


@pytest.mark.parametrize("missing", ["iss", "aud", "sid", "ver", "status", "iat", "exp", "jti"])
def test_a_missing_claim_is_refused(missing: str) -> None:
    with pytest.raises(TokenInvalid):
        check(signed(HEADER, {key: value for key, value in CLAIMS.to_json().items() if key != missing}))


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 3000])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(TokenInvalid):
        check(signed(HEADER, content))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "x" * 5000, "\ud800"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        check(token)


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_a_token_with_any_character_changed_never_yields_other_claims(place: int, change: int) -> None:
    token = bytearray(sign(CLAIMS, KEY).encode())
    token[place % len(token)] ^= change
    try:
        found = check(token.decode("latin-1"))
    except TokenInvalid:
        return
    assert found == CLAIMS, "only spare bits of base64 may differ"


def test_a_verdict_that_was_tampered_with_is_refused() -> None:
    header, _, signature = sign(CLAIMS, KEY).split(".")
    forged = encoded(replace(CLAIMS, act="cd" * 32).to_json())
    with pytest.raises(TokenInvalid):
        check(f"{header}.{forged}.{signature}")

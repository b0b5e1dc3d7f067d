"""A signed statement is readable without a database, and only what it was signed as."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from ipse.audit import checkpoints, statements
from ipse.audit.chain import Head
from ipse.audit.statements import StatementInvalid, UnknownSigner
from ipse.step_up import tokens
from ipse.step_up.tokens import Claims, SigningKey

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HEAD = Head("installation", 7, "ab" * 32)


def new_key() -> SigningKey:
    key = OKPKey.generate_key("Ed25519")
    return SigningKey(key.thumbprint(), key)


KEY = new_key()
SIGNED = checkpoints.sign(HEAD, issuer="https://ipse.example", at=AT, key=KEY)


def test_a_checkpoint_reads_as_it_was_signed() -> None:
    read = checkpoints.read(SIGNED, {KEY.kid})
    assert (read.head, read.at, read.kid, read.issuer) == (HEAD, AT, KEY.kid, "https://ipse.example")


def test_the_signer_must_be_one_of_the_given_ones() -> None:
    with pytest.raises(UnknownSigner):
        checkpoints.read(SIGNED, {new_key().kid})
    assert checkpoints.read(SIGNED, None).head == HEAD


@given(at=st.integers(0, len(SIGNED) - 1), by=st.sampled_from([1, 2, 4, 8, 16, 32]))
def test_a_checkpoint_with_any_flipped_bit_does_not_read(at: int, by: int) -> None:
    forged = SIGNED[:at] + chr(ord(SIGNED[at]) ^ by) + SIGNED[at + 1 :]
    try:
        read = checkpoints.read(forged, {KEY.kid})
    except StatementInvalid:
        return
    assert base64_bits(forged) == base64_bits(SIGNED)  # only the unused bits of the last character may differ
    assert read.head == HEAD


def base64_bits(token: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]


def test_a_key_in_the_statement_is_not_believed_under_the_name_of_another() -> None:
    other = new_key()
    forged = statements.sign({"chain": "installation"}, checkpoints.TYPE, SigningKey(KEY.kid, other.key))
    with pytest.raises(StatementInvalid):
        statements.read(forged, checkpoints.TYPE, {KEY.kid})


def test_a_verdict_is_no_checkpoint_and_a_checkpoint_no_verdict() -> None:
    now = int(AT.timestamp())
    claims = Claims("iss", "aud", "sid", 1, "live", "Approved", now, now + 60, "jti")
    with pytest.raises(StatementInvalid):
        checkpoints.read(tokens.sign(claims, KEY), None)
    with pytest.raises(tokens.TokenInvalid):
        tokens.verify(SIGNED, {KEY.kid: KEY.key}, issuer="iss", audience="aud", now=AT)


@pytest.mark.parametrize("name", ["chain", "position", "head", "iat", "iss"])
def test_a_checkpoint_without_one_of_its_members_does_not_read(name: str) -> None:
    payload = json.loads(base64_bits(SIGNED)[1])
    del payload[name], payload["jwk"]
    with pytest.raises(StatementInvalid):
        checkpoints.read(statements.sign(payload, checkpoints.TYPE, KEY), None)


@pytest.mark.parametrize("text", ["", "a.b.c", "ü", "x" * 20_000, "..", "e30.e30."])
def test_anything_else_is_refused_without_a_traceback(text: str) -> None:
    with pytest.raises(StatementInvalid):
        checkpoints.read(text, None)


def test_another_algorithm_is_refused() -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": checkpoints.TYPE, "kid": KEY.kid}).encode())
    parts = SIGNED.split(".")
    for forged in (
        f"{header.decode().rstrip('=')}.{parts[1]}.{parts[2]}",
        f"{header.decode().rstrip('=')}.{parts[1]}.",
    ):
        with pytest.raises(StatementInvalid):
            checkpoints.read(forged, None)

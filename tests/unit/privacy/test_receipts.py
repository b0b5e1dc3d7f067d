"""Receipts are read without a database, and nothing in them can be changed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from ipse.audit import statements
from ipse.audit.statements import StatementInvalid, UnknownSigner
from ipse.privacy.receipts import TYPE, Kind, Reason, digest_of, read
from ipse.step_up.tokens import SigningKey

_JWK = OKPKey.generate_key("Ed25519")
KEY = SigningKey(_JWK.thumbprint(), _JWK)
BLOBS = ["b" * 64, "a" * 64]
PAYLOAD: dict[str, Any] = {
    "iss": "https://ipse.example.org",
    "jti": "receipt",
    "application": "application",
    "kind": "user",
    "object": "f" * 64,
    "reason": "retention",
    "rows": {"sessions": 2},
    "blobs": {"count": 2, "digest": digest_of(BLOBS), "sha256": sorted(BLOBS)},
    "iat": 1_790_000_000,
}


def test_a_receipt_is_verified_offline_with_the_key_it_names() -> None:
    receipt = read(statements.sign(PAYLOAD, TYPE, KEY), {KEY.kid})
    assert (receipt.kind, receipt.reason, receipt.destroyed) == (Kind.USER, Reason.RETENTION, {"sessions": 2})
    assert receipt.blob_count == 2


def test_a_receipt_of_another_key_is_refused() -> None:
    with pytest.raises(UnknownSigner):
        read(statements.sign(PAYLOAD, TYPE, KEY), {"another"})


def test_the_digest_of_blobs_does_not_depend_on_their_order() -> None:
    assert digest_of(BLOBS) == digest_of(BLOBS[::-1]) != digest_of(BLOBS[:1])


@pytest.mark.parametrize(
    "change",
    [
        {"rows": None},
        {"iat": "today"},
        {"blobs": {"count": 1, "digest": digest_of(BLOBS), "sha256": BLOBS}},
        {"blobs": {"count": 2, "digest": digest_of(BLOBS[:1]), "sha256": BLOBS}},
    ],
)
def test_a_receipt_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(StatementInvalid):
        read(statements.sign({**PAYLOAD, **change}, TYPE, KEY), None)


def test_a_changed_receipt_and_another_kind_of_statement_are_refused() -> None:
    header, _, signature = statements.sign(PAYLOAD, TYPE, KEY).split(".")
    body = {**PAYLOAD, "rows": {"sessions": 3}, "jwk": _JWK.as_dict(private=False)}
    forged = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
    for text in (f"{header}.{forged}.{signature}", statements.sign(PAYLOAD, "ipse-other+jws", KEY), "no receipt"):
        with pytest.raises(StatementInvalid):
            read(text, None)

"""What a signature promises, against the vector of contract 40, section 6."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

import pytest

from ipse.security.canonical_json import NotCanonical
from ipse.security.signatures import (
    MalformedBody,
    MalformedSignature,
    MissingSignature,
    SignatureError,
    SignatureMismatch,
    StaleTimestamp,
    TimestampMismatch,
    first_difference,
    hmac_hex,
    sign,
    verify,
)

SECRET = "local-demo-secret-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NOW = 1763632800
BODY = (
    '{"application_id":"a1","created_at":1763632800,"environment":"live","event_id":"6a0f1c5e-0000-4000-8000-000000000001",'
    '"face":{"similarity_score":0.5812,"status":"In Review"},"liveness":{"score":96,"status":"Approved"},'
    '"metadata":{"note":"日本 <ok> & \\"q\\""},"session_id":"3472fb7c-8f7c-4d1a-9cf4-cf3d74ce1a60",'
    '"status":"In Review",'
    '"timestamp":1763632800,"vendor_data":"usér/42","webhook_type":"status.updated",'
    '"workflow_id":"11111111-2222-3333-4444-555555555555","workflow_version":3}'
).encode()
SIGNATURE = "9773406a3156a8456841471f891e5529abe6127faf13116f5696e38ed092ce5a"
SIMPLE = "ca02dea5c0552eddb6d08982c22bffc6b981bd28ca9c00b46893485b67f794e3"
HEADERS = {
    "X-Timestamp": "1763632800",
    "X-Signature": SIGNATURE,
    "X-Signature-V2": SIGNATURE,
    "X-Signature-Simple": SIMPLE,
}
PAYLOAD: Mapping[str, object] = {
    "workflow_version": 3,
    "application_id": "a1",
    "environment": "live",
    "event_id": "6a0f1c5e-0000-4000-8000-000000000001",
    "face": {"status": "In Review", "similarity_score": 0.58123},
    "liveness": {"score": 96.0, "status": "Approved"},
    "metadata": {"note": '日本 <ok> & "q"'},
    "session_id": "3472fb7c-8f7c-4d1a-9cf4-cf3d74ce1a60",
    "status": "In Review",
    "vendor_data": "usér/42",
    "webhook_type": "status.updated",
    "workflow_id": "11111111-2222-3333-4444-555555555555",
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in HEADERS.items() if name not in names}


def signed_raw(body: bytes) -> dict[str, str]:
    return {"X-Timestamp": str(NOW), "X-Signature": hmac_hex(SECRET, body)}


def test_the_published_vector_is_reproduced_byte_for_byte() -> None:
    signed = sign(SECRET, PAYLOAD, timestamp=NOW)
    assert signed.body == BODY
    assert len(signed.body) == 487
    assert {name: signed.headers[name] for name in HEADERS} == HEADERS


def test_the_standard_webhooks_headers_cover_id_time_and_body() -> None:
    signed = sign(SECRET, PAYLOAD, timestamp=NOW)
    message = b"6a0f1c5e-0000-4000-8000-000000000001.1763632800." + BODY
    expected = base64.b64encode(hmac.new(SECRET.encode(), message, hashlib.sha256).digest()).decode()
    assert signed.headers["webhook-signature"] == f"v1,{expected}"
    assert signed.headers["webhook-id"] == PAYLOAD["event_id"]
    assert signed.headers["webhook-timestamp"] == "1763632800"


def test_every_attempt_is_stamped_anew() -> None:
    first = sign(SECRET, PAYLOAD, timestamp=NOW)
    second = sign(SECRET, {**PAYLOAD, "timestamp": 1, "created_at": 1}, timestamp=NOW + 60)
    assert b'"created_at":1763632860' in second.body
    assert b'"timestamp":1763632860' in second.body
    assert first.headers["X-Signature"] != second.headers["X-Signature"]


def test_an_envelope_without_session_signs_empty_fields() -> None:
    signed = sign(SECRET, {"event_id": "e", "webhook_type": "user.status.updated"}, timestamp=NOW)
    assert signed.headers["X-Signature-Simple"] == hmac_hex(SECRET, b"1763632800:::user.status.updated")


def test_a_payload_without_a_portable_text_is_not_signed() -> None:
    with pytest.raises(NotCanonical):
        sign(SECRET, {"score": float("nan")}, timestamp=NOW)


def test_the_vector_verifies_by_both_recipes() -> None:
    event = verify(SECRET, HEADERS, BODY, now=NOW)
    assert (event.raw, event.canonical, event.difference) == (True, True, None)
    assert event.event_id == PAYLOAD["event_id"]
    assert event.session_id == PAYLOAD["session_id"]
    assert (event.status, event.webhook_type, event.timestamp) == ("In Review", "status.updated", NOW)
    assert event.payload["workflow_version"] == 3


def test_header_names_and_digits_match_in_any_case() -> None:
    headers = {name.lower(): value.upper() for name, value in HEADERS.items()}
    assert verify(SECRET, headers, BODY, now=NOW).raw


@pytest.mark.parametrize("missing", ["X-Signature", "X-Signature-V2", "X-Signature-Simple"])
def test_one_signature_that_covers_the_body_suffices(missing: str) -> None:
    event = verify(SECRET, without(missing), BODY, now=NOW)
    assert event.raw is (missing != "X-Signature")
    assert event.canonical is (missing != "X-Signature-V2")


def test_a_reformatted_body_still_verifies_by_the_canonical_recipe_and_the_difference_is_shown() -> None:
    spaced = BODY.replace(b'"score":96', b'"score": 96.0')
    event = verify(SECRET, without("X-Signature"), spaced, now=NOW)
    assert not event.raw
    assert event.difference is not None
    assert event.difference.offset == BODY.index(b'"score":96') + len(b'"score":')
    assert "received" in str(event.difference)


def test_a_reformatted_body_fails_the_raw_recipe_and_names_the_first_differing_byte() -> None:
    with pytest.raises(SignatureMismatch, match="not canonical at byte 1:") as caught:
        verify(SECRET, HEADERS, b"{ " + BODY[1:], now=NOW)
    assert caught.value.header == "X-Signature"
    assert caught.value.difference is not None
    assert caught.value.difference.raw.startswith(b'{ "application')
    assert (caught.value.got, len(caught.value.expected)) == (SIGNATURE, 64)


def test_a_changed_value_fails_every_recipe() -> None:
    forged = BODY.replace(b"In Review", b"Approved")
    for header in ("X-Signature", "X-Signature-V2"):
        with pytest.raises(SignatureMismatch) as caught:
            verify(SECRET, {"X-Timestamp": str(NOW), header: SIGNATURE}, forged, now=NOW)
        assert caught.value.header == header
        assert caught.value.difference is None


def test_another_secret_fails_and_points_at_the_secret() -> None:
    with pytest.raises(SignatureMismatch, match="check the secret first"):
        verify(SECRET + "x", HEADERS, BODY, now=NOW)


def test_a_wrong_envelope_signature_fails_even_if_the_body_is_covered() -> None:
    with pytest.raises(SignatureMismatch) as caught:
        verify(SECRET, {**HEADERS, "X-Signature-Simple": SIGNATURE}, BODY, now=NOW)
    assert caught.value.header == "X-Signature-Simple"


def test_the_envelope_signature_alone_is_not_enough() -> None:
    with pytest.raises(MissingSignature, match="No signature covers the body"):
        verify(SECRET, without("X-Signature", "X-Signature-V2"), BODY, now=NOW)


@pytest.mark.parametrize("drift", [-300, 300])
def test_five_minutes_of_clock_drift_are_allowed_both_ways(drift: int) -> None:
    assert verify(SECRET, HEADERS, BODY, now=NOW + drift).timestamp == NOW


@pytest.mark.parametrize("drift", [-301, 301])
def test_a_replayed_or_future_delivery_is_refused(drift: int) -> None:
    with pytest.raises(StaleTimestamp) as caught:
        verify(SECRET, HEADERS, BODY, now=NOW + drift)
    assert caught.value.got == str(NOW)


def test_a_delivery_without_timestamp_is_refused() -> None:
    with pytest.raises(MissingSignature, match="X-Timestamp is absent"):
        verify(SECRET, without("X-Timestamp"), BODY, now=NOW)


@pytest.mark.parametrize("value", ["", "now", "-1", "1763632800.0", "١٧", "9" * 13])
def test_a_malformed_timestamp_is_refused(value: str) -> None:
    with pytest.raises(MalformedSignature):
        verify(SECRET, {**HEADERS, "X-Timestamp": value}, BODY, now=NOW)


@pytest.mark.parametrize("value", ["", "zz", "sha256=" + SIGNATURE, SIGNATURE[:-1]])
def test_a_signature_that_is_not_64_hexadecimal_digits_is_refused(value: str) -> None:
    with pytest.raises(MalformedSignature):
        verify(SECRET, {**HEADERS, "X-Signature-V2": value}, BODY, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["empty", "array", "not UTF-8", "repeated key", "NaN", "surrogate", "deep"],
)
def test_a_body_that_is_not_one_plain_object_is_refused_even_if_signed(body: bytes) -> None:
    with pytest.raises(MalformedBody) as caught:
        verify(SECRET, signed_raw(body), body, now=NOW)
    assert caught.value.code == "BODY_MALFORMED"


@pytest.mark.parametrize("body", [b'{"timestamp":1}', b'{"timestamp":true}', b"{}", b'{"created_at":"1763632800"}'])
def test_a_body_stamped_otherwise_than_the_header_is_refused(body: bytes) -> None:
    with pytest.raises(TimestampMismatch):
        verify(SECRET, signed_raw(body), body, now=NOW)


def test_created_at_stands_in_for_an_absent_timestamp() -> None:
    body = b'{"created_at":1763632800}'
    assert verify(SECRET, signed_raw(body), body, now=NOW).event_id == ""


def test_all_refusals_are_one_family_with_distinct_codes() -> None:
    family = SignatureError.__subclasses__()
    assert len({error.code for error in family}) == len(family) == 6


def test_the_first_difference_of_a_prefix_is_its_end() -> None:
    assert first_difference(b"abc", b"abc") is None
    difference = first_difference(b"abc", b"abcd")
    assert difference is not None
    assert (difference.offset, difference.raw, difference.canonical) == (3, b"abc", b"abcd")

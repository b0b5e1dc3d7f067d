"""The receiver that other tests trust is checked with the contract's own vector (contract file 40 section 6)."""

from __future__ import annotations

import dataclasses

import httpx2
import pytest

from tests.services.receiver import ReceivedWebhook, WebhookReceiver

SECRET = "local-demo-secret-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BODY = (
    '{"application_id":"a1","created_at":1763632800,"environment":"live",'
    '"event_id":"6a0f1c5e-0000-4000-8000-000000000001","face":{"similarity_score":0.5812,"status":"In Review"},'
    '"liveness":{"score":96,"status":"Approved"},"metadata":{"note":"日本 <ok> & \\"q\\""},'
    '"session_id":"3472fb7c-8f7c-4d1a-9cf4-cf3d74ce1a60","status":"In Review","timestamp":1763632800,'
    '"vendor_data":"usér/42","webhook_type":"status.updated","workflow_id":"11111111-2222-3333-4444-555555555555",'
    '"workflow_version":3}'
).encode()
HEADERS = {
    "x-timestamp": "1763632800",
    "x-signature": "9773406a3156a8456841471f891e5529abe6127faf13116f5696e38ed092ce5a",
    "x-signature-v2": "9773406a3156a8456841471f891e5529abe6127faf13116f5696e38ed092ce5a",
    "x-signature-simple": "ca02dea5c0552eddb6d08982c22bffc6b981bd28ca9c00b46893485b67f794e3",
}
RECEIVED = ReceivedWebhook("/webhooks", HEADERS, BODY, received_at=0.0, answered=200)


def test_the_contract_s_vector_is_accepted() -> None:
    assert RECEIVED.signed_by(SECRET)


@pytest.mark.parametrize("name", HEADERS)
def test_each_signature_and_the_time_are_checked(name: str) -> None:
    changed = HEADERS[name][:-1] + ("b" if HEADERS[name][-1] != "b" else "c")
    assert not dataclasses.replace(RECEIVED, headers={**HEADERS, name: changed}).signed_by(SECRET)


def test_a_changed_body_or_another_secret_is_refused() -> None:
    assert not dataclasses.replace(RECEIVED, raw=BODY.replace(b"In Review", b"Approved")).signed_by(SECRET)
    assert not RECEIVED.signed_by(SECRET + "x")


def test_requests_are_recorded_byte_for_byte_and_answered_as_asked(receiver: WebhookReceiver) -> None:
    receiver.answers = [503]
    for expected in (503, 200):
        assert httpx2.post(receiver.url, content=BODY, headers=HEADERS).status_code == expected
    first, second = receiver.wait_for(2)
    assert (first.raw, first.answered, second.answered) == (BODY, 503, 200)
    assert second.signed_by(SECRET)
    assert receiver.wait_for_status("3472fb7c-8f7c-4d1a-9cf4-cf3d74ce1a60", "In Review") is first

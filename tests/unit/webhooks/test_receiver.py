"""The development receiver: genuine events once, everything else explained."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from ipse.clock import ManualClock
from ipse.security.signatures import SignedRequest, sign
from ipse.webhooks.receiver import LARGEST_BODY, Receipt, Receiver, Verdict

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "a-secret-of-a-destination"


def delivery(secret: str = SECRET, *, at: datetime = NOW, **fields: object) -> SignedRequest:
    payload = {"event_id": "e-1", "session_id": "s", "status": "Approved", "webhook_type": "status.updated", **fields}
    return sign(secret, payload, timestamp=int(at.timestamp()))


class Listening:
    def __init__(self, *secrets: str, answers: list[int] | None = None) -> None:
        self.receipts: list[Receipt] = []
        self.forwarded: list[httpx2.Request] = []
        self._answers = answers
        self.clock = ManualClock(NOW)
        self.receiver = Receiver(
            secrets or (SECRET,),
            on_receipt=self.receipts.append,
            forward_to="http://127.0.0.1:9/in" if answers is not None else None,
            clock=self.clock,
            transport=httpx2.MockTransport(self._forward),
        )

    def _forward(self, request: httpx2.Request) -> httpx2.Response:
        self.forwarded.append(request)
        assert self._answers is not None
        status = self._answers.pop(0)
        if status == 0:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(status)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        transport = httpx2.ASGITransport(self.receiver)
        async with httpx2.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return await client.post("/any/path", content=body, headers=dict(headers))


async def test_a_genuine_event_is_accepted_by_both_recipes() -> None:
    listening, sent = Listening(), delivery()
    answer = await listening.post(sent.body, sent.headers)
    assert (answer.status_code, answer.json()) == (200, {"received": True, "duplicate": False})
    [receipt] = listening.receipts
    assert receipt.verdict is Verdict.ACCEPTED
    assert receipt.explanation == "Event e-1 is genuine (raw and canonical bytes)."


async def test_a_repeated_event_is_answered_but_not_handled_again() -> None:
    listening = Listening(answers=[200])
    for at in (NOW, NOW + timedelta(seconds=5)):
        sent = delivery(at=at)
        assert (await listening.post(sent.body, sent.headers)).status_code == 200
    assert [receipt.verdict for receipt in listening.receipts] == [Verdict.ACCEPTED, Verdict.DUPLICATE]
    assert "received before" in listening.receipts[1].explanation
    assert len(listening.forwarded) == 1


async def test_a_body_changed_on_the_way_is_refused_with_the_differing_byte() -> None:
    listening, sent = Listening(), delivery()
    answer = await listening.post(sent.body.replace(b'":"', b'": "', 1), sent.headers)
    assert answer.status_code == 401
    assert answer.json()["error_code"] == "SIGNATURE_MISMATCH"
    assert "not canonical at byte 36" in listening.receipts[0].explanation
    assert "expected" not in answer.text


async def test_a_replayed_event_is_refused() -> None:
    listening, sent = Listening(), delivery()
    listening.clock.advance(timedelta(seconds=301))
    assert (await listening.post(sent.body, sent.headers)).json()["error_code"] == "TIMESTAMP_STALE"


async def test_any_of_several_secrets_may_have_signed() -> None:
    listening = Listening("new-secret", SECRET)
    for number, secret in enumerate(("new-secret", SECRET)):
        sent = delivery(secret, event_id=f"e-{number}")
        assert (await listening.post(sent.body, sent.headers)).status_code == 200
    sent = delivery("third")
    assert (await listening.post(sent.body, sent.headers)).status_code == 401


async def test_genuine_events_are_passed_on_with_body_and_signature_untouched() -> None:
    listening, sent = Listening(answers=[204]), delivery()
    assert (await listening.post(sent.body, sent.headers)).status_code == 200
    [request] = listening.forwarded
    assert request.content == sent.body
    assert request.headers["x-signature-v2"] == sent.headers["X-Signature-V2"]
    assert request.headers["content-type"] == "application/json"
    assert listening.receipts[0].forwarded == 204


async def test_an_event_that_could_not_be_passed_on_is_left_to_the_sender() -> None:
    listening, sent = Listening(answers=[500, 0, 200]), delivery()
    statuses = [(await listening.post(sent.body, sent.headers)).status_code for _ in range(3)]
    assert statuses == [502, 502, 200]
    assert [receipt.forwarded for receipt in listening.receipts] == [500, None, 200]
    assert "could not be passed on" in listening.receipts[0].explanation


async def test_a_forgery_is_not_passed_on() -> None:
    listening, sent = Listening(answers=[]), delivery("other")
    assert (await listening.post(sent.body, sent.headers)).status_code == 401
    assert listening.forwarded == []


async def test_only_posts_of_a_sensible_size_are_read() -> None:
    listening = Listening()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(listening.receiver), base_url="http://r") as client:
        assert (await client.get("/")).status_code == 405
    assert (await listening.post(b"x" * (LARGEST_BODY + 1), {})).status_code == 413
    assert listening.receipts == []


async def test_it_starts_and_stops_under_a_server() -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    said: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        said.append(message["type"])

    await Listening().receiver({"type": "lifespan"}, receive, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_it_remembers_a_bounded_number_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipse.webhooks.receiver._REMEMBERED_EVENTS", 2)
    listening = Listening()
    for name in ("a", "b", "c", "a", "c"):
        sent = delivery(event_id=name)
        await listening.post(sent.body, sent.headers)
    verdicts = [receipt.verdict.value for receipt in listening.receipts]
    assert verdicts == ["accepted", "accepted", "accepted", "accepted", "duplicate"]


def test_a_receiver_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        Receiver(())

"""What ``ipse listen`` reports of a delivery."""

from __future__ import annotations

import json

import pytest

from ipse.cli.listening import _show_lines, facts_of
from ipse.clock import ManualClock
from ipse.security.signatures import sign
from ipse.webhooks.receiver import Receipt, Receiver
from tests.conftest import START

pytestmark = pytest.mark.anyio

PAYLOAD = {"webhook_type": "status.updated", "session_id": "s-1", "status": "Approved", "event_id": "e-1"}


async def _receive(body: bytes | None = None) -> Receipt:
    clock = ManualClock(START)
    signed = sign("secret", PAYLOAD, timestamp=int(START.timestamp()))
    return await Receiver(["secret"], clock=clock).receive(dict(signed.headers), signed.body if body is None else body)


async def test_a_genuine_delivery_names_both_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    receipt = await _receive()
    facts = facts_of(receipt)
    assert (facts["verdict"], facts["raw"], facts["canonical"]) == ("accepted", True, True)
    json.dumps(facts)
    _show_lines(receipt)
    shown = capsys.readouterr().out
    assert "status.updated session s-1 Approved" in shown
    assert shown.count("holds") == 2


async def test_a_tampered_delivery_is_refused_with_both_digests(capsys: pytest.CaptureFixture[str]) -> None:
    signed = sign("secret", PAYLOAD, timestamp=int(START.timestamp()))
    receipt = await _receive(signed.body.replace(b"Approved", b"Declined"))
    assert facts_of(receipt)["verdict"] == "refused"
    _show_lines(receipt)
    shown = capsys.readouterr().out
    assert shown.startswith("FAIL")
    assert "computed" in shown

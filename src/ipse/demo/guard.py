"""The second act of the demo: when is a face needed at all, and what is a verdict good for?

The person of the first act, enrolled there, is asked about as a bank would ask. The addresses are real ones of an
access provider and of a cloud, looked up in the installed data; without the data the policy asks for a face more often
and the act says what differs.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from httpx2 import AsyncClient

from ipse.demo.calls import called
from ipse.demo.scenes import SUBJECT
from ipse.samples.scenes import selfie

HOME: Final = "81.32.10.20"
"""A home line of Telefonica in Spain."""
CLOUD: Final = "3.120.10.20"
"""A machine in a data centre of Amazon in Frankfurt."""
PHONE: Final = {
    "persistent_id": "c2f1a9d07b3e4e5f8a6b",
    "fingerprint": "5f0c7a1e9b2d4c6f8e1a3b5d7f9c0e2a",
}
OTHER: Final = {"persistent_id": "00d4b1c2a3f4e5061728", "fingerprint": "9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b"}
PAYMENT: Final = {
    "type": "transfer",
    "amount": "490.00",
    "currency": "EUR",
    "payee": "ACME GmbH",
    "account": "DE89370400440532013000",
}
CHANGED: Final = {**PAYMENT, "amount": "9490.00"}
SMALL: Final = {**PAYMENT, "amount": "40.00"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and what was answered. ``ms`` is the time of the call."""

    question: str
    answer: str
    expected: str
    reasons: tuple[str, ...]
    ms: float

    @property
    def as_expected(self) -> bool:
        """Whether the answer is the one that the act is about."""
        return self.answer == self.expected


class Guard:
    """Asks one question after the other and keeps the answers."""

    def __init__(self, client: AsyncClient, portraits: Mapping[str, bytes]) -> None:
        self._client = client
        self._portraits = portraits
        self.asked: list[Asked] = []

    async def play(self) -> list[Asked]:
        """Play the act; raises ``DemoFailed`` when a call fails that must not."""
        first = await self._evaluate("A first transfer, from a new phone at home", PHONE, HOME, "step_up", first=True)
        session = first["session"]
        if session is not None:
            await self._show_face(session, first["action_hash"])
            await self._verdict(session["session_id"])
        await self._evaluate("40 EUR to the same payee, same phone, same home line", PHONE, HOME, "allow")
        await self._evaluate("The same from a data centre, on a new device", OTHER, CLOUD, "step_up")
        await called(
            self._client.patch(f"/v3/users/{SUBJECT}/update-status/", json={"status": "BLOCKED"}),
        )
        await self._evaluate("Once the person is blocked", PHONE, HOME, "deny")
        return self.asked

    async def _evaluate(
        self, question: str, device: Mapping[str, str], address: str, expected: str, *, first: bool = False
    ) -> dict[str, Any]:
        body = {
            "action": PAYMENT if first else SMALL,
            "vendor_data": SUBJECT,
            "ip_address": address,
            "device": device,
            "create_session": first,
        }
        began = time.perf_counter()
        found = await called(self._client.post("/v3/step-up/evaluate/", json=body))
        reasons = tuple(dict.fromkeys(reason["reason"] for reason in found["reasons"]))
        self._keep(question, found["answer"], expected, reasons, began)
        return found

    async def _show_face(self, session: Mapping[str, Any], action_hash: str) -> None:
        """The person opens the link on the phone, sees the transfer and shows the face."""
        headers = {
            "Session-Token": session["session_token"],
            "x-didit-pid": PHONE["persistent_id"],
            "x-didit-fp-hash": PHONE["fingerprint"],
        }
        frame = await asyncio.to_thread(selfie, "obama_2", self._portraits["obama_2"], seed=51)
        state = await called(self._client.post("/v1/capture/start/", headers=headers))
        while (step := state["step"]) is not None:
            state = await called(
                self._client.post(
                    f"/v1/capture/steps/{step['node_id']}/",
                    headers=headers,
                    data={"submission_key": uuid.uuid4().hex, "action_hash": action_hash},
                    files=[("frames", ("0.jpg", frame, "image/jpeg"))],
                )
            )

    async def _verdict(self, session_id: str) -> None:
        """The bank redeems the signed verdict: not for another amount, once for this one, and never again."""
        signed = await called(self._client.post("/v3/step-up/verdict/", json={"session_id": session_id}))
        for question, action, expected in (
            ("Redeem the verdict for 9,490 instead of 490 EUR", CHANGED, "ACTION_MISMATCH"),
            ("Redeem it for what the person saw", PAYMENT, "valid"),
            ("Redeem it a second time", PAYMENT, "ALREADY_REDEEMED"),
        ):
            began = time.perf_counter()
            response = await self._client.post("/v3/step-up/redeem/", json={"token": signed["token"], "action": action})
            answer = "valid" if response.status_code == 200 else str(response.json().get("error_code"))
            self._keep(question, answer, expected, (), began)

    def _keep(self, question: str, answer: str, expected: str, reasons: tuple[str, ...], began: float) -> None:
        self.asked.append(Asked(question, answer, expected, reasons, (time.perf_counter() - began) * 1000))

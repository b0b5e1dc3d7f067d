"""Sessions that authorise an action, gone through by the person in a sandbox."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from tests.services.pictures import flat_jpeg

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

TRANSFER: dict[str, Any] = {
    "type": "transfer", "amount": "1250.00", "currency": "EUR", "payee": "ACME GmbH",
    "account": "DE89 3704 0044 0532 0130 00",
}  # fmt: skip
STILL = flat_jpeg()
NODE = "feature_liveness"


async def create(client: AsyncClient, action: dict[str, Any] | None = TRANSFER, **more: Any) -> dict[str, Any]:
    """Create a session for ``action``; by default of a subject of its own."""
    body = {"workflow_id": "wf_enrolment", "vendor_data": f"user-{uuid.uuid4()}", **more}
    if action is not None:
        body["action"] = action
    created = await client.post("/v3/session/", json=body)
    assert created.status_code == 201, created.text
    answer: dict[str, Any] = created.json()
    return answer


async def show_face(client: AsyncClient, token: str, **form: Any) -> Response:
    """Open the session's page and submit a still, for what the page was told it shows."""
    headers = {"Session-Token": token}
    state = (await client.post("/v1/capture/start/", headers=headers)).json()
    shown = {"action_hash": state["action_hash"]} if state.get("action_hash") else {}
    return await client.post(
        f"/v1/capture/steps/{NODE}/",
        headers=headers,
        data={"submission_key": uuid.uuid4().hex, **shown, **form},
        files=[("frames", ("0.jpg", STILL, "image/jpeg"))],
    )


async def approved(client: AsyncClient, action: dict[str, Any] | None = TRANSFER, **more: Any) -> dict[str, Any]:
    """A session that the person has approved."""
    session = await create(client, action, **more)
    state = (await show_face(client, session["session_token"])).json()
    assert state["status"] == "Approved", state
    return session


async def minted(client: AsyncClient, session_id: str) -> dict[str, Any]:
    """The verdict of an approved session."""
    answer = await client.post("/v3/step-up/verdict/", json={"session_id": session_id})
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict


async def redeem(client: AsyncClient, token: str, action: dict[str, Any] | None = TRANSFER) -> Response:
    """Redeem a verdict for ``action``."""
    return await client.post("/v3/step-up/redeem/", json={"token": token, "action": action})

"""The person in front of the camera: opens the link of a session and shows a face until the session is decided."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Sequence
from typing import Any

from httpx2 import AsyncClient, Client

MAX_SUBMISSIONS = 12
"""More than any preset workflow grants; a session that is still open then is stuck."""

Call = tuple[str, dict[str, Any]]


class StepUpStuck(AssertionError):
    """The capture API refused a call or never came to an end."""


def _calls(frames: Sequence[bytes]) -> Generator[Call, dict[str, Any], dict[str, Any]]:
    """The calls to make, one after another; each is answered with the capture state."""
    state = yield "/v1/capture/start/", {}
    for _ in range(MAX_SUBMISSIONS):
        step = state["step"]
        if step is None:
            return state
        files = [("frames", (f"{number}.jpg", frame, "image/jpeg")) for number, frame in enumerate(frames)]
        form = {"submission_key": uuid.uuid4().hex}
        state = yield f"/v1/capture/steps/{step['node_id']}/", {"files": files, "data": form}
    raise StepUpStuck(f"still at {state['step']} after {MAX_SUBMISSIONS} submissions")


async def finish_session(client: AsyncClient, token: str, frames: Sequence[bytes]) -> dict[str, Any]:
    """Go through every step with the same frames; return the last capture state."""
    calls = _calls(frames)
    url, call = next(calls)
    while True:
        response = await client.post(url, headers={"Session-Token": token}, **call)
        if response.status_code != 200:
            raise StepUpStuck(f"{url}: {response.status_code} {response.text[:500]}")
        try:
            url, call = calls.send(response.json())
        except StopIteration as end:
            state: dict[str, Any] = end.value
            return state


def finish_session_blocking(client: Client, token: str, frames: Sequence[bytes]) -> dict[str, Any]:
    """:func:`finish_session` for code without an event loop."""
    calls = _calls(frames)
    url, call = next(calls)
    while True:
        response = client.post(url, headers={"Session-Token": token}, **call)
        if response.status_code != 200:
            raise StepUpStuck(f"{url}: {response.status_code} {response.text[:500]}")
        try:
            url, call = calls.send(response.json())
        except StopIteration as end:
            state: dict[str, Any] = end.value
            return state

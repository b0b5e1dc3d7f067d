"""A page that answers challenges over the capture API: in time, with frames that it committed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ipse.clock import ManualClock

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

Phase = dict[str, Any]
Film = Callable[[Phase, float], Sequence[tuple[float, bytes]]]
"""What the camera records: the frames of a phase that starts at a time (ms), with when each was recorded."""

TRIP_MS = 60.0
HOLD_MS = 900.0
TURN_MS = 1800.0


@dataclass
class Page:
    """The capture page of one session, on a manual clock. ``frames`` are those recorded during the challenge."""

    client: AsyncClient
    clock: ManualClock
    token: str
    stills: Sequence[bytes]
    session_id: str = ""
    now_ms: float = 0.0
    frames: list[bytes] = field(default_factory=list)
    shown: str | None = None
    """Hash of the action that the page shows."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Session-Token": self.token}

    async def start(self) -> dict[str, Any]:
        response = await self.client.post("/v1/capture/start/", headers=self.headers)
        assert response.status_code == 200, response.text
        state: dict[str, Any] = response.json()
        return state

    async def ask(self, node: str, method: str) -> Response:
        self.frames.clear()
        response = await self.client.post(
            f"/v1/capture/steps/{node}/challenge/",
            headers=self.headers,
            json={"method": method, "action_hash": self.shown},
        )
        self.now_ms = 0.0
        return response

    async def commit(self, challenge: str, index: int, **changes: Any) -> Response:
        """Send one commitment; by default of an honest phase of 800 ms without waiting for anything."""
        body = {
            "index": index,
            "started_ms": self.now_ms,
            "ended_ms": self.now_ms + 800,
            "frames": [{"sha256": sha256(self.stills[0]).hexdigest(), "at_ms": self.now_ms + 400}],
            **changes,
        }
        return await self.client.post(f"/v1/capture/challenges/{challenge}/phases/", headers=self.headers, json=body)

    async def answer(self, view: dict[str, Any], film: Film) -> dict[str, Any]:
        """Show every phase and commit to what ``film`` records; return the last view, which has no phase left."""
        while view["phase"] is not None:
            response = await self.show(view, film)
            assert response.status_code == 200, response.text
            view = response.json()
        return view

    async def show(self, view: dict[str, Any], film: Film) -> Response:
        """Show one phase for its time and commit to its frames."""
        phase, start = view["phase"], self.now_ms
        recorded = list(film(phase, start))
        length = _length(phase)
        starts: list[float] = []
        if phase["kind"] == "colours":
            starts = [start + sum(c["ms"] for c in phase["colours"][:n]) for n in range(len(phase["colours"]))]
        promised = [(content, at) for at, content in recorded]
        if view["index"] == 0:
            promised += [(still, start + 10.0 * n) for n, still in enumerate(self.stills)]
        self.clock.advance(timedelta(milliseconds=length + TRIP_MS))
        response = await self.commit(
            view["challenge"],
            view["index"],
            started_ms=start,
            ended_ms=start + length,
            colour_starts_ms=starts,
            frames=[{"sha256": sha256(content).hexdigest(), "at_ms": at} for content, at in promised],
        )
        self.now_ms = start + length + TRIP_MS
        self.frames += [content for _, content in recorded]
        return response

    async def submit(self, node: str, challenge: str | None, *, key: str | None = None, **form: Any) -> Response:
        """Submit the stills, and with a challenge everything that was recorded meanwhile."""
        frames = form.pop("challenge_frames", self.frames if challenge else [])
        return await self.client.post(
            f"/v1/capture/steps/{node}/",
            headers=self.headers,
            data={
                "submission_key": key or uuid.uuid4().hex,
                **({"challenge": challenge} if challenge else {}),
                **({"action_hash": self.shown} if self.shown else {}),
                **form,
            },
            files=[
                *(("frames", (f"{n}.jpg", still, "image/jpeg")) for n, still in enumerate(self.stills)),
                *(("challenge_frames", (f"{n}.jpg", frame, "image/jpeg")) for n, frame in enumerate(frames)),
            ],
        )


def _length(phase: Phase) -> float:
    match phase["kind"]:
        case "hold":
            return HOLD_MS
        case "turn":
            return TURN_MS
        case _:
            return float(sum(colour["ms"] for colour in phase["colours"]))

"""Play the scenes against a running server over HTTP, as an integrator and a phone would."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from httpx2 import AsyncClient

from ipse.demo.calls import called
from ipse.demo.guard import Asked, Guard
from ipse.demo.inbox import Inbox, Verdict
from ipse.demo.scenes import ACTION, SCENES, SUBJECT, Scene

WEBHOOK_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Played:
    """What came out of one scene."""

    scene: Scene
    status: str
    liveness_score: float | None
    match_score: float | None
    risks: tuple[tuple[str, str], ...]
    """Code and log type of every warning."""
    durations_ms: Mapping[str, float]
    webhook_ms: float
    """From the moment the last frame was sent to the arrival of the verdict."""
    verdict: Verdict

    @property
    def as_expected(self) -> bool:
        """Whether the scene ended as it must, with a webhook that verifies both ways."""
        scene, codes = self.scene, {code for code, _ in self.risks}
        right = self.status == scene.expected_status and (scene.expected_risk is None or scene.expected_risk in codes)
        return right and self.verdict.status == self.status and self.verdict.verified


async def play(
    base_url: str,
    api_key: str,
    portraits: Mapping[str, bytes],
    inbox: Inbox,
    show: Callable[[str], None],
) -> tuple[list[Played], list[Asked]]:
    """Register the webhook, make the workflows, play every scene, then ask when a face is needed.

    Raises :class:`ipse.demo.calls.DemoFailed` when a call fails.
    """
    async with AsyncClient(base_url=base_url, headers={"x-api-key": api_key}, timeout=30) as client:
        destination = await called(client.post("/v3/webhook/destinations/", json={"label": "demo", "url": inbox.url}))
        inbox.secret = destination["secret_shared_key"]
        workflows = {
            "enrolment": await _workflow(client, "Enrolment", ["LIVENESS"]),
            "step_up": await _workflow(client, "Step-up", ["LIVENESS", "FACE_MATCH"]),
        }
        played = []
        for scene in SCENES:
            show(scene.title)
            played.append(await _play(client, scene, workflows[scene.workflow], portraits, inbox))
        show("Asking the policy when a face is needed")
        return played, await Guard(client, portraits).play()


async def _workflow(client: AsyncClient, label: str, features: list[str]) -> str:
    body = {
        "workflow_label": label,
        "features": [{"feature": feature} for feature in features],
        "face_liveness_max_attempts": 1,
        "face_match_max_attempts": 1,
    }
    created = await called(client.post("/v3/workflows/", json=body))
    return str(created["workflow_id"])


async def _play(
    client: AsyncClient, scene: Scene, workflow_id: str, portraits: Mapping[str, bytes], inbox: Inbox
) -> Played:
    frames = await asyncio.to_thread(scene.frames, portraits)
    body = {"workflow_id": workflow_id, "vendor_data": SUBJECT, "metadata": ACTION}
    session = await called(client.post("/v3/session/", json=body))
    token = {"Session-Token": session["session_token"]}
    state = await called(client.post("/v1/capture/start/", headers=token))
    sent_at = time.perf_counter()
    while (step := state["step"]) is not None:
        sent_at = time.perf_counter()
        state = await called(
            client.post(
                f"/v1/capture/steps/{step['node_id']}/",
                headers=token,
                data={"submission_key": uuid.uuid4().hex},
                files=[("frames", (f"{number}.jpg", frame, "image/jpeg")) for number, frame in enumerate(frames)],
            )
        )
    verdict = await inbox.verdict_of(session["session_id"], state["status"], WEBHOOK_PATIENCE_S)
    decision = await called(client.get(f"/v3/session/{session['session_id']}/decision/"))
    return _played(scene, decision, verdict, (verdict.arrived_at - sent_at) * 1000)


def _played(scene: Scene, decision: Mapping[str, Any], verdict: Verdict, webhook_ms: float) -> Played:
    items = [*decision["liveness_checks"], *decision["face_matches"]]
    return Played(
        scene=scene,
        status=decision["status"],
        liveness_score=_score(decision["liveness_checks"]),
        match_score=_score(decision["face_matches"]),
        risks=tuple((warning["risk"], warning["log_type"]) for item in items for warning in item["warnings"]),
        durations_ms=decision["evidence"].get("durations_ms", {}),
        webhook_ms=webhook_ms,
        verdict=verdict,
    )


def _score(items: list[Any]) -> float | None:
    return items[0]["score"] if items else None

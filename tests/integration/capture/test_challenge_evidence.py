"""Challenges judged on what was recorded, over the API with the real models: people pass, what is no person does not.

People and attacks are simulated (docs/biometrics/motion.md, docs/biometrics/screen_response.md).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from ipse.biometrics.images import Pixels
from ipse.biometrics.screen_colours import linear_light
from ipse.clock import ManualClock
from ipse.runtime.application import Mode, SandboxEngine
from ipse.runtime.services import Services
from ipse.samples.head import Head
from ipse.samples.optics import Light, Pose
from ipse.samples.photo import Photo
from ipse.samples.scenes import jpeg
from tests.services.applications import RegisteredApplication, register_application
from tests.services.challenges import HOLD_MS, TURN_MS, Film, Page, Phase

pytestmark = [pytest.mark.anyio, pytest.mark.models]

NODE = "feature_liveness"
Render = Callable[[Pose, Light, int], Pixels]
Open = Callable[..., Awaitable[Page]]

TARGETS = {"left": Pose(yaw=22), "right": Pose(yaw=-22), "up": Pose(pitch=16), "down": Pose(pitch=-16)}
OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}
LATENCY_MS, RISE_MS = 350.0, 500.0


class Camera:
    """Films what ``render`` shows while somebody does what the page asks, or what ``follows`` makes of it."""

    def __init__(self, render: Render, *, follows: Callable[[str], str | None] = lambda asked: asked) -> None:
        self.render, self.follows = render, follows
        self.pose, self.noise = Pose(), 0

    def picture(self, pose: Pose, light: Light, *, small: bool = True) -> bytes:
        self.noise += 1
        pixels = self.render(pose, light, self.noise)
        if not small:
            return jpeg(pixels, 85)
        import cv2

        return jpeg(np.asarray(cv2.resize(pixels, (480, 360), interpolation=cv2.INTER_AREA), dtype=np.uint8), 70)

    def stills(self, count: int = 3) -> list[bytes]:
        return [self.picture(Pose(yaw=0.5 * n), Light(), small=False) for n in range(count)]

    def film(self, phase: Phase, start_ms: float) -> Sequence[tuple[float, bytes]]:
        random = np.random.default_rng(int(start_ms))
        length = {"hold": HOLD_MS, "turn": TURN_MS}.get(phase["kind"])
        if length is None:
            length = sum(colour["ms"] for colour in phase["colours"])
        times = [
            t + random.normal(0, 4) for t in np.arange(20, length - 10, 100 if phase["kind"] == "colours" else 125)
        ]
        before = self.pose
        if phase["kind"] == "turn":
            done = self.follows(phase["direction"])
            self.pose = TARGETS[done] if done else Pose()
        frames = []
        for at in times:
            share = min(1.0, max(0.0, (at - LATENCY_MS) / RISE_MS)) ** 2
            share = share * (3 - 2 * share)
            pose = Pose(
                yaw=before.yaw + (self.pose.yaw - before.yaw) * share + 0.6 * float(np.sin(at / 300)),
                pitch=before.pitch + (self.pose.pitch - before.pitch) * share,
            )
            frames.append((start_ms + float(at), self.picture(pose, self.light(phase, at))))
        return frames

    def light(self, phase: Phase, at_ms: float) -> Light:
        if phase["kind"] != "colours":
            return Light()
        index = min(int(max(0.0, at_ms - 90) // 400), len(phase["colours"]) - 1)
        red, green, blue = (float(part) for part in linear_light(tuple(phase["colours"][index]["rgb"])))
        return Light(screen=(red, green, blue), strength=0.1)


@pytest.fixture
async def opened(services_with_faces: Services, clock: ManualClock) -> AsyncIterator[Open]:
    from contextlib import AsyncExitStack

    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    app = build(services_with_faces.settings, services_with_faces)
    async with AsyncExitStack() as stack:

        async def open_session(method: str, stills: list[bytes], mode: Mode = Mode.LIVE, **config: Any) -> Page:
            application: RegisteredApplication = await register_application(
                services_with_faces, engine=SandboxEngine.REAL, mode=mode
            )
            client = AsyncClient(
                transport=ASGITransport(app), base_url="http://testserver", headers={"x-api-key": application.key}
            )
            stack.push_async_callback(client.aclose)
            settings = {"face_liveness_method": method, "face_liveness_max_attempts": 1, **config}
            features = [{"feature": "LIVENESS", "config": settings}]
            workflow = (await client.post("/v3/workflows/", json={"features": features})).json()
            created = (await client.post("/v3/session/", json={"workflow_id": workflow["workflow_id"]})).json()
            page = Page(client, clock, created["session_token"], stills)
            await page.start()
            page.session_id = created["session_id"]
            return page

        yield open_session


async def verdict(page: Page, method: str, film: Film, **form: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Go through a challenge; return the status, the liveness item of the decision, and its evidence by part."""
    view = (await page.ask(NODE, method)).json()
    await page.answer(view, film)
    response = await page.submit(NODE, view["challenge"], **form)
    assert response.status_code == 200, response.text
    decision = (await page.client.get(f"/v3/session/{page.session_id}/decision/")).json()
    item = decision["liveness_checks"][0]
    return decision["status"], item, item["evidence"]["parts"]


def risks(item: dict[str, Any]) -> set[str]:
    return {warning["risk"] for warning in item["warnings"]}


def head(portraits: Mapping[str, bytes], name: str = "obama_1") -> Render:
    shown = Head.of(name, portraits[name])
    return lambda pose, light, noise: shown.frame(pose, light, seed=noise)


def photo(portraits: Mapping[str, bytes], name: str = "obama_1") -> Render:
    shown = Photo.of(name, portraits[name])

    def render(pose: Pose, light: Light, noise: int) -> Pixels:
        moved = replace(pose, yaw=1.5 * pose.yaw, pitch=1.5 * pose.pitch, x=0.004 * pose.yaw, y=-0.004 * pose.pitch)
        return shown.frame(moved, light, seed=noise)

    return render


@pytest.mark.parametrize("method", ["ACTIVE_3D", "FLASHING"])
async def test_a_person_who_answers_the_challenge_is_approved_in_a_live_application(
    opened: Open, portraits: Mapping[str, bytes], method: str
) -> None:
    camera = Camera(head(portraits))
    page = await opened(method, camera.stills())
    status, item, parts = await verdict(page, method, camera.film)
    assert status == "Approved", (item["warnings"], parts)
    assert item["method"] == method
    assert parts["challenge"]["passed"]
    assert parts["challenge"]["timing"] == []
    assert not [signal for signal in parts["injection"]["signals"] if signal["grade"] >= 0.5]


@pytest.mark.parametrize("method", ["ACTIVE_3D", "FLASHING"])
async def test_a_photo_that_is_moved_before_the_camera_is_not_approved(
    opened: Open, portraits: Mapping[str, bytes], method: str
) -> None:
    camera = Camera(photo(portraits))
    page = await opened(method, camera.stills())
    status, item, parts = await verdict(page, method, camera.film)
    assert status == "Declined", (item["warnings"], parts)
    assert "LIVENESS_FACE_ATTACK" in risks(item)


async def test_a_recording_of_another_sequence_is_declined_as_a_replay(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    camera = Camera(head(portraits), follows=OPPOSITE.get)
    page = await opened("ACTIVE_3D", camera.stills())
    status, item, parts = await verdict(page, "ACTIVE_3D", camera.film)
    assert status == "Declined"
    assert parts["motion"]["reasons"] == ["wrong_order"]
    assert [w["additional_data"]["attack_type"] for w in item["warnings"] if w["risk"] == "LIVENESS_FACE_ATTACK"] == [
        "replay"
    ]


async def test_somebody_who_does_not_move_is_asked_again_and_ends_in_review(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    camera = Camera(head(portraits), follows=lambda asked: None)
    page = await opened("ACTIVE_3D", camera.stills(), face_liveness_max_attempts=3)
    states = []
    for _ in range(3):
        view = (await page.ask(NODE, "ACTIVE_3D")).json()
        await page.answer(view, camera.film)
        states.append((await page.submit(NODE, view["challenge"])).json())
    assert [state["outcome"] for state in states] == ["retry", "retry", "finished"]
    assert states[0]["hints"] == ["follow_the_prompts"]
    assert states[-1]["status"] == "In Review"


@pytest.mark.parametrize("other_light", ["none", "another"])
async def test_a_video_that_does_not_take_the_light_of_the_screen_is_declined(
    opened: Open, portraits: Mapping[str, bytes], other_light: str
) -> None:
    class Elsewhere(Camera):
        def light(self, phase: Phase, at_ms: float) -> Light:
            if phase["kind"] != "colours" or other_light == "none":
                return Light()
            turned = {**phase, "colours": [phase["colours"][(n + 3) % 7] for n in range(7)]}
            return super().light(turned, at_ms)

    camera = Elsewhere(head(portraits))
    page = await opened("FLASHING", camera.stills())
    status, item, parts = await verdict(page, "FLASHING", camera.film)
    assert status == "Declined", parts["response"]
    assert "LIVENESS_FACE_ATTACK" in risks(item)


@pytest.mark.parametrize("method", ["ACTIVE_3D", "FLASHING"])
async def test_the_photo_of_somebody_else_cannot_be_carried_by_a_person_who_answers(
    opened: Open, portraits: Mapping[str, bytes], method: str
) -> None:
    camera = Camera(head(portraits, "biden_1"))
    page = await opened(method, Camera(head(portraits, "obama_1")).stills())
    status, item, parts = await verdict(page, method, camera.film)
    assert status == "Declined"
    assert "other_person" in parts["challenge"]["reasons"], parts["same_person"]
    assert "LIVENESS_FACE_ATTACK" in risks(item)


async def test_frames_that_were_never_committed_are_reported_as_injection_with_the_action_of_the_workflow(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    for action, expected in (("DECLINE", "Declined"), ("REVIEW", "In Review"), ("NO_ACTION", "Approved")):
        camera = Camera(head(portraits))
        page = await opened("ACTIVE_3D", camera.stills(), frame_injection_action=action)
        view = (await page.ask(NODE, "ACTIVE_3D")).json()
        await page.answer(view, camera.film)
        page.frames.append(camera.picture(Pose(), Light()))
        status = (await page.submit(NODE, view["challenge"])).json()["status"]
        assert status == expected
    decision = (await page.client.get(f"/v3/session/{page.session_id}/decision/")).json()
    (warning,) = [w for w in decision["liveness_checks"][0]["warnings"] if w["risk"] == "FRAME_INJECTION_DETECTED"]
    assert [signal["name"] for signal in warning["additional_data"]["signals"]] == ["frames_not_committed"]


async def test_a_virtual_camera_is_named_in_the_report(opened: Open, portraits: Mapping[str, bytes]) -> None:
    camera = Camera(head(portraits))
    page = await opened("PASSIVE", camera.stills(), mode=Mode.SANDBOX, virtual_camera_action="REVIEW")
    observed = '{"camera": {"label": "OBS Virtual Camera", "width": 640, "height": 480}, "stills_at_ms": [30, 10, 20]}'
    assert (await page.submit(NODE, None, observations=observed)).json()["status"] == "In Review"
    decision = (await page.client.get(f"/v3/session/{page.session_id}/decision/")).json()
    item = decision["liveness_checks"][0]
    assert risks(item) >= {"VIRTUAL_CAMERA_DETECTED"}
    assert "FRAME_INJECTION_DETECTED" not in risks(item), "the best still comes first; that is no impossible timing"


async def test_two_failed_tries_suggest_another_method(opened: Open, portraits: Mapping[str, bytes]) -> None:
    from tests.services.pictures import flat_jpeg

    page = await opened("PASSIVE", [flat_jpeg(1280, 720)], face_liveness_max_attempts=3)
    steps = [(await page.submit(NODE, None)).json()["step"] for _ in range(2)]
    assert [step["suggested_method"] for step in steps] == [None, "ACTIVE_3D"]


async def test_a_report_says_how_long_each_stage_took(
    opened: Open, portraits: Mapping[str, bytes], clock: ManualClock
) -> None:
    camera = Camera(head(portraits))
    page = await opened("ACTIVE_3D", camera.stills())
    _, item, _ = await verdict(page, "ACTIVE_3D", camera.film)
    clock.advance(timedelta(seconds=1))
    assert {"decode", "embed", "challenge_scan", "challenge_evidence"} <= set(item["evidence"]["durations_ms"])

"""A sample face that goes through the capture API as a phone would: pictures in time, and challenges answered.

``ipse.samples`` draws the pictures. It is imported only when somebody asks for a sample face.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import platformdirs

from ipse.biometrics.errors import BiometricsError
from ipse.edge.errors import Unavailable

if TYPE_CHECKING:
    from ipse.samples.head import Head
    from ipse.samples.optics import Light, Pose

Post = Callable[..., Awaitable[dict[str, Any]]]
"""Calls the capture API with the session's token; returns the JSON of the answer."""

_STILLS: Final = 3
_HOLD_MS: Final = 900.0
_TURN_MS: Final = 1800.0
_FRAME_MS: Final = {"hold": 125, "turn": 125, "colours": 100}
_LATENCY_MS: Final = 350.0
_RISE_MS: Final = 500.0
"""People answer a prompt after a quarter of a second to a second and move for half a second."""
_CAMERA_LAG_MS: Final = 90.0
_TARGETS: Final = {"left": (22.0, 0.0), "right": (-22.0, 0.0), "up": (0.0, 16.0), "down": (0.0, -16.0)}
"""Yaw and pitch that a person reaches, in degrees."""
_FRAME_WIDTH: Final = 480
_FRAME_QUALITY: Final = 70
"""As the page records the frames of a challenge."""


@dataclass
class SampleFace:
    """One sample person before the camera; use :meth:`of`."""

    name: str
    portrait: bytes
    head: Head
    _turned: tuple[float, float] = (0.0, 0.0)
    _noise: int = 0
    frames: list[bytes] = field(default_factory=list)
    """Recorded during the challenge at hand."""

    @classmethod
    def of(cls, name: str) -> SampleFace:
        """The person of the named portrait. Slow: portraits may be fetched. Raises :class:`Unavailable`."""
        from ipse.samples.head import Head
        from ipse.samples.portraits import portraits

        try:
            found: Mapping[str, bytes] = portraits(Path(platformdirs.user_cache_dir("ipse")) / "samples")
        except (BiometricsError, OSError) as error:
            raise Unavailable(
                f"The sample faces could not be fetched: {error} Use your own camera, or try again later.", 60
            ) from error
        return cls(name, found[name], Head.of(name, found[name]))

    def burst(self) -> list[bytes]:
        """Stills for the passive method, as a phone's camera delivers them."""
        from ipse.samples.scenes import selfie

        first = 100 * int(time.time())
        return [selfie(self.name, self.portrait, seed=first + number) for number in range(_STILLS)]

    def stills(self) -> list[bytes]:
        """Stills of the head that will move: the same camera, the same moment."""
        from ipse.samples.optics import Light, Pose

        return [self._picture(Pose(yaw=0.5 * number), Light(), small=False) for number in range(_STILLS)]

    def film(self, phase: Mapping[str, Any], length_ms: float) -> list[tuple[float, bytes]]:
        """(ms since the phase began, JPEG) of the person doing what the phase asks."""
        from ipse.samples.optics import Pose

        kind = phase["kind"]
        before = self._turned
        if kind == "turn":
            self._turned = _TARGETS[phase["direction"]]
        filmed = []
        for at in range(20, round(length_ms) - 10, _FRAME_MS[kind]):
            share = min(1.0, max(0.0, (at - _LATENCY_MS) / _RISE_MS))
            eased = share * share * (3 - 2 * share)
            yaw, pitch = (old + (new - old) * eased for old, new in zip(before, self._turned, strict=True))
            filmed.append((float(at), self._picture(Pose(yaw=yaw, pitch=pitch), _light(phase, at), small=True)))
        return filmed

    def _picture(self, pose: Pose, light: Light, *, small: bool) -> bytes:
        import cv2
        import numpy as np

        from ipse.samples.scenes import jpeg

        self._noise += 1
        pixels = self.head.frame(pose, light, seed=self._noise)
        if not small:
            return jpeg(pixels)
        height = round(_FRAME_WIDTH * pixels.shape[0] / pixels.shape[1])
        shrunk = cv2.resize(pixels, (_FRAME_WIDTH, height), interpolation=cv2.INTER_AREA)
        return jpeg(np.asarray(shrunk, dtype=np.uint8), _FRAME_QUALITY)


async def play(face: SampleFace, post: Post, submitting: Callable[[], None]) -> str:
    """Go through every step of a session; return the status it ends with.

    ``submitting`` is called when the pictures of a step are about to be sent: from then on the service is at work.
    """
    state = await post("/v1/capture/start/")
    while (step := state["step"]) is not None:
        challenge = None
        if step["method"] in (None, "PASSIVE"):
            stills = await asyncio.to_thread(face.burst)
        else:
            stills = await asyncio.to_thread(face.stills)
            challenge = await _answer_challenge(face, post, state, stills)
        form = {
            "submission_key": uuid.uuid4().hex,
            **({"challenge": challenge} if challenge else {}),
            **({"action_hash": state["action_hash"]} if state["action_hash"] else {}),
        }
        files = _files("frames", stills) + (_files("challenge_frames", face.frames) if challenge else [])
        submitting()
        state = await post(f"/v1/capture/steps/{step['node_id']}/", data=form, files=files)
    return str(state["status"])


async def _answer_challenge(face: SampleFace, post: Post, state: Mapping[str, Any], stills: Sequence[bytes]) -> str:
    """Film every phase in real time, because the server's clock is what counts; return the challenge's id."""
    face.frames.clear()
    step = state["step"]
    asked = {"method": step["method"], "action_hash": state["action_hash"]}
    view = await post(f"/v1/capture/steps/{step['node_id']}/challenge/", json=asked)
    begun = time.perf_counter()
    while (phase := view["phase"]) is not None:
        start = _ms_since(begun)
        length = {"hold": _HOLD_MS, "turn": _TURN_MS}.get(phase["kind"]) or float(sum(_colour_ms(phase)))
        filmed = await asyncio.to_thread(face.film, phase, length)
        promised = [(content, start + at) for at, content in filmed]
        if view["index"] == 0:
            promised += [(still, start + 40.0 * number) for number, still in enumerate(stills, 1)]
        await asyncio.sleep(max(0.0, (start + length - _ms_since(begun)) / 1000))
        starts = [start + sum(_colour_ms(phase)[:number]) for number in range(len(_colour_ms(phase)))]
        view = await post(
            f"/v1/capture/challenges/{view['challenge']}/phases/",
            json={
                "index": view["index"],
                "started_ms": start,
                "ended_ms": start + length,
                "colour_starts_ms": starts,
                "frames": [{"sha256": sha256(content).hexdigest(), "at_ms": at} for content, at in promised],
            },
        )
        face.frames += [content for _, content in filmed]
    return str(view["challenge"])


def _light(phase: Mapping[str, Any], at_ms: float) -> Light:
    """The light of the screen on the skin when a frame is recorded, a little after the screen changed."""
    from ipse.biometrics.screen_colours import linear_light
    from ipse.samples.optics import Light

    shown, until = None, _CAMERA_LAG_MS
    for colour in phase.get("colours", ()):
        shown, until = colour, until + colour["ms"]
        if at_ms < until:
            break
    if shown is None:
        return Light()
    red, green, blue = (float(part) for part in linear_light(tuple(shown["rgb"])))
    return Light(screen=(red, green, blue), strength=0.1)


def _colour_ms(phase: Mapping[str, Any]) -> list[int]:
    return [colour["ms"] for colour in phase.get("colours", ())]


def _files(name: str, contents: Sequence[bytes]) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [(name, (f"{number}.jpg", content, "image/jpeg")) for number, content in enumerate(contents)]


def _ms_since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000

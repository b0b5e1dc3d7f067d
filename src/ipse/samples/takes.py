"""Takes of a challenge: a person, or somebody with a photo of one, answers prompts to move the head.

A take is played: every call gives the frame of a moment. People answer after 0.25 to 1.2 seconds, move in 0.3 to 1.0,
go as far as they like, hold the position or come back, and never keep quite still. The figures are chosen, not
measured on people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from ipse.biometrics.images import Pixels

from .head import Head
from .optics import Light, Pose
from .photo import Photo

Turned = Literal["left", "right", "up", "down"]
Frames = Iterator[tuple[float, Pixels]]

_SIGNS: Final[dict[str, tuple[int, int]]] = {"left": (1, 0), "right": (-1, 0), "up": (0, 1), "down": (0, -1)}
_REST_MS: Final = 700.0
# After the movement is done the page needs a moment to see it before it goes on.
_SEEN_MS: Final = 450.0


@dataclass(frozen=True)
class Answer:
    """One prompt and what is done about it: times in milliseconds, ``yaw`` and ``pitch`` of the pose reached."""

    direction: Turned
    start_ms: float
    end_ms: float
    latency_ms: float
    rise_ms: float
    yaw: float
    pitch: float
    returns: bool


@dataclass(frozen=True)
class Script:
    """What is done in a take; the rest before the first prompt lasts from 0 to its ``start_ms``."""

    answers: tuple[Answer, ...]
    sway: float
    phase: float

    @classmethod
    def drawn(cls, directions: Sequence[Turned], random: np.random.Generator, *, slow: bool = False) -> Script:
        """Chosen by ``random``. ``slow``: late, slow and small movements, as older people make them."""
        at, answers = _REST_MS, []
        for direction in directions:
            latency = random.uniform(700, 1300) if slow else random.uniform(250, 800)
            rise = random.uniform(700, 1100) if slow else random.uniform(300, 700)
            across, up = _SIGNS[direction]
            yaw = random.uniform(14, 19) if slow else random.uniform(16, 28)
            pitch = random.uniform(9, 13) if slow else random.uniform(10, 20)
            stray = random.normal(0, 1.5, 2)
            end = at + latency + rise + _SEEN_MS
            turned = (across * yaw + float(stray[0]), up * pitch + float(stray[1]))
            answers.append(Answer(direction, at, end, latency, rise, *turned, returns=bool(random.random() < 0.25)))
            at = end
        return cls(tuple(answers), float(random.uniform(0.3, 1.0)), float(random.uniform(0, 6)))

    @property
    def end_ms(self) -> float:
        """When the last prompt ends."""
        return self.answers[-1].end_ms

    def pose(self, at_ms: float) -> Pose:
        """Where the head is at that moment, if a head is moved."""
        yaw = pitch = 0.0
        for answer in self.answers:
            begun = at_ms - answer.start_ms - answer.latency_ms
            share = _eased(begun / answer.rise_ms)
            yaw += (answer.yaw - yaw) * share
            pitch += (answer.pitch - pitch) * share
            if answer.returns:
                back = _eased((begun - answer.rise_ms - _SEEN_MS * 0.8) / answer.rise_ms)
                yaw, pitch = yaw * (1 - back), pitch * (1 - back)
        slow, quick = np.sin(at_ms / 900 + self.phase), np.sin(at_ms / 370 + 2 * self.phase)
        return Pose(
            yaw=yaw + self.sway * float(quick),
            pitch=pitch + self.sway * float(slow),
            roll=self.sway * 1.5 * float(slow),
            scale=1 + 0.02 * self.sway * float(quick),
            x=0.01 * self.sway * float(slow),
            y=0.008 * self.sway * float(quick),
        )


def person(head: Head, script: Script, *, fps: float = 8.0, seed: int = 0, light: Light = Light()) -> Frames:
    """The person does it: (at_ms, frame) from 0 to the end."""
    return _played(lambda at, noise: head.frame(script.pose(at), light, seed=noise), script, fps, seed)


def moved_photo(photo: Photo, script: Script, *, fps: float = 8.0, seed: int = 0) -> Frames:
    """Somebody turns, tilts and shifts the sheet or display the way the person should turn."""

    def frame(at: float, noise: int) -> Pixels:
        return photo.frame(_by_hand(script.pose(at)), seed=noise)

    return _played(frame, script, fps, seed)


def bent_photo(photo: Photo, script: Script, *, fps: float = 8.0, seed: int = 0) -> Frames:
    """As ``moved_photo``, and the sheet is bent the more the further it is turned, to one side or the other."""
    most = float(np.random.default_rng(seed).choice([-1, 1]) * np.random.default_rng(seed).uniform(40, 140))

    def frame(at: float, noise: int) -> Pixels:
        pose = script.pose(at)
        share = min(1.0, float(np.hypot(pose.yaw, pose.pitch)) / 15)
        return photo.frame(_by_hand(pose), bend=most * share, seed=noise)

    return _played(frame, script, fps, seed)


def still(photo: Photo, script: Script, *, fps: float = 8.0, seed: int = 0) -> Frames:
    """Nothing moves; only the sensor's noise changes."""
    return _played(lambda _at, noise: photo.frame(seed=noise), script, fps, seed)


def replayed(display: Photo, head: Head, script: Script, *, fps: float = 8.0, seed: int = 0) -> Frames:
    """A recording of the person following ``script``, played on a display before the camera."""

    def frame(at: float, noise: int) -> Pixels:
        return display.showing(head.frame(script.pose(at), seed=noise)).frame(seed=noise + 1)

    return _played(frame, script, fps, seed)


def _played(frame: Callable[[float, int], Pixels], script: Script, fps: float, seed: int) -> Frames:
    for index, at in enumerate(np.arange(0, script.end_ms, 1000 / fps)):
        yield float(at), frame(float(at), 10_000 * seed + 2 * index)


def _by_hand(pose: Pose) -> Pose:
    return replace(pose, yaw=1.5 * pose.yaw, pitch=1.5 * pose.pitch, x=pose.x + 0.004 * pose.yaw, y=-0.004 * pose.pitch)


def _eased(share: float) -> float:
    """0 to 1 with a soft beginning and end."""
    t = min(max(share, 0.0), 1.0)
    return t * t * (3 - 2 * t)

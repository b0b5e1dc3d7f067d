"""What can be in front of the camera: a head, a photo, a recording, an empty room. All pictures are 640 x 480."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np

from ipse.samples.head import Head
from ipse.samples.optics import Light, Pose, recorded
from ipse.samples.photo import Photo
from tests.browser.camera import FRAMES_PER_S, Pixels


class Subject(Protocol):
    """Something that can be held and lit."""

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        """(480, 640, 3) uint8 RGB; ``seed`` grows by one with every frame."""
        ...


class Drawn:
    """A head whose frames are kept once they were drawn, for two cores have more to do: only the noise is new.

    Poses are rounded to whole degrees; ``Person`` sways in few steps for the same reason.
    """

    _MOST: Final = 240  # a turn to each side, and the sway at rest in every colour: about 220 MB

    def __init__(self, head: Head) -> None:
        self.head = head
        self._frames: OrderedDict[tuple[Pose, Light], Pixels] = OrderedDict()

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        key = (replace(pose, yaw=round(pose.yaw), pitch=round(pose.pitch)), light)
        if key not in self._frames:
            self._frames[key] = self.head.frame(*key)
            if len(self._frames) > self._MOST:
                self._frames.popitem(last=False)
        self._frames.move_to_end(key)
        return recorded(self._frames[key], seed)


@dataclass(frozen=True)
class InTheDark:
    """``subject`` in a room with ``ambient`` of its light."""

    subject: Subject
    ambient: float = 0.03

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        return self.subject.frame(pose, replace(light, ambient=self.ambient), seed=seed)


@dataclass(frozen=True)
class FarAway:
    """``subject`` at a distance; ``scale`` of its usual size."""

    subject: Subject
    scale: float = 0.42

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        return self.subject.frame(replace(pose, scale=pose.scale * self.scale), light, seed=seed)


@dataclass(frozen=True)
class Two:
    """Two people side by side, each in a half of the picture."""

    left: Head
    right: Head

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        halves = [head.frame(replace(pose, scale=0.8), light) for head in (self.left, self.right)]
        return recorded(np.ascontiguousarray(np.hstack([half[:, 160:480] for half in halves])), seed)


@dataclass(frozen=True)
class Nobody:
    """The wall of a room."""

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        return recorded(np.tile(np.linspace(150, 110, 480).astype(np.uint8)[:, None, None], (1, 640, 3)), seed)


@dataclass(frozen=True)
class InjectedStill:
    """One picture fed to the browser again and again: not a bit changes, whatever happens in front of the screen."""

    picture: Pixels

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        return self.picture


@dataclass
class Injected:
    """A recording fed to the browser in place of the camera, from its beginning; it ends with its last picture."""

    frames: Sequence[Pixels]
    _next: int = field(default=0)

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        picture = self.frames[min(self._next, len(self.frames) - 1)]
        self._next += 1
        return picture


@dataclass(frozen=True)
class HeldPhoto:
    """A print held before the camera by somebody who turns and bends it as the page asks for the head."""

    photo: Photo
    bend: float = 0.0

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        return self.photo.frame(pose, light, bend=self.bend * pose.yaw / 25, seed=seed)


def recording_of_turns(head: Head, poses: Sequence[Pose], *, seconds_each: float = 1.6) -> Injected:
    """A genuine recording of ``head`` that goes from one pose to the next, as seen by the camera of another session."""
    frames: list[Pixels] = []
    came_from = Pose()
    for pose in poses:
        count = round(seconds_each * FRAMES_PER_S)
        for number in range(count):
            share = min(1.0, 2 * number / count)
            yaw = came_from.yaw + (pose.yaw - came_from.yaw) * share
            pitch = came_from.pitch + (pose.pitch - came_from.pitch) * share
            frames.append(head.frame(Pose(yaw=yaw, pitch=pitch), seed=len(frames)))
        came_from = pose
    return Injected(frames)


def recording_of_colours(head: Head, colours: Sequence[tuple[float, float, float]], *, seconds_each: float) -> Injected:
    """A genuine recording of ``head`` lit by a screen that showed ``colours`` (linear RGB, 0-1)."""
    count = round(seconds_each * FRAMES_PER_S)
    return Injected(
        [
            head.frame(Pose(yaw=0.4 * np.sin(number / 9)), Light(screen=colour), seed=turn * count + number)
            for turn, colour in enumerate(colours)
            for number in range(count)
        ]
    )

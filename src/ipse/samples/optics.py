"""What head and photo share: pose, light, the camera they stand before, and its sensor noise.

Lengths are in distances between the person's eyes (about 63 mm), x to the right in the picture, y down, z towards the
camera; the camera is at ``CAMERA_DISTANCE`` and looks along -z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ipse.biometrics.images import Pixels

Field = NDArray[np.float32]

CAMERA_DISTANCE: Final = 7.5
"""About 47 cm: a phone at arm's length."""
GAMMA: Final = 2.2
GRID: Final = 4
"""Geometry and light are computed for one pixel in so many and interpolated: they are smooth."""
_NOISE: Final = 2.0
_NOISE_SIDE: Final = 1024
# What a white screen adds to a wall behind the person, next to what it adds to the face: the square of the distances.
WALL: Final = 0.09


@dataclass(frozen=True)
class Pose:
    """How the head, or the photo, is held against how it is held at rest.

    ``yaw``, ``pitch`` and ``roll`` in degrees: yaw > 0 turned to the person's own left (to the right in the picture),
    pitch > 0 looking up, roll > 0 tilted towards the person's own left shoulder. ``scale`` > 1 is closer. ``x`` and
    ``y`` shift it by that share of the frame, right and down.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Light:
    """``ambient`` 1 is the light of the portrait. ``screen`` is the screen's colour, linear RGB 0-1.

    ``strength`` is how much light of a white screen reaches the skin, as a share of the portrait's light.
    """

    ambient: float = 1.0
    screen: tuple[float, float, float] = (0.0, 0.0, 0.0)
    strength: float = 0.12


def rotation(pose: Pose) -> NDArray[np.float64]:
    """(3, 3): from coordinates of the head to those of the room."""
    yaw, pitch, roll = (np.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt)


def full_size(field: Field, width: int, height: int) -> Field:
    """A field of the coarse grid at every pixel."""
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def lit(pixels: Pixels, light: Light, lambert: Field) -> Pixels:
    """The pixels in that light, where the screen's part arrives with ``lambert`` (a field of the coarse grid)."""
    if light.ambient == 1 and not any(light.screen):
        return pixels
    colour = np.asarray(light.screen, dtype=np.float32) * np.float32(light.strength)
    gain = ((light.ambient + lambert[:, :, None] * colour) ** (1 / GAMMA)).astype(np.float32)
    height, width = pixels.shape[:2]
    return np.asarray(cv2.multiply(pixels, full_size(gain, width, height), dtype=cv2.CV_8U), dtype=np.uint8)


_noise_tile: list[NDArray[np.int8]] = []


def recorded(frame: Pixels, seed: int | None) -> Pixels:
    """The frame with sensor noise of ``seed``; without a seed as it is."""
    if seed is None:
        return frame
    if not _noise_tile:
        drawn = np.random.default_rng(0).normal(0, _NOISE, (_NOISE_SIDE, _NOISE_SIDE, 3))
        _noise_tile.append(np.clip(np.rint(drawn), -127, 127).astype(np.int8))
    height, width = frame.shape[:2]
    random = np.random.default_rng([seed, 7])
    tile = _noise_tile[0]
    rows = np.arange(height) + int(random.integers(_NOISE_SIDE))
    columns = np.arange(width) + int(random.integers(_NOISE_SIDE))
    noise = tile.take(rows, axis=0, mode="wrap").take(columns, axis=1, mode="wrap")
    return np.asarray(cv2.add(frame, noise, dtype=cv2.CV_8U), dtype=np.uint8)

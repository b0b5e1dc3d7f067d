"""A drawn person for pictures of our screens: nobody's face belongs into a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ipse.samples.optics import Light, Pose, recorded
from ipse.samples.scenes import jpeg
from tests.browser.camera import HEIGHT, WIDTH, Pixels

_WALL: Final = (196, 208, 214)
_SHADE: Final = (176, 190, 198)
_SHIRT: Final = (62, 92, 118)
_SKIN: Final = (226, 176, 140)
_SHADOW: Final = (204, 150, 114)
_HAIR: Final = (70, 48, 38)
_LIPS: Final = (186, 96, 88)
_WHITE: Final = (250, 250, 248)
_DARK: Final = (40, 30, 28)
_FINE: Final = 4
"""Binary digits of a pixel's fraction in OpenCV's coordinates."""


@dataclass(frozen=True)
class Figure:
    """Eyes, nose and mouth move over the head as it turns, so that a movement can be seen."""

    def frame(self, pose: Pose, light: Light, *, seed: int) -> Pixels:
        """(480, 640, 3) uint8 RGB."""
        picture = np.full((HEIGHT, WIDTH, 3), _WALL, np.uint8)
        picture[330:] = _SHADE
        middle = (320 + pose.x * WIDTH, 226 + pose.y * HEIGHT)
        aside, up = 62 * np.sin(np.radians(pose.yaw)), 62 * np.sin(np.radians(pose.pitch))
        _oval(picture, (middle[0], 500), (230, 150), _SHIRT)
        _oval(picture, (middle[0], 372), (52, 80), _SHADOW)
        _oval(picture, (middle[0] - aside * 0.3, middle[1] - 38), (116, 132), _HAIR)
        for side in (-1, 1):
            _oval(picture, (middle[0] + side * 102 - aside * 0.3, middle[1] + 12), (18, 30), _SHADOW)
        _oval(picture, middle, (100, 136), _SKIN)
        _oval(picture, (middle[0] + aside * 0.4, middle[1] - 112 - up * 0.4), (84, 38), _HAIR)
        for side in (-1, 1):
            eye = (middle[0] + side * 40 + aside, middle[1] - 12 - up)
            _oval(picture, eye, (19, 10), _WHITE)
            _oval(picture, eye, (8, 9), _DARK)
            _oval(picture, (eye[0], eye[1] - 28), (24, 5), _HAIR)
        _oval(picture, (middle[0] + aside * 1.25, middle[1] + 30 - up * 1.2), (14, 22), _SHADOW)
        _oval(picture, (middle[0] + aside * 1.25, middle[1] + 22 - up * 1.2), (11, 24), _SKIN)
        _oval(picture, (middle[0] + aside, middle[1] + 76 - up), (34, 9), _LIPS)
        shining = np.asarray(light.screen) * light.strength + light.ambient
        lit = np.clip(cv2.GaussianBlur(picture, (0, 0), 1.2) * shining ** (1 / 2.2), 0, 255)
        return recorded(lit.astype(np.uint8), seed)

    def portrait(self) -> bytes:
        """What the drawn person would have enrolled with."""
        return jpeg(self.frame(Pose(), Light(), seed=1))


def _oval(
    picture: Pixels, centre: tuple[float, float], radii: tuple[float, float], colour: tuple[int, int, int]
) -> None:
    (x, y), (wide, high) = ([round(value * 2**_FINE) for value in pair] for pair in (centre, radii))
    cv2.ellipse(picture, (x, y), (wide, high), 0, 0, 360, colour, cv2.FILLED, cv2.LINE_AA, _FINE)

"""A person who moves: a sample portrait on a simple three-dimensional head, seen by a camera.

It turns, nods, tilts, comes closer and takes the light of the screen as a head does, with perspective, a nose that
hides what is behind it, and a background that stays where it is. It does not blink, speak or change its expression,
and its neck does not follow. What such a simulation proves and what not is said in docs/biometrics/motion.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ipse.biometrics.images import Pixels, decode

from .head_shape import BACK, FRONT, NOSE_RELIEF, PER_UNIT, REACH, HeadShape
from .optics import CAMERA_DISTANCE, GRID, WALL, Field, Light, Pose, full_size, lit, recorded, rotation
from .portraits import PORTRAITS

__all__ = ["PEOPLE", "Head", "Light", "Pose"]

# Right eye, left eye, nose tip, right and left corner of the mouth in the pixels of the portrait, as YuNet finds them.
_LANDMARKS: Final = {
    "obama_1": ((440, 215), (555, 214), (496, 268), (441, 318), (547, 321)),
    "obama_2": ((245, 376), (368, 384), (277, 456), (245, 523), (350, 532)),
    "obama_3": ((736, 379), (867, 382), (813, 446), (737, 509), (850, 511)),
    "biden_1": ((519, 328), (667, 332), (602, 411), (511, 465), (639, 471)),
    "astronaut": ((200, 102), (247, 103), (220, 125), (199, 143), (240, 144)),
}
PEOPLE: Final = tuple(_LANDMARKS)
"""Names of the portraits that show a whole head."""

# The distance between the eyes at rest, as a share of the frame's height: a face of about half its height.
_EYES_SHARE: Final = 0.21
_EYES_AT: Final = (0.5, 0.44)
# Necks turn below and behind the eyes.
_PIVOT: Final = np.array([0.0, 0.9, -1.3])
_STEPS: Final = 22
_BORDER: Final = 1.6
"""The texture is that much larger than the frame, so that what turns into view is there."""


@dataclass(frozen=True, eq=False)
class Head:
    """Use ``Head.of``. ``eyes`` is the distance between the eyes at rest, in pixels of a frame."""

    name: str
    width: int
    height: int
    eyes: float
    texture: Pixels
    background: Pixels
    wall: Field
    shape: HeadShape

    @classmethod
    def of(
        cls, name: str, portrait: bytes, *, width: int = 640, height: int = 480, relief: float = NOSE_RELIEF
    ) -> Head:
        """The person in the named portrait (encoded image), in frames of ``width`` x ``height``.

        ``relief``: how far the nose stands out, in distances between the eyes. Raises ``KeyError`` for a portrait
        that is not among ``PEOPLE``.
        """
        landmarks = np.asarray(_LANDMARKS[name], dtype=np.float64)
        eyes = _EYES_SHARE * height
        size = (round(width * _BORDER), round(height * _BORDER))
        origin = np.array([size[0] / 2 + (_EYES_AT[0] - 0.5) * width, size[1] / 2 + (_EYES_AT[1] - 0.5) * height])
        upright = _upright(landmarks, eyes, origin)
        texture = _texture(decode(portrait).pixels, upright, size)
        units = (landmarks @ upright[:, :2].T + upright[:, 2] - origin) / eyes
        box = next(portrait.face for portrait in PORTRAITS if portrait.name == name)
        middle = upright[:, :2] @ np.array([(box[0] + box[2]) / 2, landmarks[:2, 1].mean()]) + upright[:, 2] - origin
        shape = HeadShape.fitted(units, relief=relief, centre=float(middle[0] / eyes))
        inner = (slice((size[1] - height) // 2, (size[1] + height) // 2), slice(*_middle(size[0], width)))
        return cls(
            name=name,
            width=width,
            height=height,
            eyes=eyes,
            texture=texture,
            background=_background(texture, shape, origin, eyes)[inner],
            wall=_wall(width, height, eyes),
            shape=shape,
        )

    def frame(self, pose: Pose = Pose(), light: Light = Light(), *, seed: int | None = None) -> Pixels:
        """(height, width, 3) uint8 RGB. ``seed`` gives the sensor noise; without one there is none."""
        x, y, depth, lambert = self._seen(pose)
        # Back to where the camera of the portrait saw that point of the surface.
        away = np.asarray(CAMERA_DISTANCE / (CAMERA_DISTANCE - depth), dtype=np.float32)
        at_x = full_size(x * away * np.float32(self.eyes), self.width, self.height)
        at_y = full_size(y * away * np.float32(self.eyes), self.width, self.height)
        at_x += self.texture.shape[1] / 2 + (_EYES_AT[0] - 0.5) * self.width
        at_y += self.texture.shape[0] / 2 + (_EYES_AT[1] - 0.5) * self.height
        skin = cv2.remap(self.texture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        share = full_size(self.shape.share(x, y), self.width, self.height)
        head, room = lit(np.asarray(skin), light, lambert), lit(self.background, light, self.wall)
        return recorded(np.asarray(cv2.blendLinear(head, room, share, 1 - share), dtype=np.uint8), seed)

    def _seen(self, pose: Pose) -> tuple[Field, Field, Field, Field]:
        """Per cell of the coarse grid: x, y and z of the point of the head seen there, and the screen's light on it."""
        columns = (np.arange(self.width // GRID, dtype=np.float32) + 0.5) * GRID - 0.5
        rows = (np.arange(self.height // GRID, dtype=np.float32) + 0.5) * GRID - 0.5
        plane_x, plane_y = np.meshgrid(
            (columns - _EYES_AT[0] * self.width) / self.eyes, (rows - _EYES_AT[1] * self.height) / self.eyes
        )
        turn = rotation(pose)
        shift = np.array([pose.x * self.width, pose.y * self.height, 0]) / (self.eyes * pose.scale)
        shift[2] = CAMERA_DISTANCE * (1 - 1 / pose.scale)
        camera = turn.T @ (np.array([0, 0, CAMERA_DISTANCE]) - shift - _PIVOT) + _PIVOT
        rays = np.stack([plane_x, plane_y, np.full_like(plane_x, -CAMERA_DISTANCE)], axis=-1) @ turn.astype(np.float32)
        slope_x = np.asarray(rays[:, :, 0] / rays[:, :, 2], dtype=np.float32)
        slope_y = np.asarray(rays[:, :, 1] / rays[:, :, 2], dtype=np.float32)
        depth = self._depth(camera, slope_x, slope_y)
        x = np.asarray(camera[0] + (depth - camera[2]) * slope_x, dtype=np.float32)
        y = np.asarray(camera[1] + (depth - camera[2]) * slope_y, dtype=np.float32)
        return x, y, depth, self._lambert(x, y, depth, camera)

    def _depth(self, camera: NDArray[np.float64], slope_x: Field, slope_y: Field) -> Field:
        """z where each ray meets the surface: steps from front to back, then a straight line between two of them."""
        depth = np.full_like(slope_x, BACK)
        missed = np.ones(slope_x.shape, dtype=bool)
        above: Field | None = None
        step = (FRONT - BACK) / _STEPS
        for z in np.linspace(FRONT, BACK, _STEPS + 1):
            gap = np.float32(z) - self._height_at(
                np.float32(camera[0]) + np.float32(z - camera[2]) * slope_x,
                np.float32(camera[1]) + np.float32(z - camera[2]) * slope_y,
            )
            if above is not None:
                met = missed & (gap <= 0)
                depth[met] = z + step * (-gap[met]) / np.maximum(above[met] - gap[met], 1e-6)
                missed &= ~met
            above = gap
        return depth

    def _lambert(self, x: Field, y: Field, z: Field, camera: NDArray[np.float64]) -> Field:
        """Light of a screen beside the camera: cosine to the normal and square of the distance, 1 at the face."""
        normal_x, normal_y, normal_z = (self._sampled(normal, x, y) for normal in self.shape.normals)
        to_x, to_y, to_z = camera[0] - x, camera[1] - y, camera[2] - z
        square = to_x**2 + to_y**2 + to_z**2
        cosine = (normal_x * to_x + normal_y * to_y + normal_z * to_z) / np.sqrt(square)
        return np.asarray(np.clip(cosine, 0, 1) * CAMERA_DISTANCE**2 / square, dtype=np.float32)

    def _height_at(self, x: Field, y: Field) -> Field:
        return self._sampled(self.shape.height, x, y)

    @staticmethod
    def _sampled(field: Field, x: Field, y: Field) -> Field:
        columns, rows = (x + REACH[0]) * PER_UNIT, (y + REACH[1]) * PER_UNIT
        mode = cv2.BORDER_REPLICATE
        return np.asarray(cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=mode), dtype=np.float32)


def _upright(landmarks: NDArray[np.float64], eyes: float, origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): from pixels of the portrait to the texture, eyes level, ``eyes`` apart, ``origin`` between them."""
    along = landmarks[1] - landmarks[0]
    scale = eyes / float(np.hypot(*along))
    cosine, sine = along / np.hypot(*along) * scale
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([turn, origin - turn @ ((landmarks[0] + landmarks[1]) / 2)])


def _texture(pixels: Pixels, matrix: NDArray[np.float64], size: tuple[int, int]) -> Pixels:
    scale = float(np.hypot(*matrix[0, :2]))
    if scale < 1:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale), dtype=np.uint8)
    sharp = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), matrix, size, borderValue=0)
    weight = np.asarray(cv2.GaussianBlur(cv2.erode(inside, np.ones((25, 25))), (0, 0), 8), np.float32)[:, :, None] / 255
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 18), np.float32)
    return np.asarray(np.clip(blurred + (np.asarray(sharp, np.float32) - blurred) * weight, 0, 255), dtype=np.uint8)


def _background(texture: Pixels, shape: HeadShape, origin: NDArray[np.float64], eyes: float) -> Pixels:
    """The texture without the head: what surrounds it grows over it."""
    columns, rows = np.meshgrid(np.arange(texture.shape[1]), np.arange(texture.shape[0]))
    away = (CAMERA_DISTANCE - BACK) / CAMERA_DISTANCE
    coverage = shape.share((columns - origin[0]) / eyes * away * 0.96, (rows - origin[1]) / eyes * away * 0.96)
    small = (texture.shape[1] // 4, texture.shape[0] // 4)
    hidden = cv2.dilate(np.asarray(cv2.resize(coverage, small) > 0.02, dtype=np.uint8), np.ones((5, 5)))
    filled = cv2.inpaint(cv2.resize(texture, small, interpolation=cv2.INTER_AREA), hidden, 6, cv2.INPAINT_TELEA)
    back = cv2.GaussianBlur(cv2.resize(filled, (texture.shape[1], texture.shape[0])), (0, 0), 6)
    share = cv2.GaussianBlur(cv2.resize(hidden.astype(np.float32), (texture.shape[1], texture.shape[0])), (0, 0), 3)
    return np.asarray(texture + (np.asarray(back, np.float32) - texture) * share[:, :, None], dtype=np.uint8)


def _wall(width: int, height: int, eyes: float) -> Field:
    """How the screen lights what is not the head: a wall far behind, and the shoulders."""
    columns, rows = np.meshgrid(np.arange(width // GRID) * GRID, np.arange(height // GRID) * GRID)
    x, y = (columns - _EYES_AT[0] * width) / eyes, (rows - _EYES_AT[1] * height) / eyes
    shoulders = np.clip(1.4 - (np.abs(x) / 2.6) ** 2 - ((y - 3.6) / 2.2) ** 2, 0, 1)
    return np.asarray(WALL + 0.45 * shoulders, dtype=np.float32)


def _middle(outer: int, inner: int) -> tuple[int, int]:
    return (outer - inner) // 2, (outer - inner) // 2 + inner

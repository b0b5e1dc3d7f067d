"""A photo of a person held before the camera: a flat or bent print, or a display that shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ipse.biometrics.images import Pixels

from .head import Head
from .optics import CAMERA_DISTANCE, GAMMA, GRID, WALL, Field, Light, Pose, full_size, lit, recorded, rotation

__all__ = ["Light", "Photo", "Pose"]

_MARGIN: Final = 0.03
# A sheet that is bent further than this hides its own edge.
_MOST_BENT: Final = 150.0
# Clear glass returns about 4 % of light that falls on it straight (Fresnel, refractive index 1.5); a screen's light
# comes back spread over a mirror image that rarely lies on the face.
_GLASS: Final = 0.02
_DISPLAY_GAIN: Final = 1.05


@dataclass(frozen=True, eq=False)
class Photo:
    """Use ``Photo.of``. ``picture`` is what is printed or shown, (h, w, 3) uint8 RGB; ``eyes`` as in ``Head``."""

    width: int
    height: int
    eyes: float
    picture: Pixels
    room: Pixels
    screen: bool

    @classmethod
    def of(cls, name: str, portrait: bytes, *, width: int = 640, height: int = 480, screen: bool = False) -> Photo:
        """The named portrait (encoded image) as a sheet of the frame's height, with a white margin.

        Held in the pose at rest, the face is as large and at the same place as in ``Head.frame``. ``screen``: a
        display instead of paper. Raises ``KeyError`` as ``Head.of``.
        """
        head = Head.of(name, portrait, width=width, height=height)
        room = np.asarray(cv2.GaussianBlur(head.background, (0, 0), 25), dtype=np.uint8)
        return cls(width, height, head.eyes, _cut(head.frame()), room, screen)

    def showing(self, frame: Pixels) -> Photo:
        """The same sheet or display with another picture: a frame of this camera's size, for example of a video."""
        return replace(self, picture=_cut(frame))

    def frame(
        self, pose: Pose = Pose(), light: Light = Light(), *, bend: float = 0.0, seed: int | None = None
    ) -> Pixels:
        """(height, width, 3) uint8 RGB.

        ``pose`` turns the sheet around its middle. ``bend`` is the angle in degrees by which it is curved around its
        vertical axis from edge to edge, positive when its middle comes towards the camera. ``seed`` as in ``Head``.
        Raises ``ValueError`` for a bend beyond 150 degrees.
        """
        if abs(bend) > _MOST_BENT:
            raise ValueError(f"A sheet is bent by at most {_MOST_BENT:.0f} degrees, not {bend}.")
        along, y, lambert = self._seen(pose, np.radians(bend))
        at_x = full_size(along * np.float32(self.eyes), self.width, self.height) + self.picture.shape[1] / 2
        at_y = full_size(y * np.float32(self.eyes), self.width, self.height) + self.picture.shape[0] / 2
        sheet = cv2.remap(self._as_it_looks(light, lambert), at_x, at_y, cv2.INTER_LINEAR)
        if not self.screen:
            sheet = lit(np.asarray(sheet), light, lambert)
        inside = np.minimum(
            np.minimum(at_x, self.picture.shape[1] - at_x), np.minimum(at_y, self.picture.shape[0] - at_y)
        )
        share = np.clip(inside, 0, 1)
        room = lit(self.room, light, np.full_like(lambert, WALL))
        return recorded(np.asarray(cv2.blendLinear(sheet, room, share, 1 - share), dtype=np.uint8), seed)

    def _as_it_looks(self, light: Light, lambert: Field) -> Pixels:
        """Paper takes the room's light later; a display shines by itself and reflects a little, evenly."""
        if not self.screen:
            return self.picture
        levels = np.linspace(0, 1, 256)[:, None] ** GAMMA * _DISPLAY_GAIN
        levels = levels + _GLASS * light.strength * np.asarray(light.screen)[None, :]
        table = np.clip(np.rint(255 * levels ** (1 / GAMMA)), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(self.picture, table[:, None, :]), dtype=np.uint8)

    def _seen(self, pose: Pose, bend: float) -> tuple[Field, Field, Field]:
        """Per cell of the coarse grid: where on the sheet it looks (units of eye distances), and the screen's light."""
        columns = (np.arange(self.width // GRID, dtype=np.float64) + 0.5) * GRID - 0.5
        rows = (np.arange(self.height // GRID, dtype=np.float64) + 0.5) * GRID - 0.5
        x, y = np.meshgrid((columns - self.width / 2) / self.eyes, (rows - self.height / 2) / self.eyes)
        turn = rotation(pose)
        shift = np.array([pose.x * self.width, pose.y * self.height, 0]) / (self.eyes * pose.scale)
        shift[2] = CAMERA_DISTANCE * (1 - 1 / pose.scale)
        camera = turn.T @ (np.array([0, 0, CAMERA_DISTANCE]) - shift)
        rays = np.stack([x, y, np.full_like(x, -CAMERA_DISTANCE)], axis=-1) @ turn
        across = self.picture.shape[1] / self.eyes
        distance, along, normal_x, normal_z = (
            _on_plane(camera, rays) if abs(bend) < 1e-3 else _on_cylinder(camera, rays, across / bend)
        )
        points = camera + rays * distance[:, :, None]
        to_camera = camera - points
        square = (to_camera**2).sum(axis=2)
        cosine = np.abs(normal_x * to_camera[:, :, 0] + normal_z * to_camera[:, :, 2]) / np.sqrt(square)
        lambert = cosine * CAMERA_DISTANCE**2 / square
        return along.astype(np.float32), points[:, :, 1].astype(np.float32), lambert.astype(np.float32)


_Hit = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _on_plane(camera: NDArray[np.float64], rays: NDArray[np.float64]) -> _Hit:
    """Per ray: its length to the sheet, the place along the sheet, and the normal's x and z."""
    distance = -camera[2] / rays[:, :, 2]
    along = camera[0] + rays[:, :, 0] * distance
    return distance, along, np.zeros_like(along), np.ones_like(along)


def _on_cylinder(camera: NDArray[np.float64], rays: NDArray[np.float64], radius: float) -> _Hit:
    """As ``_on_plane`` for a cylinder whose axis is ``radius`` behind the sheet (before it, if negative)."""
    from_axis = camera[2] + radius
    a = rays[:, :, 0] ** 2 + rays[:, :, 2] ** 2
    half_b = camera[0] * rays[:, :, 0] + from_axis * rays[:, :, 2]
    root = half_b**2 - a * (camera[0] ** 2 + from_axis**2 - radius**2)
    # The near wall of a sheet that bulges towards the camera, the far wall of one that bulges away from it.
    distance = (-half_b - np.sign(radius) * np.sqrt(np.maximum(root, 0))) / a
    x, z = camera[0] + rays[:, :, 0] * distance, from_axis + rays[:, :, 2] * distance
    along = np.where(root > 0, radius * np.arctan2(x / radius, z / radius), 1e3)
    return distance, along, x / radius, z / radius


def _cut(frame: Pixels) -> Pixels:
    """The middle of a frame, two thirds of its width, in a white margin."""
    height, width = frame.shape[:2]
    side = width // 6
    margin = round(_MARGIN * height)
    sheet = np.full((height, width - 2 * side, 3), 245, dtype=np.uint8)
    sheet[margin:-margin, margin:-margin] = frame[margin:-margin, side + margin : width - side - margin]
    return sheet

"""A head as a height field: an ellipsoid with nose, brow, eye sockets, mouth and chin, fitted to five landmarks.

Units and axes of ``optics``, the origin between the eyes. The proportions are roughly an adult's; the tip of the nose
stands 0.38 before the plane of the eyes and the corners of the mouth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .optics import Field

PER_UNIT: Final = 48
"""Cells of the field per eye distance."""
REACH: Final = (2.2, 3.0)
"""Half width and half height of the field."""
FRONT: Final = 0.75
BACK: Final = -1.6
NOSE_RELIEF: Final = 0.38
# Hair included, and larger than life by what perspective takes from the outline: it is further away than the eyes.
_HALF_WIDTH: Final = 1.42
_HALF_HEIGHT: Final = 2.15
_HALF_DEPTH: Final = 1.5


@dataclass(frozen=True, eq=False)
class HeadShape:
    """``height`` is z of the surface at (y, x); ``normals`` point outwards, length 1; ``centre`` is the skull's x."""

    centre: float
    height: Field
    normals: tuple[Field, Field, Field]

    @classmethod
    def fitted(cls, landmarks: NDArray[np.float64], *, relief: float = NOSE_RELIEF, centre: float = 0.0) -> HeadShape:
        """For landmarks (5, 2) in head units: eyes, nose tip, corners of the mouth."""
        columns = np.arange(-REACH[0], REACH[0], 1 / PER_UNIT)
        rows = np.arange(-REACH[1], REACH[1], 1 / PER_UNIT)
        x, y = np.meshgrid(columns, rows)
        ground = _skull(x - centre, y)

        def mound(at_x: float, at_y: float, wide: float, high: float) -> NDArray[np.float64]:
            return np.asarray(np.exp(-(((x - at_x) / wide) ** 2) - (((y - at_y) / high) ** 2)))

        right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
        middle = (right_mouth + left_mouth) / 2
        ground += 0.24 * mound(middle[0], middle[1], 0.75, 0.55) + 0.22 * mound(middle[0], middle[1] + 0.65, 0.5, 0.35)
        for eye in (right_eye, left_eye):
            ground -= 0.07 * mound(eye[0], eye[1], 0.26, 0.18)
        ground += 0.05 * mound(0, right_eye[1] - 0.35, 0.8, 0.16)
        plane = float(np.mean([_at(ground, point) for point in landmarks[[0, 1, 3, 4]]]))
        # The bridge begins between the eyes, rises evenly to the tip and ends at once below it.
        along = (y - right_eye[1]) / max(nose[1] - right_eye[1], 0.2)
        profile = np.where(along <= 1, np.clip(0.15 + 0.85 * along, 0, 1), np.exp(-(((along - 1) / 0.22) ** 2)))
        breadth = 0.13 + 0.08 * np.clip(along, 0, 1.2)
        ridge = profile * np.exp(-(((x - nose[0] * np.clip(along, 0, 1)) / breadth) ** 2))
        ground += ridge * (plane + relief - _at(ground, nose))
        slope_y, slope_x = np.gradient(ground, 1 / PER_UNIT)
        length = np.sqrt(slope_x**2 + slope_y**2 + 1)
        normals = (-slope_x / length, -slope_y / length, 1 / length)
        return cls(
            centre=centre,
            height=(ground - plane).astype(np.float32),
            normals=(normals[0].astype(np.float32), normals[1].astype(np.float32), normals[2].astype(np.float32)),
        )

    def share(self, x: NDArray[Any], y: NDArray[Any]) -> Field:
        """1 where (x, y) of the surface is head, 0 where it is not, soft between."""
        return np.clip((1.0 - _outside(x - self.centre, y)) / 0.14, 0, 1).astype(np.float32)


def _skull(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ellipsoid; beyond its outline a steep wall goes on backwards, so that every ray meets something."""
    outside = _outside(x, y)
    return np.where(outside < 1, _HALF_DEPTH * np.sqrt(np.clip(1 - outside, 0, 1)), -3 * (outside - 1))


def _outside(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Below 1 within the outline of the head, above 1 beyond it."""
    return np.asarray((np.abs(x) / _HALF_WIDTH) ** 2.3 + (np.abs(y) / _HALF_HEIGHT) ** 2.3)


def _at(field: NDArray[np.float64], point: NDArray[np.float64]) -> float:
    row = round((point[1] + REACH[1]) * PER_UNIT)
    column = round((point[0] + REACH[0]) * PER_UNIT)
    return float(field[row, column])

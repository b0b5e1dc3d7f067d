"""Faces found in a picture, and the rule which of them counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .images import Image

Angle = Literal[0, 90, 180, 270]
Landmarks = NDArray[np.float32]

# A second face counts as "also in front of the camera" when its side is at least this share of the largest one's and
# the detector is sure of it; smaller faces are posters, bystanders and pictures on the wall.
COMPARABLE_SIDE: Final = 0.6
COMPARABLE_CONFIDENCE: Final = 0.75
# Who holds the camera is large and near the middle; a bystander cut by the edge can be larger. A face at the edge of
# the picture counts as half its size. On LFW this finds the meant person in ten photos of 3,811 where size alone errs.
_EDGE_DISCOUNT: Final = 0.5


@dataclass(frozen=True, eq=False)
class Face:
    """One face in image pixels.

    ``bbox`` is (x_min, y_min, x_max, y_max), clipped to the picture. ``landmarks`` is (5, 2) float32, x then y: the
    person's right eye, left eye, nose tip, right and left corner of the mouth. ``confidence`` is the detector's, 0-1.
    """

    bbox: tuple[int, int, int, int]
    confidence: float
    landmarks: Landmarks

    @property
    def width(self) -> int:
        """Width of the box in pixels."""
        return self.bbox[2] - self.bbox[0]

    @property
    def height(self) -> int:
        """Height of the box in pixels."""
        return self.bbox[3] - self.bbox[1]

    @property
    def side(self) -> float:
        """Side of the square with the same area as the box, in pixels."""
        return float(np.sqrt(max(self.width, 0) * max(self.height, 0)))


@dataclass(frozen=True, eq=False)
class FaceScan:
    """All faces of a picture, the most prominent first (``by_prominence``).

    ``best_angle`` is how far the received picture was turned clockwise, in degrees, until the face stood upright;
    ``image`` is the picture after that turn, and every coordinate refers to it.
    """

    faces: tuple[Face, ...]
    best_angle: Angle
    image: Image

    @property
    def primary(self) -> Face | None:
        """The most prominent face, or ``None``."""
        return self.faces[0] if self.faces else None

    @property
    def comparable_faces(self) -> int:
        """How many faces, the primary one included, are so large that they could be meant. 0 without a face."""
        if not self.faces:
            return 0
        smallest = COMPARABLE_SIDE * self.faces[0].side
        return 1 + sum(f.side >= smallest and f.confidence >= COMPARABLE_CONFIDENCE for f in self.faces[1:])


def by_prominence(faces: Iterable[Face], width: int, height: int) -> tuple[Face, ...]:
    """Faces of a width x height picture by size, largest first, discounted towards the edges."""

    def prominence(face: Face) -> float:
        x = (face.bbox[0] + face.bbox[2]) / width - 1
        y = (face.bbox[1] + face.bbox[3]) / height - 1
        return face.side * (1 - _EDGE_DISCOUNT * min(1.0, float(np.hypot(x, y))))

    return tuple(sorted(faces, key=prominence, reverse=True))

"""Faces found in a picture, and the rule which of them counts."""

from __future__ import annotations

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
    """All faces of a picture, largest first.

    ``best_angle`` is how far the received picture was turned clockwise, in degrees, until the face stood upright;
    ``image`` is the picture after that turn, and every coordinate refers to it.
    """

    faces: tuple[Face, ...]
    best_angle: Angle
    image: Image

    @property
    def primary(self) -> Face | None:
        """The largest face, or ``None``."""
        return self.faces[0] if self.faces else None

    @property
    def comparable_faces(self) -> int:
        """How many faces, the largest included, are so large that they could be meant. 0 without a face."""
        if not self.faces:
            return 0
        smallest = COMPARABLE_SIDE * self.faces[0].side
        return 1 + sum(f.side >= smallest and f.confidence >= COMPARABLE_CONFIDENCE for f in self.faces[1:])

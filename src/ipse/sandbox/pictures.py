"""Pictures in the sandbox: the face that every picture is said to show, and a likeness of two pictures without models.

The likeness compares pictures and not people: two photos of one person are two pictures. It serves a sandbox whose
server has no face models, where a pair of different pictures shall still be declined.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from ipse.biometrics.images import decode
from ipse.biometrics.templates import TEMPLATE_LENGTH, Template
from ipse.checks.selfie import FaceEntity, Selfie
from ipse.sandbox.facts import AGE

_BITS: Final = 8
_POINTS_PER_BIT: Final = 5.0
"""Two pictures whose 64-bit hashes differ in more than about ten bits are different pictures (usual for dHash)."""

SELFIE: Final = Selfie(
    entities=(FaceEntity((200, 120, 440, 420), 0.99, AGE),),
    best_angle=0,
    comparable_faces=1,
    quality=None,
    liveness=None,
    template=Template(np.full(TEMPLATE_LENGTH, TEMPLATE_LENGTH**-0.5, dtype=np.float32), "sandbox"),
    age=AGE,
    best_frame=0,
    image=b"",
    content_type="image/jpeg",
)
"""What the sandbox says that it saw."""


def likeness(a: bytes, b: bytes) -> float:
    """0-100: 100 for pictures that look the same, 0 for different ones. Raises ``ImageError``."""
    differing = int(np.count_nonzero(_difference_hash(a) != _difference_hash(b)))
    return max(0.0, 100.0 - _POINTS_PER_BIT * differing)


def _difference_hash(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Eight rows of eight bits: is a cell brighter than its right neighbour? (dHash)"""
    grey = cv2.cvtColor(decode(data).pixels, cv2.COLOR_RGB2GRAY)
    small = np.asarray(cv2.resize(grey, (_BITS + 1, _BITS), interpolation=cv2.INTER_AREA), dtype=np.int16)
    # A flat picture has only noise between its cells; two flat pictures of different brightness are different.
    brightness = small.mean() > np.arange(_BITS) * (256 / _BITS) + 128 / _BITS
    return np.concatenate([(small[:, :-1] > small[:, 1:]).ravel(), brightness])

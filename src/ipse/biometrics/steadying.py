"""A face held still: every frame of a short recording resampled so that the same skin lies at the same place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .faces import Face
from .images import Pixels

Affine = NDArray[np.float64]

PER_UNIT: Final = 36
"""Pixels of the steadied picture per distance between the eyes."""
LEFT, RIGHT, TOP, BOTTOM = -1.3, 1.3, -1.0, 2.0
"""What it shows, in distances between the eyes from the middle between them, y towards the chin."""
WIDTH: Final = round((RIGHT - LEFT) * PER_UNIT)
HEIGHT: Final = round((BOTTOM - TOP) * PER_UNIT)

# Landmarks tremble by a pixel or so from frame to frame, a head that is held still does not: a parabola through so many
# frames at a time.
_SMOOTHED: Final = 7
# The rest is found by enhanced correlation (Evangelidis and Psarakis, 2008) inside an oval without hair or background.
_OVAL: Final = ((0.0, 0.4), (0.85, 1.1))
_SEARCH: Final = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-3)
# Eyes to mouth, in distances between the eyes, of a frontal face. Turning, the eyes draw together, these do not.
_EYES_TO_MOUTH: Final = 1.1


# Farther away, in pixels, than landmarks err: the search has lost its way on skin without detail.
_FARTHEST: Final = 5.0
_CORNERS: Final = np.array([[0, WIDTH, 0, WIDTH], [0, 0, HEIGHT, HEIGHT], [1, 1, 1, 1]], dtype=np.float64)


def steadied(pictures: Sequence[Pixels], faces: Sequence[Face]) -> list[Pixels]:
    """(HEIGHT, WIDTH, 3) of each picture, the face of ``faces`` upright and in place, aligned with the middle frame."""
    matrices = [_towards_picture(points) for points in _smoothed(np.stack([face.landmarks for face in faces]))]
    first = [_resampled(pixels, matrix) for pixels, matrix in zip(pictures, matrices, strict=True)]
    details = [_detail(pixels) for pixels in first]
    reference, oval = details[len(details) // 2], _oval()
    return [
        _resampled(pixels, matrix @ _correction(reference, detail, oval))
        for pixels, matrix, detail in zip(pictures, matrices, details, strict=True)
    ]


def _smoothed(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(frames, 5, 2): each the value at its time of a parabola through its neighbours."""
    count = len(landmarks)
    flat = landmarks.reshape(count, -1).astype(np.float64)
    result = np.empty_like(flat)
    for at in range(count):
        first = max(0, min(at - _SMOOTHED // 2, count - _SMOOTHED))
        near = np.arange(first, min(count, first + _SMOOTHED))
        powers = np.stack([np.ones_like(near), near - at, (near - at) ** 2], axis=1).astype(np.float64)
        result[at] = np.linalg.pinv(powers)[0] @ flat[near]
    return result.reshape(count, 5, 2)


def _towards_picture(points: NDArray[np.float64]) -> Affine:
    """(3, 3): from pixels of the steadied picture to pixels of the frame with these landmarks."""
    middle, mouth, across = (points[0] + points[1]) / 2, (points[3] + points[4]) / 2, points[1] - points[0]
    apart = max(float(np.hypot(*across)), 1e-6)
    scale = max(apart, float(np.hypot(*(mouth - middle))) / _EYES_TO_MOUTH) / PER_UNIT
    cosine, sine = across / apart * scale
    turn = np.array([[cosine, -sine], [sine, cosine]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, middle + turn @ np.array([LEFT, TOP]) * PER_UNIT
    return matrix


def _correction(reference: Pixels, detail: Pixels, oval: Pixels) -> Affine:
    """(3, 3) affine that brings ``detail`` onto ``reference``; none where nothing credible is found."""
    start = np.eye(2, 3, dtype=np.float32)
    try:
        _, found = cv2.findTransformECC(reference, detail, start, cv2.MOTION_AFFINE, _SEARCH, oval, 1)
    except cv2.error:
        return np.eye(3)
    correction = np.vstack([np.asarray(found, dtype=np.float64), [0.0, 0.0, 1.0]])
    moved = (correction - np.eye(3))[:2] @ _CORNERS
    return correction if float(np.abs(moved).max()) <= _FARTHEST else np.eye(3)


def _detail(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 1.0), dtype=np.uint8)


def _oval() -> Pixels:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    centre = (round((_OVAL[0][0] - LEFT) * PER_UNIT), round((_OVAL[0][1] - TOP) * PER_UNIT))
    cv2.ellipse(mask, centre, (round(_OVAL[1][0] * PER_UNIT), round(_OVAL[1][1] * PER_UNIT)), 0, 0, 360, 255, -1)
    return mask


def _resampled(pixels: Pixels, matrix: Affine) -> Pixels:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, matrix[:2], (WIDTH, HEIGHT), flags=flags), dtype=np.uint8)

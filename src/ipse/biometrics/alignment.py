"""Alignment of a face to the fixed landmark positions a network was trained with."""

from __future__ import annotations

from math import ceil
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .faces import Landmarks
from .images import Pixels

# ArcFace/SFace template in a 112 x 112 chip (InsightFace reference), and the dlib five-point chip with 0.2 padding
# expressed for YuNet's landmarks in a 64 x 64 chip. Order: right eye, left eye, nose, right and left mouth corner.
RECOGNITION_CHIP: Final = 112
RECOGNITION_TEMPLATE: Final[Landmarks] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)
AGE_CHIP: Final = 64
AGE_TEMPLATE: Final[Landmarks] = np.array(
    [[19.07, 18.63], [43.75, 18.96], [30.74, 32.25], [20.23, 42.39], [41.67, 42.88]], dtype=np.float32
)
# Bilinear sampling sees two neighbours: shrinking to a half loses nothing, shrinking further skips pixels.
_BILINEAR_LIMIT: Final = 0.5
_MAX_SUPERSAMPLING: Final = 4


def similarity_transform(source: Landmarks, target: Landmarks) -> NDArray[np.float64]:
    """The (2, 3) rotation, uniform scale and shift that maps ``source`` (n, 2) onto ``target`` with least squares.

    The closed form of Umeyama (1991) without reflection: a mirrored face is not the same face.
    """
    from_points, to_points = source.astype(np.float64), target.astype(np.float64)
    from_mean, to_mean = from_points.mean(axis=0), to_points.mean(axis=0)
    a, b = from_points - from_mean, to_points - to_mean
    spread = float((a * a).sum()) or 1.0
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    shift = to_mean - rotation @ from_mean
    return np.concatenate([rotation, shift[:, None]], axis=1)


def aligned_chip(pixels: Pixels, landmarks: Landmarks, template: Landmarks, side: int) -> Pixels:
    """Cut the face out of (H, W, 3) pixels as a (side, side, 3) chip whose landmarks lie on ``template``.

    A face much larger than the chip is rendered larger first and averaged down, so that bilinear sampling does not skip
    pixels.
    """
    matrix = similarity_transform(landmarks, template)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    factor = min(_MAX_SUPERSAMPLING, max(1, ceil(_BILINEAR_LIMIT / max(scale, 1e-6))))
    rendered = cv2.warpAffine(pixels, matrix * factor, (side * factor, side * factor), flags=cv2.INTER_LINEAR)
    if factor > 1:
        rendered = cv2.resize(rendered, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(rendered, dtype=np.uint8)

"""Evidence of moire: the grid of a display beating with the grid of the camera leaves a peak in the spectrum."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .faces import Face
from .images import Pixels

_WINDOWS: Final = (128, 64)
# Cycles per pixel. Below lie the face's own shapes, above the noise that JPEG has removed.
_BAND: Final = (0.11, 0.45)
_RING: Final = 0.04
# The axes carry JPEG's 8 x 8 blocks and straight hair, collar and background lines.
_AXIS: Final = 2


def moire_peak(pixels: Pixels, face: Face) -> float:
    """Largest spectral peak in the face as a multiple of the median at its frequency; about 3 to 8 without moire.

    ``pixels`` is (H, W, 3) RGB. Returns 0 for a face too small or too close to the border to tell.
    """
    side = next((n for n in _WINDOWS if min(face.width, face.height) >= n), 0)
    x, y = (face.bbox[0] + face.bbox[2] - side) // 2, (face.bbox[1] + face.bbox[3] - side) // 2
    patch = pixels[max(y, 0) : y + side, max(x, 0) : x + side].astype(np.float32)
    if side == 0 or patch.shape[:2] != (side, side):
        return 0.0
    red, green, blue = patch[:, :, 0], patch[:, :, 1], patch[:, :, 2]
    return max(_peak(np.asarray(plane)) for plane in (red - green, blue - green, patch.mean(axis=2)))


def _peak(plane: NDArray[np.float32]) -> float:
    side = plane.shape[0]
    detail = plane - np.asarray(cv2.GaussianBlur(plane, (0, 0), 4))
    window = np.outer(np.hanning(side), np.hanning(side))
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(detail * window)))
    rows, columns = np.mgrid[-side // 2 : side // 2, -side // 2 : side // 2]
    radius = np.hypot(rows, columns) / side
    off_axis = (np.abs(rows) > _AXIS) & (np.abs(columns) > _AXIS)
    highest = 0.0
    for inner in np.arange(_BAND[0], _BAND[1], _RING):
        ring = spectrum[off_axis & (radius >= inner) & (radius < min(inner + _RING, _BAND[1]))]
        if ring.size:
            highest = max(highest, float(ring.max()) / max(float(np.median(ring)), 1.0))
    return highest

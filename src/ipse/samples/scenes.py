"""Composed captures: what a phone's front camera would see of the person in a portrait."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ipse.biometrics.images import Pixels, decode

from .portraits import PORTRAITS

FRAME_WIDTH: Final = 1280
FRAME_HEIGHT: Final = 720
# A person at arm's length fills about a fifth of the frame's width; 37 % is the most that liveness can use.
_FACE_SHARE: Final = 0.2
_JPEG_QUALITY: Final = 90


def selfie(name: str, portrait: bytes, *, seed: int = 0) -> bytes:
    """A 1280 x 720 JPEG of the person in the named portrait, the face about 20 % of the width, with its surroundings.

    ``seed`` moves the camera, changes exposure and adds sensor noise a little, so that two seeds are two captures; the
    same seed gives the same bytes. Where the portrait ends, its blurred edge continues as the background.
    Raises ``KeyError`` for a name that is not a portrait.
    """
    return jpeg(selfie_pixels(name, portrait, seed=seed))


def selfie_pixels(name: str, portrait: bytes, *, seed: int = 0) -> Pixels:
    """As ``selfie``, before compression: (720, 1280, 3) uint8 RGB."""
    face = {p.name: p.face for p in PORTRAITS}[name]
    random = np.random.default_rng(seed)
    pixels = decode(portrait).pixels
    share = _FACE_SHARE * random.uniform(0.92, 1.12)
    scale = share * FRAME_WIDTH / (face[2] - face[0])
    centre_x = (face[0] + face[2]) / 2
    centre_y = (face[1] + face[3]) / 2
    at_x = FRAME_WIDTH * (0.5 + random.uniform(-0.04, 0.04))
    at_y = FRAME_HEIGHT * (0.46 + random.uniform(-0.03, 0.03))
    matrix = np.array([[scale, 0, at_x - scale * centre_x], [0, scale, at_y - scale * centre_y]])
    size = (FRAME_WIDTH, FRAME_HEIGHT)
    sharp = _warped(pixels, matrix, size)
    # The edge continues outwards, not its mirror image: that would bring a second face into the picture.
    blurred = cv2.GaussianBlur(sharp, (0, 0), 18)
    inside = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), matrix, size, borderValue=0)
    mask = cv2.GaussianBlur(cv2.erode(np.asarray(inside), np.ones((25, 25), np.uint8)), (0, 0), 8)
    weight = np.asarray(mask, dtype=np.float32)[:, :, None] / 255
    frame = np.asarray(sharp, np.float32) * weight + np.asarray(blurred, np.float32) * (1 - weight)
    frame = frame * random.uniform(0.92, 1.06) + random.normal(0, 2.0, frame.shape)
    return np.clip(frame, 0, 255).astype(np.uint8)


def jpeg(pixels: Pixels, quality: int = _JPEG_QUALITY) -> bytes:
    """(H, W, 3) uint8 RGB as JPEG bytes."""
    _, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(np.asarray(data).tobytes())


def _warped(pixels: Pixels, matrix: NDArray[np.float64], size: tuple[int, int]) -> Pixels:
    scale = float(matrix[0, 0])
    if scale < 1:
        # Averaging first keeps the fine patterns of a large portrait from turning into moire.
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale), dtype=np.uint8)
    warped = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)

"""Small pictures made on the spot, for tests in which no face is needed."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def flat_jpeg(width: int = 640, height: int = 480, *, seed: int = 1) -> bytes:
    """A JPEG of faint noise: an image, and no face."""
    pixels = np.random.default_rng(seed).integers(110, 140, (height, width, 3), dtype=np.uint8)
    return _encoded(pixels, "JPEG")


def flat_png(width: int = 64, height: int = 64) -> bytes:
    """A plain grey PNG."""
    return _encoded(np.full((height, width, 3), 128, np.uint8), "PNG")


def _encoded(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def darkened(picture: bytes, factor: float) -> bytes:
    """The same picture with its brightness multiplied by ``factor``."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=np.float32) * factor
    return _encoded(pixels.astype(np.uint8), "JPEG")

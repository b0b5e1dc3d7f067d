"""What the likeness of two pictures guarantees."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ipse.biometrics.images import ImageError
from ipse.sandbox.pictures import likeness
from tests.services.pictures import flat_jpeg, flat_png


def gradient(quality: int, *, turned: bool = False) -> bytes:
    ramp = np.add.outer(np.arange(120), np.arange(160) * 1.5) % 256
    pixels = np.repeat(ramp[:, :, None], 3, axis=2).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, ::-1] if turned else pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_the_same_picture_is_like_itself_and_stays_so_when_saved_again() -> None:
    assert likeness(gradient(95), gradient(95)) == 100.0
    assert likeness(gradient(95), gradient(60)) >= 70.0


def test_different_pictures_are_not_alike() -> None:
    assert likeness(gradient(95), gradient(95, turned=True)) <= 30.0
    assert likeness(flat_png(), flat_jpeg(seed=3)) < 100.0


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ImageError):
        likeness(flat_png(), b"no picture")

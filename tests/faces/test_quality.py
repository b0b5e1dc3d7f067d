"""Every way to spoil a capture lowers its own component and tells the person what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import pytest

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import Image, Pixels, decode
from ipse.biometrics.quality import Quality
from ipse.samples.scenes import selfie_pixels

pytestmark = pytest.mark.models

Spoil = Callable[[Pixels], Pixels]


def _darkened(factor: float) -> Spoil:
    def darken(pixels: Pixels) -> Pixels:
        return np.asarray(np.clip(pixels.astype(np.float32) * factor, 0, 255), dtype=np.uint8)

    return darken


def _overexposed(pixels: Pixels) -> Pixels:
    return np.asarray(np.clip(pixels.astype(np.float32) * 1.6 + 120, 0, 255), dtype=np.uint8)


def _blurred(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 9), dtype=np.uint8)


def _far(pixels: Pixels) -> Pixels:
    """The same scene from far away: a face of 30 pixels in a grey room."""
    small = np.asarray(cv2.resize(pixels, (150, 84), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    room = np.full((480, 640, 3), 110, np.uint8)
    room[200:284, 250:400] = small
    return room


def _close(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[130:560, 400:880])


def _masked(pixels: Pixels) -> Pixels:
    covered = pixels.copy()
    cv2.ellipse(covered, (640, 405), (118, 92), 0, 0, 360, (70, 130, 215), -1)
    return covered


def _measured(engine: FaceEngine, pixels: Pixels) -> Quality:
    image = Image(pixels=pixels, format="png", width=pixels.shape[1], height=pixels.shape[0])
    return engine.quality(engine.scan(image))


@pytest.fixture(scope="module")
def clean(portraits: Mapping[str, bytes]) -> Pixels:
    return selfie_pixels("obama_1", portraits["obama_1"])


@pytest.mark.parametrize(
    ("spoil", "component", "hint"),
    [
        (_darkened(0.12), "luminance", "too_dark"),
        (_overexposed, "luminance", "too_bright"),
        (_blurred, "sharpness", "blurry"),
        (_far, "face_size", "face_too_small"),
        (_masked, "occlusion", "face_covered"),
    ],
)
def test_a_spoiled_capture_is_refused_with_its_hint(
    face_engine: FaceEngine, clean: Pixels, spoil: Spoil, component: str, hint: str
) -> None:
    before, after = _measured(face_engine, clean), _measured(face_engine, spoil(clean))
    assert hint not in before.hints
    assert hint in after.hints
    assert after.components[component] < 50 <= before.components[component]
    assert after.overall < before.overall
    assert before.acceptable
    assert not after.acceptable


def test_a_face_too_close_is_told_to_step_back(face_engine: FaceEngine, clean: Pixels) -> None:
    assert "face_too_close" in _measured(face_engine, _close(clean)).hints


def test_darker_is_never_called_brighter(face_engine: FaceEngine, clean: Pixels) -> None:
    values = [_measured(face_engine, _darkened(factor)(clean)).luminance for factor in (1.0, 0.7, 0.4, 0.2)]
    assert values == sorted(values, reverse=True)


def test_every_number_is_between_0_and_100(face_engine: FaceEngine, clean: Pixels) -> None:
    for spoil in (_darkened(1.0), _overexposed, _blurred, _far, _close, _masked):
        quality = _measured(face_engine, spoil(clean))
        assert all(0 <= value <= 100 for value in (quality.overall, quality.luminance, *quality.components.values()))


@pytest.mark.parametrize("name", ["obama_partial_1", "obama_partial_2"])
def test_a_face_cut_by_the_edge_is_not_complete(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], name: str
) -> None:
    quality = face_engine.quality(face_engine.scan(decode(portraits[name])))
    assert "face_covered" in quality.hints
    assert not quality.acceptable

"""Colours that are safe to look at, and skin that answers them: drawn on an ellipsoid and on a sheet."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log2

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ipse.biometrics.faces import Face, FaceScan
from ipse.biometrics.images import Image, Pixels, decode
from ipse.biometrics.screen_colours import (
    PALETTE,
    SHORTEST_MS,
    differ,
    entropy_bits,
    linear_light,
    relative_luminance,
)
from ipse.biometrics.screen_response import ColourShown, ResponseEvidence, draw_colours, judge_response
from ipse.biometrics.timed import TimedScan
from ipse.samples.scenes import jpeg

Light = NDArray[np.float64]

WIDTH, HEIGHT, EYES = 360, 270, 60.0
MIDDLE = np.array([180.0, 110.0])
LANDMARKS = np.array([[-0.5, 0], [0.5, 0], [0, 0.6], [-0.4, 1.1], [0.4, 1.1]])
COLOURS = draw_colours(random.Random(11))
OTHERS = draw_colours(random.Random(12))


def _shown(colours: Sequence[tuple[int, int, int]] = COLOURS, ms: int = 400) -> list[ColourShown]:
    return [ColourShown(rgb, 500.0 + at * ms, 500.0 + (at + 1) * ms) for at, rgb in enumerate(colours)]


def _geometry() -> tuple[Light, Light]:
    """(H, W) whether there is a head, and the cosine between its surface and the camera."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    x, y = (columns - MIDDLE[0]) / EYES / 1.4, ((rows - MIDDLE[1]) / EYES - 0.4) / 2.0
    square = x**2 + y**2
    return np.asarray(square < 1, dtype=np.float64), np.sqrt(np.clip(1 - square, 0, 1))


INSIDE, COSINE = _geometry()
PORES = cv2.GaussianBlur(np.random.default_rng(8).normal(0, 0.8, (HEIGHT, WIDTH, 1)), (0, 0), 2.0)
ALBEDO = np.where(INSIDE[:, :, None] > 0, [0.42, 0.26, 0.2], [0.2, 0.22, 0.25]) * (1 + np.asarray(PORES)[:, :, None])


def head(light: Light) -> Light:
    """Light (H, W, 3) from a head before a wall."""
    return ALBEDO * (1 + light * (0.06 + 0.94 * INSIDE * COSINE)[:, :, None])


def sheet(light: Light) -> Light:
    """A print of the head before the same wall."""
    return ALBEDO * (1 + light * np.where(INSIDE > 0, 1.0, 0.06)[:, :, None])


def overlay(light: Light) -> Light:
    """A program that tints the whole video."""
    return ALBEDO * (1 + light)


def display(light: Light) -> Light:
    """A display: its own light, and a faint mirror image of the screen on the glass over it."""
    return ALBEDO * 1.05 + 0.15 * light * np.where(INSIDE > 0, 1.0, 0.06)[:, :, None]


def nothing(light: Light) -> Light:
    """A video that was made elsewhere."""
    return ALBEDO + 0 * light


def _recorded(
    surface: Callable[[Light], Light],
    colours: Sequence[ColourShown],
    *,
    strength: float = 0.08,
    lag_ms: float = 90.0,
    per_second: float = 8.0,
    exposure: float = 1.0,
    drift: float = 0.03,
) -> list[TimedScan]:
    noise = np.random.default_rng(4)
    scans = []
    for at in np.arange(450.0, colours[-1].end_ms + 100, 1000 / per_second):
        lit = next((c for c in colours if c.start_ms <= at - lag_ms < c.end_ms), None)
        light = strength * (linear_light(lit.rgb) if lit else np.ones(3))
        slow = 1 + drift * np.array([np.sin(at / 900), np.cos(at / 1100), np.sin(at / 1300 + 1)])
        linear = np.clip(surface(light) * slow * exposure, 0, 1)
        coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
        shift = np.array([4 * np.sin(at / 700), 2 * np.cos(at / 900)])
        moved = cv2.warpAffine(coded, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (WIDTH, HEIGHT), borderMode=1)
        pixels = np.clip(np.rint(moved + noise.normal(0, 1.5, moved.shape)), 0, 255).astype(np.uint8)
        tremble = noise.normal(0, 0.5, (5, 2))
        scans.append(_scan(at, decode(jpeg(pixels, 70)).pixels, MIDDLE + shift + LANDMARKS * EYES + tremble))
    return scans


def _scan(at_ms: float, pixels: Pixels, landmarks: NDArray[np.float64]) -> TimedScan:
    x, y = landmarks.mean(axis=0)
    box = (int(x - 1.2 * EYES), int(y - 1.6 * EYES), int(x + 1.2 * EYES), int(y + 1.5 * EYES))
    face = Face(bbox=box, confidence=0.95, landmarks=landmarks.astype(np.float32))
    return TimedScan(float(at_ms), FaceScan((face,), 0, Image(pixels, "jpeg", WIDTH, HEIGHT)))


def _judged(surface: Callable[[Light], Light], **recorded: float) -> ResponseEvidence:
    return judge_response(_recorded(surface, _shown(), **recorded), _shown())


def test_every_colour_is_equally_bright() -> None:
    luminance = [relative_luminance(colour) for colour in PALETTE]
    assert max(luminance) - min(luminance) < 0.01, "WCAG counts a change of 0.1 as half a flash"


def test_no_colour_is_a_saturated_red() -> None:
    for colour in PALETTE:
        light = linear_light(colour)
        assert light[0] / light.sum() < 0.8, "WCAG 2.2, definition of the red flash"


def test_at_most_three_changes_a_second() -> None:
    assert 1000 / SHORTEST_MS <= 3
    with pytest.raises(ValueError, match="more than three changes"):
        draw_colours(random.Random(1), ms=333)
    with pytest.raises(ValueError, match="too few"):
        draw_colours(random.Random(1), count=4)


def test_colours_that_follow_one_another_differ_clearly() -> None:
    for seed in range(200):
        assert all(a != b and differ(a, b) for a, b in pairwise(draw_colours(random.Random(seed))))


def test_a_sequence_cannot_be_guessed() -> None:
    assert entropy_bits() == pytest.approx(log2(6 * 5**6))
    drawn = {draw_colours(random.Random(seed)) for seed in range(2000)}
    assert len(drawn) > 1950
    assert {colours[0] for colours in drawn} == set(PALETTE)


@pytest.mark.parametrize("strength", [0.06, 0.08, 0.12])
def test_a_head_in_front_of_the_screen_passes(strength: float) -> None:
    evidence = _judged(head, strength=strength)
    assert evidence.passed, evidence
    assert evidence.reasons == ()
    assert evidence.correlation > 0.85
    assert evidence.margin > 0.05
    assert evidence.face_to_background is not None
    assert evidence.face_to_background > 3
    assert evidence.relief is not None
    assert evidence.relief > 0.2


@pytest.mark.parametrize("lag_ms", [0.0, 150.0, 300.0])
def test_slow_screens_and_cameras_are_allowed_for(lag_ms: float) -> None:
    evidence = _judged(head, lag_ms=lag_ms, per_second=12.0)
    assert evidence.passed, evidence
    assert abs(evidence.lag_ms - lag_ms) <= 75


def test_a_video_of_other_colours_fails() -> None:
    evidence = judge_response(_recorded(head, _shown(OTHERS)), _shown())
    assert evidence.reasons == ("other_colours",)


def test_a_video_without_the_screens_light_fails() -> None:
    assert _judged(nothing).reasons == ("no_response",)


def test_a_display_that_only_mirrors_the_light_fails() -> None:
    evidence = _judged(display)
    assert not evidence.passed
    assert evidence.parts["veil"] > 0.5


def test_a_tint_over_the_whole_picture_fails() -> None:
    assert _judged(overlay).reasons == ("uniform_response",)


def test_a_sheet_of_paper_is_flat() -> None:
    evidence = _judged(sheet)
    assert evidence.reasons == ("flat",)
    assert evidence.relief == pytest.approx(0, abs=0.15)


def test_too_few_frames_are_no_verdict() -> None:
    assert _judged(head, per_second=3.0).reasons == ("too_few_frames",)
    scans = [TimedScan(scan.at_ms, FaceScan((), 0, scan.scan.image)) for scan in _recorded(head, _shown())]
    assert judge_response(scans, _shown()).reasons == ("too_few_frames",)


def test_an_overexposed_face_is_told_to_find_less_light() -> None:
    evidence = _judged(head, exposure=6.0)
    assert not evidence.passed
    assert "too_bright_surroundings" in evidence.reasons


@pytest.mark.parametrize("strength", [0.02, 0.04])
def test_light_too_weak_to_see_the_relief_by_is_no_accusation(strength: float) -> None:
    evidence = _judged(head, strength=strength)
    assert not {"flat", "uniform_response", "other_colours"} & set(evidence.reasons)


def test_the_order_of_the_frames_does_not_matter() -> None:
    scans = _recorded(head, _shown())
    assert judge_response(scans[::-1], _shown()) == judge_response(scans, _shown())


def test_without_colours_nothing_is_judged() -> None:
    with pytest.raises(ValueError, match="no colour"):
        judge_response([], [])

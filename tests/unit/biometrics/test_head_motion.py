"""The judgement of head motion on given movements of the nose, and the drawing of prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import cv2
import numpy as np
import pytest

from ipse.biometrics.faces import Face, FaceScan, Landmarks
from ipse.biometrics.head_motion import (
    Direction,
    MotionEvidence,
    Movement,
    draw_movements,
    judge_motion,
    judge_parallax,
)
from ipse.biometrics.head_parallax import Parallax, Rest
from ipse.biometrics.images import Image, Pixels
from ipse.biometrics.timed import TimedScan

LEFT, RIGHT, UP, DOWN = Direction.LEFT, Direction.RIGHT, Direction.UP, Direction.DOWN
TOWARDS = {LEFT: (1, 0), RIGHT: (-1, 0), UP: (0, -1), DOWN: (0, 1)}
LENGTH_MS = 1500
STEP_MS = 125


def _prompts(*directions: Direction, length: float = LENGTH_MS) -> list[Movement]:
    return [Movement(d, 1000 + i * length, 1000 + (i + 1) * length) for i, d in enumerate(directions)]


def _performance(
    prompts: Sequence[Movement], *, offset: float = 0.05, latency: float = 400, moved: float = 0.4
) -> list[Parallax]:
    """A nose that goes where it is asked, ``latency`` after the prompt, and stays there until the next."""
    random = np.random.default_rng(0)
    frames = []
    for at in np.arange(prompts[0].start_ms, prompts[-1].end_ms, STEP_MS):
        asked = [p for p in prompts if at >= p.start_ms + latency]
        x, y = TOWARDS[asked[-1].direction] if asked else (0, 0)
        noise = random.normal(0, 0.002, 2)
        frames.append(Parallax(float(at), x * offset + noise[0], y * offset + noise[1], 0.01, moved, 0.05))
    return frames


def _judged(frames: Sequence[Parallax], prompts: Sequence[Movement]) -> MotionEvidence:
    return judge_parallax([Parallax(900, 0, 0, 0.001, 0, 0)], frames, prompts)


@pytest.mark.parametrize("directions", [(LEFT, UP, RIGHT), (DOWN, LEFT, UP), (RIGHT, LEFT, DOWN)])
def test_a_head_that_follows_passes(directions: tuple[Direction, ...]) -> None:
    prompts = _prompts(*directions)
    evidence = _judged(_performance(prompts), prompts)
    assert evidence.passed
    assert evidence.reasons == ()
    assert evidence.followed > 0.7
    assert evidence.order_margin > 0.7
    assert evidence.relief == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("latency", [200, 600, 1200, 1800])
def test_nobody_has_to_be_quick(latency: float) -> None:
    prompts = _prompts(LEFT, DOWN, RIGHT, length=3000)
    assert _judged(_performance(prompts, latency=latency), prompts).passed


def test_a_small_movement_is_enough() -> None:
    prompts = _prompts(LEFT, DOWN, RIGHT)
    assert _judged(_performance(prompts, offset=0.022), prompts).passed


@pytest.mark.parametrize("asked", [(UP, LEFT, RIGHT), (LEFT, RIGHT, UP), (RIGHT, UP, LEFT), (LEFT, UP, DOWN)])
def test_another_sequence_fails(asked: tuple[Direction, ...]) -> None:
    performed = _performance(_prompts(LEFT, UP, RIGHT))
    evidence = _judged(performed, _prompts(*asked))
    assert not evidence.passed
    assert "wrong_order" in evidence.reasons
    assert evidence.order_margin < 0.2


def test_every_other_sequence_of_three_fails() -> None:
    performed = _performance(_prompts(DOWN, LEFT, UP))
    drawn = {draw_movements(Random(i)) for i in range(600)}
    passing = [sequence for sequence in drawn if _judged(performed, _prompts(*sequence)).passed]
    assert passing == [(DOWN, LEFT, UP)]


def test_what_moves_without_parallax_is_flat() -> None:
    prompts = _prompts(LEFT, UP, RIGHT)
    evidence = _judged(_performance(prompts, offset=0.004), prompts)
    assert not evidence.passed
    assert evidence.reasons == ("flat",)
    assert evidence.relief < 0.01


def test_who_does_not_move_is_told_apart_from_an_attack() -> None:
    prompts = _prompts(LEFT, UP, RIGHT)
    assert _judged(_performance(prompts, offset=0.0, moved=0.05), prompts).reasons == ("not_followed",)


def test_one_prompt_left_out_fails() -> None:
    prompts = _prompts(LEFT, UP, RIGHT)
    frames = [
        f if f.at_ms < prompts[2].start_ms else Parallax(f.at_ms, 0, 0, 0.01, 0.4, 0.05) for f in _performance(prompts)
    ]
    assert not _judged(frames, prompts).passed


def test_an_answer_before_its_prompt_fails() -> None:
    prompts = _prompts(LEFT, UP, RIGHT)
    early = _performance([Movement(p.direction, p.start_ms - 500, p.end_ms - 500) for p in prompts], latency=0)
    late_enough = [f for f in early if f.at_ms >= 700] + [Parallax(5400, -0.05, 0, 0.01, 0.4, 0.05)]
    assert not _judged(late_enough, prompts).passed


def test_a_cut_between_two_frames_is_seen() -> None:
    prompts = _prompts(LEFT, UP, RIGHT)
    frames = _performance(prompts)
    cut = frames[20]
    frames[20] = Parallax(cut.at_ms, cut.x, cut.y, cut.misfit, cut.moved + 3, cut.stretched)
    assert "jumped" in _judged(frames, prompts).reasons


def test_too_few_frames_are_not_judged() -> None:
    prompts = _prompts(LEFT, UP, RIGHT)
    assert _judged(_performance(prompts)[:20], prompts).reasons == ("too_few_frames",)


def test_frames_without_a_face_are_not_judged() -> None:
    blank = Image(np.zeros((90, 90, 3), np.uint8), "png", 90, 90)
    scans = [TimedScan(at, FaceScan((), 0, blank)) for at in range(0, 6000, 100)]
    assert judge_motion(scans[:5], scans[10:], _prompts(LEFT, UP)).reasons == ("too_few_frames",)


def test_a_tiny_face_is_too_small() -> None:
    scan = _scan(np.zeros((90, 90, 3), np.uint8), _landmarks(20, (45, 45)))
    assert judge_motion([scan], [scan], _prompts(LEFT, UP)).reasons == ("too_small",)


def test_without_prompts_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match="nothing to follow"):
        judge_motion([], [], [])


def test_no_direction_comes_twice_in_a_row_and_both_axes_are_used() -> None:
    for seed in range(300):
        drawn = draw_movements(Random(seed))
        assert len(drawn) == 3
        assert drawn[0] != drawn[1] != drawn[2]
        assert {d in (LEFT, RIGHT) for d in drawn} == {True, False}


def test_a_guess_is_right_at_most_once_in_24() -> None:
    random = Random(1)
    counts = Counter(draw_movements(random) for _ in range(32_000))
    assert len(counts) == 32
    assert max(counts.values()) / 32_000 < 1 / 24


def test_a_challenge_of_one_movement_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        draw_movements(Random(0), 1)


# A textured plane stands in for skin: what the measurement of flow owes to geometry needs no face.


def _landmarks(eyes: float, centre: tuple[float, float]) -> Landmarks:
    shape = np.array([[-0.5, 0], [0.5, 0], [0, 0.58], [-0.42, 1.08], [0.42, 1.08]])
    return np.asarray(shape * eyes + np.array(centre), dtype=np.float32)


def _scan(pixels: Pixels, landmarks: Landmarks) -> TimedScan:
    face = Face((0, 0, pixels.shape[1], pixels.shape[0]), 0.95, landmarks)
    return TimedScan(0, FaceScan((face,), 0, Image(pixels, "png", pixels.shape[1], pixels.shape[0])))


def _texture() -> Pixels:
    rough = np.random.default_rng(5).uniform(0, 255, (60, 80, 3)).astype(np.float32)
    smooth = cv2.resize(rough, (480, 360), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(cv2.GaussianBlur(smooth, (0, 0), 1.5), 0, 255), dtype=np.uint8)


def _parallax(landmarks: Landmarks, warp: Callable[[Pixels], tuple[Pixels, Landmarks]]) -> Parallax:
    rest = _scan(_texture(), landmarks)
    face = rest.scan.primary
    assert face is not None
    pixels, moved = warp(_texture())
    later = _scan(pixels, moved)
    later_face = later.scan.primary
    assert later_face is not None
    return Rest.of(rest, face).parallax(later, later_face)


@pytest.mark.parametrize("tilt", [(0.0004, 0.0), (-0.0004, 0.0), (0.0, 0.0005)])
def test_a_plane_in_perspective_has_no_parallax(tilt: tuple[float, float]) -> None:
    landmarks = _landmarks(80, (240, 130))
    matrix = np.array([[0.95, 0.05, 10], [-0.04, 0.97, 12], [*tilt, 1.0]])

    def warp(pixels: Pixels) -> tuple[Pixels, Landmarks]:
        points = cv2.perspectiveTransform(landmarks[None], matrix)[0]
        return np.asarray(cv2.warpPerspective(pixels, matrix, (480, 360)), np.uint8), points

    measured = _parallax(landmarks, warp)
    assert np.hypot(measured.x, measured.y) < 0.006


@pytest.mark.parametrize("shift", [(0.08, 0.0), (-0.08, 0.0), (0.0, -0.08), (0.0, 0.08)])
def test_a_nose_that_moves_is_measured_in_its_direction(shift: tuple[float, float]) -> None:
    landmarks = _landmarks(80, (240, 130))

    def warp(pixels: Pixels) -> tuple[Pixels, Landmarks]:
        rows, columns = np.mgrid[0:360, 0:480].astype(np.float32)
        bump = np.exp(-(((columns - 240) / 18) ** 2) - (((rows - 165) / 26) ** 2)).astype(np.float32)
        moved = cv2.remap(pixels, columns - bump * shift[0] * 80, rows - bump * shift[1] * 80, cv2.INTER_LINEAR)
        return np.asarray(moved, np.uint8), landmarks

    measured = _parallax(landmarks, warp)
    along = measured.x * np.sign(shift[0]) + measured.y * np.sign(shift[1])
    assert along > 0.03
    assert abs(measured.x * np.sign(shift[1])) + abs(measured.y * np.sign(shift[0])) < along / 3

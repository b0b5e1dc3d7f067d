"""The simulated head and photo obey geometry and light. A drawn picture stands in for the portrait."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ipse.biometrics.images import Pixels
from ipse.samples.head import PEOPLE, Head, Light, Pose
from ipse.samples.photo import Photo
from ipse.samples.takes import Script

WHITE = Light(ambient=0.7, screen=(1, 1, 1), strength=0.4)
DARK = Light(ambient=0.7)


@cache
def _portrait() -> bytes:
    """A red dot where the astronaut's nose is, dark dots for the eyes, on a textured grey."""
    grey = np.random.default_rng(3).uniform(90, 160, (64, 64, 1)).repeat(3, axis=2).astype(np.float32)
    picture = cv2.resize(grey, (512, 512), interpolation=cv2.INTER_CUBIC)
    for at, colour in (((220, 125), (0, 0, 255)), ((200, 102), (0, 160, 0)), ((247, 103), (160, 0, 0))):
        cv2.circle(picture, at, 4, colour, -1)
    return cv2.imencode(".png", np.clip(picture, 0, 255).astype(np.uint8))[1].tobytes()


@cache
def _head() -> Head:
    return Head.of("astronaut", _portrait())


@cache
def _photo(*, screen: bool = False) -> Photo:
    return Photo.of("astronaut", _portrait(), screen=screen)


def _dot(frame: Pixels, channel: int) -> NDArray[np.float64]:
    """Middle (x, y) of the dot of that colour."""
    others = [c for c in range(3) if c != channel]
    purity = frame[:, :, channel].astype(np.float32) - frame[:, :, others].max(axis=2)
    rows, columns = np.nonzero(purity > 60)
    assert rows.size
    return np.asarray([columns.mean(), rows.mean()])


def _nose(frame: Pixels) -> NDArray[np.float64]:
    """Where the nose is against the middle of the eyes."""
    return _dot(frame, 0) - (_dot(frame, 1) + _dot(frame, 2)) / 2


def test_the_same_seed_gives_the_same_frame() -> None:
    first = _head().frame(Pose(yaw=5), seed=4)
    assert first.shape == (480, 640, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, _head().frame(Pose(yaw=5), seed=4))
    assert not np.array_equal(first, _head().frame(Pose(yaw=5), seed=5))


def test_at_rest_the_eyes_are_level_and_as_far_apart_as_said() -> None:
    frame = _head().frame()
    apart = _dot(frame, 2) - _dot(frame, 1)
    assert apart[0] == pytest.approx(_head().eyes, rel=0.03)
    assert abs(apart[1]) < 2


@pytest.mark.parametrize(
    ("pose", "axis", "sign"),
    [(Pose(yaw=20), 0, 1), (Pose(yaw=-20), 0, -1), (Pose(pitch=15), 1, -1), (Pose(pitch=-15), 1, 1)],
)
def test_the_nose_of_a_head_goes_where_it_turns(pose: Pose, axis: int, sign: int) -> None:
    moved = _nose(_head().frame(pose)) - _nose(_head().frame())
    assert moved[axis] * sign > 0.06 * _head().eyes


@pytest.mark.parametrize("bend", [0.0, 60.0, -60.0])
def test_the_nose_of_a_photo_does_not(bend: float) -> None:
    for yaw in (-20, 20):
        moved = _nose(_photo().frame(Pose(yaw=yaw), bend=bend)) - _nose(_photo().frame())
        assert abs(moved[0]) < 0.055 * _photo().eyes


def test_closer_is_larger_and_a_shift_is_a_share_of_the_frame() -> None:
    near = _head().frame(Pose(scale=1.3))
    apart = _dot(near, 2)[0] - _dot(near, 1)[0]
    assert apart == pytest.approx(1.3 * _head().eyes, rel=0.05)
    shifted = _dot(_head().frame(Pose(x=0.1)), 0) - _dot(_head().frame(), 0)
    assert shifted[0] == pytest.approx(64, abs=6)


def test_the_background_stays_while_the_head_moves() -> None:
    corner = np.s_[:60, :60]
    assert np.array_equal(_head().frame(Pose(yaw=20))[corner], _head().frame(Pose(pitch=-10))[corner])


def test_the_light_of_the_screen_falls_off_behind_the_person() -> None:
    gain = _head().frame(light=WHITE).astype(float) / np.maximum(_head().frame(light=DARK), 1)
    assert gain[230:290, 290:350].mean() > 1.15
    assert gain[:40, :40].mean() < 1.06


def test_the_light_has_relief_on_a_head_and_none_on_paper() -> None:
    def spread(subject: Head | Photo) -> float:
        lit, dark = (subject.frame(light=light)[150:330, 240:400].astype(np.float32) for light in (WHITE, DARK))
        gain = (lit / np.maximum(dark, 1))[dark.min(axis=2) > 60]  # not where the drawn dots have no light to return
        return float(gain.std())

    assert spread(_head()) > 2 * spread(_photo())


def test_a_display_returns_little_of_the_screens_light() -> None:
    def gain(photo: Photo) -> float:
        lit, dark = (photo.frame(light=light)[200:300, 260:380].mean() for light in (WHITE, DARK))
        return float(lit / dark)

    assert gain(_photo(screen=True)) < 1.05 < 1.15 < gain(_photo())


def test_a_colour_of_the_screen_colours_the_skin() -> None:
    red = _head().frame(light=Light(screen=(1, 0, 0), strength=0.3))[230:290, 290:350].mean(axis=(0, 1))
    plain = _head().frame()[230:290, 290:350].mean(axis=(0, 1))
    assert red[0] > plain[0] + 8
    assert abs(red[1] - plain[1]) < 2


def test_a_sheet_bends_only_so_far() -> None:
    with pytest.raises(ValueError, match="bent by at most"):
        _photo().frame(bend=170)


def test_partial_portraits_have_no_head() -> None:
    assert "obama_partial_1" not in PEOPLE
    with pytest.raises(KeyError):
        Head.of("obama_partial_1", _portrait())


def test_an_actor_answers_after_the_prompt_and_in_its_direction() -> None:
    script = Script.drawn(["left", "up", "right"], np.random.default_rng(0))
    left, up, right = script.answers
    assert abs(script.pose(left.start_ms + 100).yaw) < 4
    assert script.pose(left.start_ms + left.latency_ms + left.rise_ms).yaw > 10
    assert script.pose(up.start_ms + up.latency_ms + up.rise_ms).pitch > 6
    assert script.pose(right.start_ms + right.latency_ms + right.rise_ms).yaw < -10

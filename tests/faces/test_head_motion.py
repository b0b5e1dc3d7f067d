"""People who follow the prompts pass, photos and recordings do not: rendered takes through the real face detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import numpy as np
import pytest

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.head_motion import Direction, MotionEvidence, Movement, draw_movements, judge_motion
from ipse.biometrics.images import decode
from ipse.biometrics.timed import TimedScan
from ipse.samples import takes
from ipse.samples.head import PEOPLE, Head, Pose
from ipse.samples.photo import Photo
from ipse.samples.scenes import jpeg

pytestmark = pytest.mark.models

WIDTH, HEIGHT = 480, 360
FPS = 5.0
Play = Callable[[Mapping[str, bytes], str, takes.Script], takes.Frames]


def _script(seed: int, *, slow: bool = False) -> takes.Script:
    drawn = draw_movements(Random(seed))
    return takes.Script.drawn([direction.value for direction in drawn], np.random.default_rng(seed), slow=slow)


def _scanned(engine: FaceEngine, frames: takes.Frames) -> list[TimedScan]:
    return [TimedScan(at, engine.scan(decode(jpeg(frame, 75)))) for at, frame in frames]


def _judged(scans: list[TimedScan], script: takes.Script, asked: tuple[Direction, ...] | None = None) -> MotionEvidence:
    directions = asked or tuple(Direction(answer.direction) for answer in script.answers)
    prompts = zip(script.answers, directions, strict=True)
    movements = [Movement(direction, answer.start_ms, answer.end_ms) for answer, direction in prompts]
    first = movements[0].start_ms
    return judge_motion([s for s in scans if s.at_ms < first], [s for s in scans if s.at_ms >= first], movements)


def _person(portraits: Mapping[str, bytes], name: str, script: takes.Script) -> takes.Frames:
    return takes.person(Head.of(name, portraits[name], width=WIDTH, height=HEIGHT), script, fps=FPS, seed=1)


def _moved_print(portraits: Mapping[str, bytes], name: str, script: takes.Script) -> takes.Frames:
    return takes.moved_photo(Photo.of(name, portraits[name], width=WIDTH, height=HEIGHT), script, fps=FPS, seed=1)


def _bent_print(portraits: Mapping[str, bytes], name: str, script: takes.Script) -> takes.Frames:
    return takes.bent_photo(Photo.of(name, portraits[name], width=WIDTH, height=HEIGHT), script, fps=FPS, seed=1)


def _moved_display(portraits: Mapping[str, bytes], name: str, script: takes.Script) -> takes.Frames:
    return takes.moved_photo(
        Photo.of(name, portraits[name], screen=True, width=WIDTH, height=HEIGHT), script, fps=FPS, seed=1
    )


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_who_follows_passes_and_no_other_prompts_would_have(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], name: str
) -> None:
    script = _script(PEOPLE.index(name))
    scans = _scanned(face_engine, _person(portraits, name, script))
    asked = tuple(Direction(answer.direction) for answer in script.answers)
    assert _judged(scans, script).reasons == ()
    for others in {draw_movements(Random(i)) for i in range(8)} - {asked}:
        assert not _judged(scans, script, others).passed


def test_a_person_who_moves_late_slowly_and_little_passes(
    face_engine: FaceEngine, portraits: Mapping[str, bytes]
) -> None:
    script = _script(3, slow=True)
    scans = _scanned(face_engine, _person(portraits, "biden_1", script))
    assert _judged(scans, script).passed


@pytest.mark.parametrize("name", ["obama_1", "astronaut"])
@pytest.mark.parametrize("play", [_moved_print, _bent_print, _moved_display])
def test_a_photo_that_is_moved_or_bent_by_hand_fails(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], name: str, play: Play
) -> None:
    script = _script(PEOPLE.index(name))
    evidence = _judged(_scanned(face_engine, play(portraits, name, script)), script)
    assert not evidence.passed
    assert evidence.relief < 0.01


def test_a_picture_that_does_not_move_fails_as_somebody_who_did_not_follow(
    face_engine: FaceEngine, portraits: Mapping[str, bytes]
) -> None:
    script = _script(1)
    photo = Photo.of("biden_1", portraits["biden_1"], width=WIDTH, height=HEIGHT)
    scans = _scanned(face_engine, takes.still(photo, script, fps=FPS))
    assert _judged(scans, script).reasons == ("not_followed",)


def test_a_recording_of_another_sequence_fails_on_a_display(
    face_engine: FaceEngine, portraits: Mapping[str, bytes]
) -> None:
    script = _script(4)
    display = Photo.of("biden_1", portraits["biden_1"], screen=True, width=WIDTH, height=HEIGHT)
    head = Head.of("biden_1", portraits["biden_1"], width=WIDTH, height=HEIGHT)
    scans = _scanned(face_engine, takes.replayed(display, head, script, fps=FPS))
    asked = next(d for i in range(99) if (d := draw_movements(Random(i)))[0].value != script.answers[0].direction)
    assert "wrong_order" in _judged(scans, script, asked).reasons


@pytest.mark.parametrize(
    ("pose", "direction"),
    [({"yaw": 18}, "left"), ({"yaw": -18}, "right"), ({"pitch": 14}, "up"), ({"pitch": -14}, "down")],
)
def test_directions_are_the_persons_own(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], pose: dict[str, float], direction: str
) -> None:
    head = Head.of("biden_1", portraits["biden_1"], width=WIDTH, height=HEIGHT)
    rest = _scanned(face_engine, iter([(0.0, head.frame(seed=1)), (200.0, head.frame(seed=2))]))
    turned = _scanned(face_engine, iter([(1000.0 + 200 * i, head.frame(Pose(**pose), seed=i)) for i in range(6)]))
    assert judge_motion(rest, turned, [Movement(Direction(direction), 600, 2200)]).passed

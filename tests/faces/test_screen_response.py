"""The colour challenge on simulated captures, with the real detector: people pass, attacks do not."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import pytest

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import Pixels, decode
from ipse.biometrics.screen_response import ColourShown, ResponseEvidence, draw_colours, judge_response
from ipse.biometrics.timed import TimedScan
from ipse.samples.flashing import Recorder, recording, shown, tinted_recording
from ipse.samples.head import PEOPLE, Head, Light, Pose
from ipse.samples.photo import Photo

pytestmark = pytest.mark.models

Render = Callable[[Pose, Light, int | None], Pixels]
Judge = Callable[[list[tuple[float, bytes]], Sequence[ColourShown]], ResponseEvidence]

COLOURS = shown(draw_colours(random.Random(21)))
OTHERS = shown(draw_colours(random.Random(22)))
RECORDER = Recorder(strength=0.1)
SIZE = {"width": 480, "height": 360}


@pytest.fixture
def judge(face_engine: FaceEngine) -> Judge:
    def judged(frames: list[tuple[float, bytes]], colours: Sequence[ColourShown] = COLOURS) -> ResponseEvidence:
        return judge_response([TimedScan(at_ms, face_engine.scan(decode(data))) for at_ms, data in frames], colours)

    return judged


def _person(portraits: Mapping[str, bytes], name: str) -> Render:
    head = Head.of(name, portraits[name], **SIZE)
    return lambda pose, light, seed: head.frame(pose, light, seed=seed)


def _photo(portraits: Mapping[str, bytes], name: str, *, bend: float = 0.0, screen: bool = False) -> Render:
    photo = Photo.of(name, portraits[name], screen=screen, **SIZE)
    return lambda pose, light, seed: photo.frame(pose, light, bend=bend, seed=seed)


@pytest.mark.parametrize("name", PEOPLE)
def test_people_answer_the_colours(portraits: Mapping[str, bytes], judge: Judge, name: str) -> None:
    evidence = judge(recording(_person(portraits, name), COLOURS, RECORDER), COLOURS)
    assert evidence.passed, evidence


def test_a_recording_of_other_colours_does_not_pass(portraits: Mapping[str, bytes], judge: Judge) -> None:
    assert not judge(recording(_person(portraits, "obama_1"), OTHERS, RECORDER), COLOURS).passed


def test_a_video_without_the_screens_light_does_not_pass(portraits: Mapping[str, bytes], judge: Judge) -> None:
    plain = Recorder(strength=0.0)
    assert judge(recording(_person(portraits, "obama_1"), COLOURS, plain), COLOURS).reasons == ("no_response",)


@pytest.mark.parametrize("bend", [0.0, 40.0])
def test_a_print_is_flat(portraits: Mapping[str, bytes], judge: Judge, bend: float) -> None:
    assert judge(recording(_photo(portraits, "obama_1", bend=bend), COLOURS, RECORDER), COLOURS).reasons == ("flat",)


@pytest.mark.parametrize("name", ["obama_1", "biden_1"])
def test_a_display_does_not_pass(portraits: Mapping[str, bytes], judge: Judge, name: str) -> None:
    assert not judge(recording(_photo(portraits, name, screen=True), COLOURS, RECORDER), COLOURS).passed


def test_a_tint_over_an_injected_video_does_not_pass(portraits: Mapping[str, bytes], judge: Judge) -> None:
    tinted = tinted_recording(_person(portraits, "obama_1"), COLOURS, RECORDER)
    assert judge(tinted, COLOURS).reasons == ("uniform_response",)

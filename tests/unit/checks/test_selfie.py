"""What examining a burst guarantees."""

from __future__ import annotations

import pytest

from ipse.biometrics.images import NotAnImage
from ipse.checks.selfie import STAGES, FaceEntity, examine
from tests.services.pictures import flat_png
from tests.unit.checks.selfies import Frames


def picture(width: int) -> bytes:
    return flat_png(width, 64)


def test_the_frame_of_the_best_quality_gives_template_age_and_picture() -> None:
    engine = Frames({64: (60.0, 0.9), 65: (95.0, 0.9), 66: (70.0, 0.9)})
    frames = [picture(64), picture(65), picture(66)]
    selfie = examine(engine.as_engine(), frames)
    assert selfie.best_frame == 1
    assert selfie.image == frames[1]
    assert selfie.content_type == "image/png"
    assert selfie.age == 65.0
    assert selfie.entities[0].age == 65.0
    assert tuple(selfie.durations_ms) == STAGES


def test_a_frame_without_a_face_is_never_chosen_over_one_with_a_face() -> None:
    engine = Frames({65: (1.0, 0.9)})
    selfie = examine(engine.as_engine(), [picture(64), picture(65), picture(66)])
    assert selfie.best_frame == 1
    assert engine.judged[0] == (65,)


def test_without_any_face_nothing_is_computed_and_nothing_is_made_up() -> None:
    selfie = examine(Frames({}).as_engine(), [picture(64)])
    assert not selfie.has_face
    assert selfie.user_image() == {"entities": [], "best_angle": None}
    assert (selfie.quality, selfie.liveness, selfie.template, selfie.age) == (None, None, None, None)
    assert set(selfie.durations_ms) == {"decode", "detect", "quality"}


def test_a_photo_of_somebody_else_inside_a_live_burst_is_judged_by_itself() -> None:
    """Three live frames of the attacker, and one sharp photo of the victim that would be matched."""
    engine = Frames({64: (60.0, 0.95), 65: (60.0, 0.95), 66: (60.0, 0.95), 67: (99.0, 0.05)})
    selfie = examine(engine.as_engine(), [picture(width) for width in (64, 65, 66, 67)])
    assert selfie.best_frame == 3
    assert selfie.liveness is not None
    assert selfie.liveness.attack_suspected
    assert selfie.liveness.score == 5.0
    assert selfie.liveness.parts["chosen_live"] == 0.05


def test_a_single_frame_is_judged_once() -> None:
    engine = Frames({64: (60.0, 0.9)})
    examine(engine.as_engine(), [picture(64)])
    assert engine.judged == [(64,)]


def test_liveness_and_age_are_skipped_when_not_asked_for() -> None:
    engine = Frames({64: (60.0, 0.9)})
    selfie = examine(engine.as_engine(), [picture(64)], liveness=False, age=False)
    assert selfie.liveness is None
    assert selfie.age is None
    assert engine.judged == []
    assert "liveness" not in selfie.durations_ms


def test_rotation_is_passed_on_and_reported() -> None:
    selfie = examine(Frames({64: (60.0, 0.9)}).as_engine(), [picture(64)], rotate=True)
    assert selfie.best_angle == 90


def test_a_frame_that_is_no_picture_is_refused_and_so_is_an_empty_burst() -> None:
    engine = Frames({64: (60.0, 0.9)}).as_engine()
    with pytest.raises(NotAnImage):
        examine(engine, [picture(64), b"plain text, not a picture"])
    with pytest.raises(ValueError, match="at least one frame"):
        examine(engine, [])


def test_a_face_entity_leaves_out_what_is_not_known() -> None:
    assert FaceEntity((1, 2, 3, 4), 0.98765).to_json() == {"bbox": [1, 2, 3, 4], "confidence": 0.9877, "race": None}
    assert FaceEntity((1, 2, 3, 4), 0.5, 31.5).to_json()["age"] == 31.5

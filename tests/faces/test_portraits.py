"""The engine on real faces: the same person is recognised, another is not, whatever way the picture is held."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import PIL.Image
import pytest

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.errors import ModelMismatch, NoFace
from ipse.biometrics.faces import FaceScan
from ipse.biometrics.images import Image, Pixels, decode
from ipse.biometrics.templates import Template
from ipse.samples.portraits import PORTRAITS
from ipse.samples.scenes import selfie, selfie_pixels

pytestmark = pytest.mark.models

WHOLE = [portrait for portrait in PORTRAITS if "partial" not in portrait.name]


def _image(pixels: Pixels) -> Image:
    pixels = np.ascontiguousarray(pixels)
    return Image(pixels=pixels, format="png", width=pixels.shape[1], height=pixels.shape[0])


@pytest.fixture(scope="module")
def scans(face_engine: FaceEngine, portraits: Mapping[str, bytes]) -> dict[str, FaceScan]:
    return {portrait.name: face_engine.scan(decode(portraits[portrait.name])) for portrait in PORTRAITS}


@pytest.fixture(scope="module")
def templates(face_engine: FaceEngine, scans: Mapping[str, FaceScan]) -> dict[str, Template]:
    return {name: face_engine.template(scan) for name, scan in scans.items()}


def test_the_same_person_scores_high_and_another_low(
    face_engine: FaceEngine, templates: Mapping[str, Template]
) -> None:
    for a in PORTRAITS:
        for b in PORTRAITS:
            score = face_engine.score(templates[a.name], templates[b.name])
            if a.name == b.name:
                assert score == 100
            elif a.person == b.person:
                assert score >= 85, (a.name, b.name, score)
            else:
                assert score < 30, (a.name, b.name, score)


def test_the_score_does_not_depend_on_the_order(face_engine: FaceEngine, templates: Mapping[str, Template]) -> None:
    a, b = templates["obama_1"], templates["biden_1"]
    assert face_engine.score(a, b) == face_engine.score(b, a)


def test_the_same_picture_gives_the_same_template_bit_by_bit(
    face_engine: FaceEngine, scans: Mapping[str, FaceScan], templates: Mapping[str, Template]
) -> None:
    assert face_engine.template(scans["obama_1"]).to_bytes() == templates["obama_1"].to_bytes()


def test_templates_of_another_network_are_refused(face_engine: FaceEngine, templates: Mapping[str, Template]) -> None:
    with pytest.raises(ModelMismatch):
        face_engine.similarity(templates["obama_1"], Template(templates["obama_1"].vector, "another"))


@pytest.mark.parametrize("portrait", PORTRAITS, ids=lambda portrait: portrait.name)
def test_faces_are_where_the_sample_list_says(portrait: object, scans: Mapping[str, FaceScan]) -> None:
    listed = next(p for p in PORTRAITS if p is portrait)
    face = scans[listed.name].primary
    assert face is not None
    assert np.abs(np.array(face.bbox) - listed.face).max() <= 0.05 * face.side
    assert face.confidence > 0.85


@pytest.mark.parametrize("portrait", WHOLE, ids=lambda portrait: portrait.name)
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_picture_held_sideways_is_turned_upright(
    face_engine: FaceEngine,
    scans: Mapping[str, FaceScan],
    templates: Mapping[str, Template],
    portrait: object,
    angle: int,
) -> None:
    name = next(p.name for p in PORTRAITS if p is portrait)
    upright = scans[name].image.pixels
    turned = face_engine.scan(_image(np.rot90(upright, angle // 90)), rotate=True)
    assert turned.best_angle == angle
    assert turned.image.pixels.shape == upright.shape
    assert face_engine.score(face_engine.template(turned), templates[name]) >= 99


def test_a_picture_without_a_face_is_said_to_have_none(face_engine: FaceEngine) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    for pixels in (noise, np.zeros((240, 320, 3), np.uint8), np.full((400, 300, 3), 255, np.uint8)):
        scan = face_engine.scan(_image(pixels), rotate=True)
        assert (scan.faces, scan.primary, scan.comparable_faces) == ((), None, 0)
        assert not face_engine.quality(scan).acceptable
        for operation in (face_engine.template, face_engine.age, lambda s: face_engine.liveness([s])):
            with pytest.raises(NoFace):
                operation(scan)


def test_two_people_in_front_of_the_camera_are_noticed(face_engine: FaceEngine, portraits: Mapping[str, bytes]) -> None:
    left, right = (selfie_pixels(name, portraits[name]) for name in ("obama_1", "biden_1"))
    scan = face_engine.scan(_image(np.concatenate([left[:, 320:960], right[:, 320:960]], axis=1)))
    quality = face_engine.quality(scan)
    assert scan.comparable_faces == 2
    assert "several_faces" in quality.hints
    assert not quality.acceptable


def test_a_face_without_any_margin_is_still_found(
    face_engine: FaceEngine, scans: Mapping[str, FaceScan], templates: Mapping[str, Template]
) -> None:
    face = scans["obama_1"].primary
    assert face is not None
    x0, y0, x1, y1 = face.bbox
    tight = face_engine.scan(_image(scans["obama_1"].image.pixels[y0:y1, x0:x1]))
    assert face_engine.score(face_engine.template(tight), templates["obama_1"]) >= 70


@pytest.mark.parametrize("side", [48, 64, 100])
def test_small_portraits_of_documents_still_match(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], templates: Mapping[str, Template], side: int
) -> None:
    pixels = selfie_pixels("obama_1", portraits["obama_1"])
    shrink = side / 255
    small = PIL.Image.fromarray(pixels).resize((round(1280 * shrink), round(720 * shrink)), PIL.Image.Resampling.BOX)
    scan = face_engine.scan(_image(np.asarray(small)))
    assert face_engine.score(face_engine.template(scan), templates["obama_3"]) >= 60


@pytest.mark.parametrize("portrait", WHOLE, ids=lambda portrait: portrait.name)
def test_age_is_within_the_plausible(face_engine: FaceEngine, scans: Mapping[str, FaceScan], portrait: object) -> None:
    name = next(p.name for p in PORTRAITS if p is portrait)
    assert 28 <= face_engine.age(scans[name]) <= 72


@pytest.mark.parametrize("portrait", WHOLE, ids=lambda portrait: portrait.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_composed_captures_are_good_captures_of_the_same_person(
    face_engine: FaceEngine,
    portraits: Mapping[str, bytes],
    templates: Mapping[str, Template],
    portrait: object,
    seed: int,
) -> None:
    name = next(p.name for p in PORTRAITS if p is portrait)
    scan = face_engine.scan(decode(selfie(name, portraits[name], seed=seed)))
    quality = face_engine.quality(scan)
    assert quality.acceptable
    assert quality.hints == ()
    assert quality.overall >= 80
    assert face_engine.score(face_engine.template(scan), templates[name]) >= 95


def test_the_same_seed_composes_the_same_bytes(portraits: Mapping[str, bytes]) -> None:
    data = portraits["astronaut"]
    assert selfie("astronaut", data, seed=4) == selfie("astronaut", data, seed=4)
    assert selfie("astronaut", data, seed=4) != selfie("astronaut", data, seed=5)

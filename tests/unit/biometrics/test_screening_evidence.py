"""A frame around the face is told from lines that merely pass by, and a grid from noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ipse.biometrics.borders import border_evidence
from ipse.biometrics.errors import NoFace
from ipse.biometrics.faces import Face, FaceScan
from ipse.biometrics.images import Image, Pixels
from ipse.biometrics.liveness import Liveness
from ipse.biometrics.moire import moire_peak
from ipse.biometrics.replay_screening import FEATURES, SCREENING_MODEL, ReplayScreening

FACE = Face(bbox=(560, 260, 720, 460), confidence=0.9, landmarks=np.zeros((5, 2), np.float32))


def _room(seed: int = 1) -> Pixels:
    noise = np.random.default_rng(seed).normal(120, 6, (720, 1280, 3))
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), dtype=np.uint8)


def _sheet(turn: float = 0.0) -> Pixels:
    pixels = _room()
    box = cv2.boxPoints(((640.0, 360.0), (420.0, 620.0), turn))
    cv2.fillPoly(pixels, [np.round(box).astype(np.int32)], (225, 225, 220), cv2.LINE_AA)
    return pixels


def _judged(*pictures: Pixels) -> Liveness:
    scans = [FaceScan((FACE,), 0, Image(pixels, "png", 1280, 720)) for pixels in pictures]
    return ReplayScreening().judge(scans)


@pytest.mark.parametrize("turn", [-8.0, 0.0, 5.0])
def test_a_sheet_around_the_face_is_a_frame(turn: float) -> None:
    evidence = border_evidence(_sheet(turn), FACE)
    assert min(evidence.vertical, evidence.horizontal, evidence.corners) > 0.6
    judged = _judged(_sheet(turn))
    assert judged.attack_suspected
    assert judged.attack_type is None


def test_an_empty_wall_has_no_borders() -> None:
    evidence = border_evidence(_room(), FACE)
    assert (evidence.vertical, evidence.horizontal, evidence.corners) == (0, 0, 0)
    assert not _judged(_room()).attack_suspected


def test_door_posts_that_run_through_the_picture_are_no_frame() -> None:
    pixels = _room()
    pixels[:, 380:400] = 210
    pixels[:, 880:900] = 60
    evidence = border_evidence(pixels, FACE)
    assert evidence.vertical > 0.8
    assert evidence.corners == 0
    assert not _judged(pixels).attack_suspected


def test_lines_that_cross_and_go_on_are_no_corners() -> None:
    pixels = _room()
    pixels[:, 380:384] = 210
    pixels[:, 880:884] = 210
    pixels[120:124] = 210
    pixels[640:644] = 210
    assert border_evidence(pixels, FACE).corners < 0.2


def test_the_grid_of_a_display_stands_out_of_the_spectrum() -> None:
    pixels = _room()
    rows, columns = np.mgrid[0:720, 0:1280]
    grid = pixels * (1 + 0.06 * np.sin((columns * 0.8 + rows * 0.6) * 2 * np.pi / 4.6))[:, :, None]
    assert moire_peak(_room(), FACE) < 8
    assert moire_peak(grid.astype(np.uint8), FACE) > 20


def test_moire_is_not_looked_for_where_it_cannot_be_seen() -> None:
    tiny = Face(bbox=(10, 10, 50, 60), confidence=0.9, landmarks=FACE.landmarks)
    at_the_edge = Face(bbox=(1200, 600, 1280, 720), confidence=0.9, landmarks=FACE.landmarks)
    assert moire_peak(_room(), tiny) == 0
    assert moire_peak(_room()[:650, :1220], at_the_edge) == 0


def test_a_burst_is_judged_by_its_middle_and_never_scored() -> None:
    mostly_framed = _judged(_sheet(), _room(1), _sheet(2.0))
    assert mostly_framed.attack_suspected
    assert mostly_framed.score is None
    assert not _judged(_room(1), _sheet(), _room(2)).attack_suspected


def test_no_weight_speaks_for_a_person() -> None:
    assert len(SCREENING_MODEL.weights) == len(FEATURES)
    assert all(weight >= 0 for weight in SCREENING_MODEL.weights)
    assert SCREENING_MODEL.probability(np.zeros(4)) < 0.1
    assert SCREENING_MODEL.probability(np.ones(4)) > 0.9


def test_without_a_face_nothing_is_judged() -> None:
    with pytest.raises(NoFace):
        ReplayScreening().judge([FaceScan((), 0, Image(_room(), "png", 1280, 720))])

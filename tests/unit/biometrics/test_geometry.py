"""Faces are found where the network put them, ranked by who is meant, and aligned to where their landmarks belong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.biometrics.alignment import RECOGNITION_TEMPLATE, aligned_chip, similarity_transform
from ipse.biometrics.detection import Detector
from ipse.biometrics.faces import Face, FaceScan, Landmarks, by_prominence
from ipse.biometrics.images import Image
from ipse.biometrics.runtime import Tensor

NOWHERE: Landmarks = np.zeros((5, 2), np.float32)


class _DrawnOutput:
    """Stands for the detection network: one face at a fixed place of the picture, in every stride's own grid."""

    outputs = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32))

    def __init__(self, boxes: list[tuple[int, int, float, float]], stride: int = 8) -> None:
        self.boxes, self.stride = boxes, stride
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: Tensor) -> list[Tensor]:
        self.shapes.append(batch.shape)
        height, width = batch.shape[2:]
        result: list[Tensor] = []
        for name in self.outputs:
            kind, stride = name.split("_")[0], int(name.split("_")[1])
            depth = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}[kind]
            grid = np.zeros((1, (height // stride) * (width // stride), depth), np.float32)
            for column, row, confidence, size in self.boxes if stride == self.stride else []:
                cell = row * (width // stride) + column
                values = {"cls": confidence, "obj": confidence, "bbox": [0.5, 0.5, *np.log([size / stride] * 2)]}
                grid[0, cell] = values.get(kind, 0.25)
            result.append(grid)
        return result


def _detector(*boxes: tuple[int, int, float, float]) -> tuple[Detector, _DrawnOutput]:
    network = _DrawnOutput(list(boxes))
    return Detector(network), network  # type: ignore[arg-type]


def test_a_detection_comes_back_in_pixels_of_the_picture() -> None:
    detector, network = _detector((20, 10, 0.9, 60))
    (face,) = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    # Cell (20, 10) at stride 8, centre (20.5 * 8, 10.5 * 8) of a half-sized picture, 60 wide there.
    assert face.bbox == (268, 108, 388, 228)
    assert face.confidence == pytest.approx(0.9, abs=1e-6)
    assert face.landmarks == pytest.approx(np.full((5, 2), [20.25 * 16, 10.25 * 16]), abs=1e-3)
    assert network.shapes == [(1, 3, 384, 640)]


def test_small_pictures_are_doubled_for_the_search_only() -> None:
    detector, network = _detector((10, 10, 0.9, 64))
    (face,) = detector.detect(np.zeros((250, 250, 3), np.uint8))
    assert network.shapes == [(1, 3, 512, 512)]
    assert face.bbox == (26, 26, 58, 58)


def test_overlapping_detections_are_one_face() -> None:
    detector, _ = _detector((20, 10, 0.9, 60), (21, 10, 0.8, 60), (50, 30, 0.7, 60))
    assert len(detector.detect(np.zeros((480, 640, 3), np.uint8))) == 2


def test_uncertain_detections_are_none_and_the_picture_is_searched_again_with_a_border() -> None:
    detector, network = _detector((20, 10, 0.4, 60))
    assert detector.detect(np.zeros((480, 640, 3), np.uint8)) == ()
    assert len(network.shapes) == 2


def test_boxes_never_leave_the_picture() -> None:
    detector, _ = _detector((0, 0, 0.9, 300))
    (face,) = detector.detect(np.zeros((480, 640, 3), np.uint8))
    assert face.bbox == (0, 0, 154, 154)


def _face(x: int, y: int, side: int, confidence: float = 0.9) -> Face:
    return Face(bbox=(x, y, x + side, y + side), confidence=confidence, landmarks=NOWHERE)


def _scan(*faces: Face) -> FaceScan:
    pixels = np.zeros((480, 640, 3), np.uint8)
    return FaceScan(by_prominence(faces, 640, 480), 0, Image(pixels, "png", 640, 480))


def test_the_larger_of_two_faces_side_by_side_is_meant() -> None:
    primary = _scan(_face(100, 150, 120), _face(400, 150, 150)).primary
    assert primary is not None
    assert primary.width == 150


def test_a_bystander_cut_by_the_edge_is_not_the_person_in_the_middle() -> None:
    primary = _scan(_face(0, 0, 170), _face(250, 160, 140)).primary
    assert primary is not None
    assert primary.width == 140


def test_only_large_and_certain_further_faces_count() -> None:
    centre = _face(250, 160, 140)
    assert _scan().comparable_faces == 0
    assert _scan().primary is None
    assert _scan(centre, _face(20, 20, 50)).comparable_faces == 1
    assert _scan(centre, _face(20, 20, 110, confidence=0.65)).comparable_faces == 1
    assert _scan(centre, _face(20, 20, 110)).comparable_faces == 2


@given(st.floats(-3.1, 3.1), st.floats(0.2, 5), st.floats(-200, 200), st.floats(-200, 200))
def test_alignment_finds_any_turn_scale_and_shift(angle: float, scale: float, dx: float, dy: float) -> None:
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (RECOGNITION_TEMPLATE @ rotation.T + [dx, dy]).astype(np.float32)
    matrix = similarity_transform(moved, RECOGNITION_TEMPLATE)
    back = moved @ matrix[:, :2].T + matrix[:, 2]
    assert back == pytest.approx(RECOGNITION_TEMPLATE, abs=0.01)


def test_landmarks_that_coincide_do_not_divide_by_zero() -> None:
    assert np.isfinite(similarity_transform(np.full((5, 2), 7, np.float32), RECOGNITION_TEMPLATE)).all()


@pytest.mark.parametrize("scale", [0.5, 1, 2.5, 6])
def test_the_chip_shows_each_landmark_where_the_network_expects_it(scale: float) -> None:
    side = int(140 * scale) + 60
    landmarks = (RECOGNITION_TEMPLATE * np.float32(scale) + np.float32(25)).astype(np.float32)
    pixels = np.zeros((side, side, 3), np.uint8)
    for x, y in landmarks:
        cv2.circle(pixels, (round(float(x)), round(float(y))), max(2, round(3 * scale)), (255, 255, 255), -1)
    chip = aligned_chip(pixels, landmarks, RECOGNITION_TEMPLATE, 112)
    assert chip.shape == (112, 112, 3)
    for x, y in RECOGNITION_TEMPLATE:
        assert chip[round(float(y)), round(float(x))].min() > 150
    assert chip.mean() < 12

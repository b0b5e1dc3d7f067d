"""How far the nose moves against the rest of the face: what tells a turning head from a turning picture of one.

Whatever is done to a flat picture, its points move by one smooth map: an affine one, a little perspective, and second
order terms where the sheet is bent. The nose of a head stands before the face and moves beyond that map, to the side
the head turns to. The movement of every skin pixel between a frame at rest and a later one (dense optical flow in
crops aligned by the eyes and the corners of the mouth) is fitted with both; the nose's part is what is measured.

The five landmarks alone would do in principle (plane and parallax), but the detector places the nose where noses
usually are: of a nod of 20 degrees it shows less than a third, and its noise is ten times that of the flow
(docs/biometrics/motion.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .faces import Face
from .images import Pixels
from .timed import TimedScan

MIN_EYES: Final = 28.0
"""Smallest distance between the eyes, in pixels, at which the nose's movement can be measured."""

_PLANE: Final = (0, 1, 3, 4)
_SIDE: Final = 160
_EYES: Final = 50.0
_ORIGIN: Final = np.array([_SIDE / 2, _SIDE * 0.36])
# Where the eyes and the corners of the mouth of a crop lie, in eye distances from the point between the eyes.
_ALIGNED: Final = np.array([[-0.5, 0.0], [0.5, 0.0], [-0.42, 1.08], [0.42, 1.08]])
_EVERY: Final = 2
_ROUNDS: Final = 4
# Deviations beyond a few hundredths of an eye distance are wrinkles, hair and lost flow.
_SMALLEST_SCALE: Final = 0.008


@dataclass(frozen=True)
class Parallax:
    """One frame against the frame at rest. Lengths in eye distances of the face at rest.

    ``x`` and ``y``: by how much the nose moved to the right and down beyond the face around it. ``misfit``: what the
    fit leaves unexplained at the middle pixel. ``moved``: how far the face as a whole went in the picture, and
    ``stretched``: by what share it grew, shrank or was squeezed.
    """

    at_ms: float
    x: float
    y: float
    misfit: float
    moved: float
    stretched: float


@dataclass(frozen=True, eq=False)
class Rest:
    """A face at rest, against which later frames are measured. Use ``Rest.of``."""

    plane: NDArray[np.float64]
    eyes: float
    crop: Pixels
    basis: NDArray[np.float64]
    weight: NDArray[np.float64]
    flow: cv2.DISOpticalFlow

    @classmethod
    def of(cls, scan: TimedScan, face: Face) -> Rest:
        """The face of that frame. Not thread-safe: one ``Rest`` per judgement."""
        crop, to_crop = _crop(scan.scan.image.pixels, face)
        nose = (to_crop[:, :2] @ face.landmarks[2] + to_crop[:, 2] - _ORIGIN) / _EYES
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        flow.setUseMeanNormalization(True)  # shading changes while a head turns
        plane = _plane(face)
        return cls(plane, eyes_apart(face), crop, _basis(nose), _texture(crop), flow)

    def parallax(self, scan: TimedScan, face: Face) -> Parallax:
        """Measure ``face`` of ``scan`` against the rest."""
        crop, _ = _crop(scan.scan.image.pixels, face)
        vectors = np.asarray(self.flow.calc(self.crop, crop, np.zeros((_SIDE, _SIDE, 2), np.float32)), np.float64)
        nose, misfit = self._fitted(vectors[_SKIN][::_EVERY] / _EYES)
        plane = _plane(face)
        moved = np.hypot(*(plane.mean(axis=0) - self.plane.mean(axis=0))) / self.eyes
        return Parallax(scan.at_ms, nose[0], nose[1], misfit, float(moved), _stretch(self.plane, plane))

    def _fitted(self, vectors: NDArray[np.float64]) -> tuple[tuple[float, float], float]:
        """Weighted least squares, repeated with less weight for what does not fit (Cauchy's weights)."""
        trust = np.ones(len(vectors))
        solution: NDArray[Any] = np.zeros((self.basis.shape[1], 2))
        scale = 0.0
        for _ in range(_ROUNDS):
            weighted = self.basis * (self.weight * trust)[:, None]
            ridge = 1e-6 * np.eye(self.basis.shape[1])
            solution = np.linalg.solve(self.basis.T @ weighted + ridge, weighted.T @ vectors)
            error = np.hypot(*(vectors - self.basis @ solution).T)
            scale = float(np.median(error))
            trust = 1 / (1 + (error / (3 * max(scale, _SMALLEST_SCALE))) ** 2)
        return (float(solution[-1, 0]), float(solution[-1, 1])), scale


def eyes_apart(face: Face) -> float:
    """Distance between the landmarks of the eyes in pixels."""
    return float(np.hypot(*(face.landmarks[1] - face.landmarks[0])))


def steadiest(scans: Sequence[TimedScan]) -> tuple[TimedScan, Face]:
    """The frame whose landmarks are nearest to the middle of all. Raises ``ValueError`` without a face."""
    seen = [(scan, scan.scan.primary) for scan in scans if scan.scan.primary is not None]
    if not seen:
        raise ValueError("No frame at rest shows a face.")
    middle = np.median([face.landmarks for _, face in seen], axis=0)
    return min(seen, key=lambda pair: float(np.abs(pair[1].landmarks - middle).sum()))


def _plane(face: Face) -> NDArray[np.float64]:
    return np.asarray(face.landmarks[list(_PLANE)], dtype=np.float64)


def _crop(pixels: Pixels, face: Face) -> tuple[Pixels, NDArray[np.float64]]:
    """(160, 160) grey, eyes and mouth where ``_ALIGNED`` has them as nearly as shift, turn and scale can do it."""
    source, target = _plane(face), _ALIGNED * _EYES + _ORIGIN
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    from_points, to_points = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    turn = np.vdot(from_points, to_points) / max(float(np.vdot(from_points, from_points).real), 1e-6)
    rotation = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    matrix = np.column_stack([rotation, target.mean(axis=0) - rotation @ source.mean(axis=0)])
    x_min, y_min, x_max, y_max = _window(matrix, pixels.shape[1], pixels.shape[0])
    part: NDArray[Any] = cv2.cvtColor(np.ascontiguousarray(pixels[y_min:y_max, x_min:x_max]), cv2.COLOR_RGB2GRAY)
    shrink = abs(turn)
    if shrink < 0.7:  # finer detail than the crop can hold would turn into moire
        part = cv2.GaussianBlur(part, (0, 0), 0.4 / shrink)
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([x_min, y_min])
    crop = cv2.warpAffine(part, shifted, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8), matrix


def _window(matrix: NDArray[np.float64], width: int, height: int) -> tuple[int, int, int, int]:
    """The part of the frame that the crop shows, with a margin for the blur; never empty."""
    back = np.linalg.inv(matrix[:, :2])
    corners = (np.array([[0, 0], [_SIDE, 0], [0, _SIDE], [_SIDE, _SIDE]]) - matrix[:, 2]) @ back.T
    low, high = np.floor(corners.min(axis=0)) - 8, np.ceil(corners.max(axis=0)) + 8
    x_min, y_min = int(np.clip(low[0], 0, width - 2)), int(np.clip(low[1], 0, height - 2))
    return x_min, y_min, int(np.clip(high[0], x_min + 2, width)), int(np.clip(high[1], y_min + 2, height))


def _stretch(rest: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Largest change of length in any direction, as a share."""
    before, after = rest - rest.mean(axis=0), now - now.mean(axis=0)
    matrix, *_ = np.linalg.lstsq(before, after, rcond=None)
    return float(np.abs(np.log(np.maximum(np.linalg.svd(matrix)[1], 1e-3))).max())


def _texture(crop: Pixels) -> NDArray[np.float64]:
    """Flow is sure where there is something to follow."""
    slope_x, slope_y = (cv2.Sobel(crop, cv2.CV_32F, *order) / 8 for order in ((1, 0), (0, 1)))
    energy = np.asarray(cv2.GaussianBlur(slope_x * slope_x + slope_y * slope_y, (0, 0), 2), dtype=np.float64)
    sure: NDArray[np.float64] = (0.05 + energy / (energy + 30))[_SKIN][::_EVERY]
    return sure


def _basis(nose: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 7): affine map, terms of second order, and the nose: from between the eyes up to its tip, ending below it."""
    along = _Y / max(float(nose[1]), 0.3)
    profile = np.where(along <= 1, np.clip(along, 0, 1), np.exp(-(((along - 1) / 0.3) ** 2)))
    ridge = profile * np.exp(-(((_X - nose[0]) / 0.2) ** 2))
    terms = np.stack([np.ones_like(_X), _X, _Y, _X * _X, _X * _Y, _Y * _Y, ridge], axis=-1)
    basis: NDArray[np.float64] = terms[_SKIN][::_EVERY]
    return basis


_ROWS, _COLUMNS = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float64)
_X: Final = (_COLUMNS - _ORIGIN[0]) / _EYES
_Y: Final = (_ROWS - _ORIGIN[1]) / _EYES
_SKIN: Final = _X**2 + ((_Y - 0.5) / 1.15) ** 2 < 1

"""Capture quality of the primary face, in components after ISO/IEC 29794-5, and what the person can do about it.

Each component is a native measure mapped to 0-100, 100 being fully sufficient. The points where a component reaches 50
are the limits beyond which recognition measurably suffers (research notes, 260 LFW pairs degraded one way at a time);
below 50 in a blocking component the capture is not acceptable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import RECOGNITION_CHIP, RECOGNITION_TEMPLATE, aligned_chip, similarity_transform
from .calibration import Curve
from .faces import Face, FaceScan, Landmarks
from .images import Pixels


def _curve(*points: tuple[float, float]) -> Curve:
    return Curve(points=points, measured_on="LFW, 260 genuine pairs degraded", operating_points=())


# Shorter side of the face box in pixels. FNMR is flat down to 40 px and rises at 24; a form should ask for 80 px.
_FACE_SIZE: Final = _curve((16, 0), (40, 50), (80, 85), (160, 100))
# Variance of the Laplacian over the central 80 x 80 of the aligned chip. Blur of sigma 2.5 gives 13, sigma 4 gives 7.
_SHARPNESS: Final = _curve((3, 0), (12, 50), (60, 85), (250, 100))
# Mean grey level of the same area. 19 doubles the FNMR, 222 multiplies it by ten.
_LUMINANCE: Final = _curve((8, 0), (25, 50), (70, 100))
_OVEREXPOSURE: Final = _curve((0, 0), (40, 50), (105, 100))
# Standard deviation of the grey level: a fog or a flat back-lit silhouette has none.
_CONTRAST: Final = _curve((4, 0), (12, 50), (40, 100))
# 1 - yaw/limit, see ``_pose``; 0.30 of the eye distance is where matching starts to fail.
_POSE: Final = _curve((0, 0), (0.5, 50), (0.85, 100))
_CONFIDENCE: Final = _curve((0.5, 0), (0.75, 50), (0.9, 100))
# Distance in CrCb between the lower and the upper face, negated. Lips and beards make up to about 15.
_CHROMA: Final = _curve((-60.0, 0), (-30.0, 50), (-14.0, 100))
_COMPLETENESS: Final = _curve((0.6, 0), (0.85, 50), (1.0, 100))
_YAW_LIMIT: Final = 0.30
_ROLL_LIMIT_DEGREES: Final = 35.0
# The presentation-attack networks judge the surroundings: a face wider than this share of the frame leaves too little.
CLOSE_FACE_SHARE: Final = 0.37
_ACCEPTABLE: Final = 50.0
_WEIGHTS: Final[Mapping[str, float]] = {
    "face_size": 0.20,
    "sharpness": 0.25,
    "luminance": 0.20,
    "contrast": 0.05,
    "pose": 0.20,
    "occlusion": 0.10,
}


@dataclass(frozen=True)
class Quality:
    """``overall`` and every component 0-100; ``luminance`` is the plain mean brightness of the face as 0-100.

    ``hints`` are stable words for things the person can change: ``too_dark``, ``too_bright``, ``blurry``,
    ``face_too_small``, ``face_too_close``, ``turn_to_camera``, ``face_covered``, ``several_faces``. ``acceptable`` is
    false when a component that recognition depends on is below its limit.
    """

    overall: float
    luminance: float
    components: Mapping[str, float]
    hints: tuple[str, ...]
    acceptable: bool


def measured_quality(scan: FaceScan) -> Quality:
    """Quality of the primary face. A scan without a face has quality 0, no hints, and is not acceptable."""
    face = scan.primary
    if face is None:
        return Quality(overall=0.0, luminance=0.0, components={}, hints=(), acceptable=False)
    chip = aligned_chip(scan.image.pixels, face.landmarks, RECOGNITION_TEMPLATE, RECOGNITION_CHIP)
    grey = np.asarray(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    centre = grey[16:96, 16:96]
    brightness = float(centre.mean())
    components = {
        "face_size": _FACE_SIZE(min(face.width, face.height)),
        "sharpness": _SHARPNESS(_sharpness(centre)),
        "luminance": min(_LUMINANCE(brightness), _OVEREXPOSURE(255.0 - brightness)),
        "contrast": _CONTRAST(float(centre.std())),
        "pose": _POSE(_frontality(face.landmarks)),
        "occlusion": min(
            _CONFIDENCE(face.confidence), _skin_continuity(chip), _COMPLETENESS(_share_in_picture(scan, face))
        ),
    }
    hints = _hints(scan, face, components, brightness)
    blocking = ("face_size", "sharpness", "luminance", "pose", "occlusion")
    acceptable = all(components[name] >= _ACCEPTABLE for name in blocking) and scan.comparable_faces == 1
    weighted = sum(components[name] * weight for name, weight in _WEIGHTS.items())
    # The weakest link drags the whole down: a perfectly lit, perfectly sharp back of a head is still no portrait.
    overall = min(weighted, 25.0 + min(components[name] for name in blocking))
    return Quality(
        overall=round(overall, 2),
        luminance=round(brightness / 2.55, 2),
        components={name: round(value, 2) for name, value in components.items()},
        hints=hints,
        acceptable=acceptable,
    )


def _sharpness(grey: NDArray[np.uint8]) -> float:
    return float(np.asarray(cv2.Laplacian(grey, cv2.CV_64F)).var())


def _frontality(landmarks: Landmarks) -> float:
    """1 for a face that looks straight into the camera, 0.5 at the limit, 0 at twice the limit of yaw or roll.

    Yaw is the distance of the nose from the middle between eye and mouth centres, across the face, as a share of the
    distance between the eyes: 0 when frontal.
    """
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks.astype(np.float64)
    across = left_eye - right_eye
    distance = float(np.hypot(*across))
    if distance < 1.0:
        return 0.0
    middle = (right_eye + left_eye + right_mouth + left_mouth) / 4
    yaw = abs(float(np.dot(nose - middle, across))) / distance**2
    roll = abs(float(np.degrees(np.arctan2(across[1], across[0]))))
    return max(0.0, 1.0 - 0.5 * max(yaw / _YAW_LIMIT, roll / _ROLL_LIMIT_DEGREES))


def _skin_continuity(chip: Pixels) -> float:
    """0-100: how much the mouth region resembles the cheeks and forehead in detail and colour.

    A mask, scarf or hand in front of the mouth replaces skin by something of another hue; measured as the distance of
    the mean chroma (CrCb) of the lower from that of the upper face.
    """
    chroma = np.asarray(cv2.cvtColor(chip, cv2.COLOR_RGB2YCrCb), dtype=np.float64)[:, :, 1:]
    upper = chroma[56:74, 30:82].reshape(-1, 2)
    lower = chroma[84:108, 36:76].reshape(-1, 2)
    distance = float(np.hypot(*(np.median(lower, axis=0) - np.median(upper, axis=0))))
    return _CHROMA(distance * -1.0)


def _share_in_picture(scan: FaceScan, face: Face) -> float:
    """Share of the aligned chip's area, 0-1, that lies inside the picture: a face cut by the edge is not all there."""
    to_picture = similarity_transform(RECOGNITION_TEMPLATE, face.landmarks)
    steps = np.linspace(8, RECOGNITION_CHIP - 8, 13)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    x, y = (grid @ to_picture[:, :2].T + to_picture[:, 2]).T
    return float(((x >= 0) & (x < scan.image.width) & (y >= 0) & (y < scan.image.height)).mean())


def _hints(scan: FaceScan, face: Face, components: Mapping[str, float], brightness: float) -> tuple[str, ...]:
    weak = {name for name, value in components.items() if value < _ACCEPTABLE}
    found = {
        "several_faces": scan.comparable_faces > 1,
        "face_too_small": "face_size" in weak,
        "face_too_close": face.width > CLOSE_FACE_SHARE * scan.image.width,
        "too_dark": "luminance" in weak and brightness < 128,
        "too_bright": "luminance" in weak and brightness >= 128,
        "blurry": "sharpness" in weak,
        "turn_to_camera": "pose" in weak,
        "face_covered": "occlusion" in weak,
    }
    return tuple(hint for hint, present in found.items() if present)

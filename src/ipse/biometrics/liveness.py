"""Passive liveness: does this frame, or this short burst, show a person or a picture of one?

The real engine is the mean of two MiniFASNet networks that judge the face with its surroundings. Without their files
the engine is ``basic_replay_screening`` (``replay_screening.py``), which may find an attack but never vouches for a
person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from .calibration import liveness_score
from .errors import NoFace
from .faces import Face, FaceScan
from .images import Pixels
from .runtime import Network, Tensor

LivenessEngine = Literal["minifasnet", "basic_replay_screening"]

MAX_FRAMES: Final = 10
_SIDE: Final = 80
_LIVE_CLASS: Final = 1
# Below this mean probability the measured attacks lie (APCER 0.6 %, BPCER 2.0 %); the score there is 50.
ATTACK_BELOW: Final = 0.3


@dataclass(frozen=True)
class Liveness:
    """The outcome of passive liveness.

    ``score`` is 0-100 by ``calibration.liveness_score``, and ``None`` from an engine that cannot vouch for a person.
    ``attack_type`` is set only where the engine can tell. ``parts`` holds what the outcome was made of, each 0-1 unless
    its name says otherwise, among them ``identical_frames``, the number of frames that equal an earlier one pixel by
    pixel: a camera does not produce those. ``frames`` is how many frames had a face and were judged.
    """

    score: float | None
    engine: LivenessEngine
    attack_suspected: bool
    attack_type: str | None
    parts: Mapping[str, float]
    frames: int


@dataclass(frozen=True)
class ContextNetwork:
    """One MiniFASNet and how much of the surroundings it was trained to see (multiples of the face box)."""

    network: Network
    scale: float

    def probability_live(self, pixels: Pixels, face: Face) -> float:
        """Probability of class "live", 0-1."""
        (logits,) = self.network.run(_context_crop(pixels, face, self.scale))
        exponents = np.exp(logits[0].astype(np.float64) - float(logits[0].max()))
        return float(exponents[_LIVE_CLASS] / exponents.sum())


@dataclass(frozen=True)
class MiniFasNet:
    """The pair of networks. Thread-safe."""

    near: ContextNetwork
    wide: ContextNetwork

    def judge(self, scans: Sequence[FaceScan]) -> Liveness:
        """Judge one frame or a burst. Raises ``NoFace`` and ``ValueError`` as ``faces_of`` does.

        The mean of both networks per frame, then the median over the frames: one blurred frame neither sinks a person
        nor saves a photo.
        """
        judged = faces_of(scans)
        near = [self.near.probability_live(scan.image.pixels, face) for scan, face in judged]
        wide = [self.wide.probability_live(scan.image.pixels, face) for scan, face in judged]
        means = [(a + b) / 2 for a, b in zip(near, wide, strict=True)]
        live = float(np.median(means))
        return Liveness(
            score=liveness_score(live),
            engine="minifasnet",
            attack_suspected=live < ATTACK_BELOW,
            attack_type=None,
            parts={
                "live": round(live, 4),
                "live_near": round(float(np.median(near)), 4),
                "live_wide": round(float(np.median(wide)), 4),
                "live_lowest": round(min(means), 4),
                "live_highest": round(max(means), 4),
                "identical_frames": identical_frames(scans),
            },
            frames=len(judged),
        )


def faces_of(scans: Sequence[FaceScan]) -> list[tuple[FaceScan, Face]]:
    """The frames that have a face, with it. Raises ``NoFace`` when none has, ``ValueError`` beyond ``MAX_FRAMES``."""
    if len(scans) > MAX_FRAMES:
        raise ValueError(f"at most {MAX_FRAMES} frames can be judged at once")
    judged = [(scan, scan.primary) for scan in scans]
    found = [(scan, face) for scan, face in judged if face is not None and face.width > 0 and face.height > 0]
    if not found:
        raise NoFace("No face was found, so liveness cannot be judged.")
    return found


def identical_frames(scans: Sequence[FaceScan]) -> int:
    """How many frames repeat an earlier frame of the burst, pixel by pixel."""
    seen = {hashlib.blake2b(scan.image.pixels.tobytes(), digest_size=16).digest() for scan in scans}
    return len(scans) - len(seen)


def _context_crop(pixels: Pixels, face: Face, scale: float) -> Tensor:
    """(1, 3, 80, 80) BGR 0-255 around the face.

    As in the networks' training: the box grows about its centre by ``scale``, but never beyond what fits into the
    frame, and is then shifted inside.
    """
    height, width = pixels.shape[:2]
    grow = min(scale, (height - 1) / face.height, (width - 1) / face.width)
    left, right = _span(face.bbox[0] + face.width / 2, face.width * grow, width - 1)
    top, bottom = _span(face.bbox[1] + face.height / 2, face.height * grow, height - 1)
    crop = cv2.resize(pixels[top : bottom + 1, left : right + 1], (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(np.asarray(crop)[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32))


def _span(centre: float, length: float, last: int) -> tuple[int, int]:
    low, high = centre - length / 2, centre + length / 2
    if low < 0:
        low, high = 0.0, high - low
    if high > last:
        low, high = low - (high - last), float(last)
    return max(0, int(low)), min(last, int(high))

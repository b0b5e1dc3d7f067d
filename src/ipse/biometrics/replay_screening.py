"""Basic replay screening, used when the presentation-attack networks are not installed.

It looks for a straight frame around the face and for moire, weighs the two by a logistic regression, and says "attack
suspected" or nothing. It was fitted on attacks drawn by this project from a handful of portraits, never on recordings
(docs/decisions/0004-basic-replay-screening.md): a full-screen replay without a visible border, a cut-out or a mask pass
unseen. Hence it never vouches for a person, and its liveness score is always ``None``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .borders import border_evidence
from .faces import Face, FaceScan
from .liveness import Liveness, faces_of, identical_frames
from .moire import moire_peak

FEATURES: Final = ("vertical_border", "horizontal_border", "corners", "moire")
_MOIRE_SILENT: Final = 8.0
_MOIRE_LOUD: Final = 24.0


@dataclass(frozen=True)
class ScreeningModel:
    """Logistic regression over ``FEATURES``: ``weights`` (4,) and ``bias``; suspicion from ``threshold`` on."""

    weights: tuple[float, ...]
    bias: float
    threshold: float

    def probability(self, features: NDArray[np.float64]) -> float:
        """Probability of an attack among the drawn ones, 0-1."""
        logit = self.bias + float(np.dot(features, np.array(self.weights)))
        return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))


def _shipped_model() -> ScreeningModel:
    text = resources.files("ipse.biometrics").joinpath("data/replay_screening.json").read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    weights = tuple(float(data["weights"][name]) for name in FEATURES)
    return ScreeningModel(weights=weights, bias=float(data["bias"]), threshold=float(data["threshold"]))


SCREENING_MODEL: Final = _shipped_model()


@dataclass(frozen=True)
class ReplayScreening:
    """Looks for signs of a picture of a picture. Thread-safe."""

    model: ScreeningModel = SCREENING_MODEL

    def judge(self, scans: Sequence[FaceScan]) -> Liveness:
        """Judge one frame or a burst by the median. Raises ``NoFace`` and ``ValueError`` as ``liveness.faces_of`` does.

        ``attack_type`` is ``replay`` when moire is what was found; a border alone may be a print or a screen.
        """
        judged = faces_of(scans)
        features = np.array([screening_features(scan, face) for scan, face in judged])
        probability = float(np.median([self.model.probability(row) for row in features]))
        middle = np.median(features, axis=0)
        suspected = probability >= self.model.threshold
        parts = {name: round(float(value), 4) for name, value in zip(FEATURES, middle, strict=True)}
        return Liveness(
            score=None,
            engine="basic_replay_screening",
            attack_suspected=suspected,
            attack_type="replay" if suspected and middle[FEATURES.index("moire")] >= 0.5 else None,
            parts=parts | {"attack": round(probability, 4), "identical_frames": float(identical_frames(scans))},
            frames=len(judged),
        )


def screening_features(scan: FaceScan, face: Face) -> NDArray[np.float64]:
    """The four features of one frame, each 0-1, in the order of ``FEATURES``."""
    borders = border_evidence(scan.image.pixels, face)
    peak = moire_peak(scan.image.pixels, face)
    loudness = np.log(max(peak, _MOIRE_SILENT) / _MOIRE_SILENT) / np.log(_MOIRE_LOUD / _MOIRE_SILENT)
    return np.array([borders.vertical, borders.horizontal, borders.corners, min(1.0, float(loudness))])

"""Apparent age from a face: a soft signal, wrong by seven years on average (docs/biometrics/accuracy.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from .alignment import AGE_CHIP, AGE_TEMPLATE, aligned_chip
from .faces import Landmarks
from .images import Pixels
from .runtime import Network

# dlib's age network: RGB minus the training set's mean, divided by 256; 81 classes of one year, the first of which
# stands for the first months of life and is counted as a quarter of a year.
_MEAN: Final = np.array([122.782, 117.001, 104.298], dtype=np.float32)
_YEARS: Final = np.concatenate([[0.25], np.arange(1, 81)])


@dataclass(frozen=True)
class AgeEstimator:
    """The age network as a function from pixels and landmarks to years. Thread-safe."""

    network: Network

    def estimate(self, pixels: Pixels, landmarks: Landmarks) -> float:
        """Expected age in years, 0.25 to 80, one decimal."""
        chip = aligned_chip(pixels, landmarks, AGE_TEMPLATE, AGE_CHIP).astype(np.float32)
        batch = ((chip - _MEAN) / np.float32(256)).transpose(2, 0, 1)[None]
        (probabilities,) = self.network.run(np.ascontiguousarray(batch))
        return round(float(np.dot(probabilities[0].astype(np.float64), _YEARS)), 1)

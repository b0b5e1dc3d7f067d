"""From raw model numbers to the 0-100 scales of the reports, by curves kept in a versioned data file.

The curves are piecewise linear and never fall. ``data/calibration.json`` says what each was measured on and which error
rates its operating points have; a verdict names ``CALIBRATION_VERSION`` so that it can be reproduced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final


@dataclass(frozen=True)
class OperatingPoint:
    """One score with its measured error rates as shares of 1; rates that do not apply are absent from ``rates``."""

    score: float
    rates: Mapping[str, float]


@dataclass(frozen=True)
class Curve:
    """A never-falling piecewise linear map; outside the first and last point it stays level."""

    points: tuple[tuple[float, float], ...]
    measured_on: str
    operating_points: tuple[OperatingPoint, ...]

    def __post_init__(self) -> None:
        """Refuse a curve that would let a better input score lower."""
        if len(self.points) < 2:
            raise ValueError("a curve needs two points")
        for (x0, y0), (x1, y1) in zip(self.points, self.points[1:], strict=False):
            if x1 <= x0 or y1 < y0:
                raise ValueError(f"the curve must rise: {(x0, y0)} then {(x1, y1)}")

    def __call__(self, value: float) -> float:
        """The score for ``value``, two decimals. Raises ``ValueError`` for NaN."""
        if value != value:
            raise ValueError("cannot calibrate NaN")
        if value <= self.points[0][0]:
            return round(self.points[0][1], 2)
        for (x0, y0), (x1, y1) in zip(self.points, self.points[1:], strict=False):
            if value <= x1:
                return round(y0 + (y1 - y0) * (value - x0) / (x1 - x0), 2)
        return round(self.points[-1][1], 2)

    def inverse(self, score: float) -> float:
        """The smallest input that reaches ``score``, for showing an operator what a threshold means."""
        if score <= self.points[0][1]:
            return self.points[0][0]
        for (x0, y0), (x1, y1) in zip(self.points, self.points[1:], strict=False):
            if y0 < score <= y1:
                return x0 + (x1 - x0) * (score - y0) / (y1 - y0)
        return self.points[-1][0]


def _curve(entry: Mapping[str, Any]) -> Curve:
    return Curve(
        points=tuple((float(x), float(y)) for x, y in entry["points"]),
        measured_on=str(entry["measured_on"]),
        operating_points=tuple(
            OperatingPoint(
                score=float(point["score"]),
                rates={name: float(value) for name, value in point.items() if name not in ("score", "note")},
            )
            for point in entry["operating_points"]
        ),
    )


_DATA: Final[Mapping[str, Any]] = json.loads(
    resources.files("ipse.biometrics").joinpath("data/calibration.json").read_text("utf-8")
)
CALIBRATION_VERSION: Final[str] = _DATA["version"]
SIMILARITY: Final = _curve(_DATA["similarity"])
LIVENESS: Final = _curve(_DATA["liveness"])


def similarity_score(cosine: float) -> float:
    """0-100 for a cosine of two SFace templates. 30 is FMR 1.4e-3 and 60 FMR 1.3e-5 on LFW impostors."""
    return SIMILARITY(cosine)


def liveness_score(probability: float) -> float:
    """0-100 for a mean MiniFASNet probability of "live": .3 is 50 (decline below), .5 is 70 (approve from)."""
    return LIVENESS(probability)

"""When frames arrived: what no camera does, and what only few do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Timers, USB and browsers scatter frames by tenths of a millisecond at least; a list of times that was computed does
# not. Eight intervals, so that a coarse clock does not feign it.
_FEWEST_INTERVALS: Final = 8
_REGULAR_MS: Final = 0.01
# Browsers that protect against fingerprinting round times to multiples of 100 ms (Firefox) and may then be regular.
_COARSE_CLOCK_MS: Final = 100.0
_GAP_MS: Final = 1500.0


@dataclass(frozen=True)
class Finding:
    """A signal of injection. ``grade`` 0-1: below 0.5 innocent captures show it too. ``detail`` is for a reviewer."""

    name: str
    grade: float
    detail: str


def timing_findings(times_ms: Sequence[float]) -> tuple[Finding, ...]:
    """``impossible_timing`` (backwards, twice the same, regular to 0.01 ms) and ``frame_gaps`` (over 1.5 s; weak).

    ``times_ms`` are in the order of delivery, as the page or the challenge states them.
    """
    intervals = np.diff(np.asarray(times_ms, dtype=np.float64))
    found = [finding for rule in (_order, _regularity, _gaps) if (finding := rule(intervals)) is not None]
    return tuple(found)


def median_interval(times_ms: Sequence[float]) -> float | None:
    """Median time between frames in ms; ``None`` for fewer than three frames."""
    if len(times_ms) < 3:
        return None
    return float(np.median(np.diff(np.asarray(times_ms, dtype=np.float64))))


def _order(intervals: NDArray[np.float64]) -> Finding | None:
    backwards, repeated = int((intervals < 0).sum()), int((intervals == 0).sum())
    if backwards:
        return Finding("impossible_timing", 1.0, f"{backwards} frames are older than the frame before")
    # A coarse clock gives the same time to two frames now and then, never to many.
    if repeated > max(1, len(intervals) // 10):
        return Finding("impossible_timing", 0.7, f"{repeated} frames came at the very time of the frame before")
    return None


def _regularity(intervals: NDArray[np.float64]) -> Finding | None:
    if len(intervals) < _FEWEST_INTERVALS or float(np.ptp(intervals)) > _REGULAR_MS:
        return None
    step = float(intervals.mean())
    if abs(step / _COARSE_CLOCK_MS - round(step / _COARSE_CLOCK_MS)) < 1e-6:
        return None
    return Finding("impossible_timing", 0.7, f"every frame came {step:.3f} ms after the one before, to 0.01 ms")


def _gaps(intervals: NDArray[np.float64]) -> Finding | None:
    longest = float(intervals.max(initial=0.0))
    return Finding("frame_gaps", 0.2, f"no frame for {longest:.0f} ms") if longest > _GAP_MS else None

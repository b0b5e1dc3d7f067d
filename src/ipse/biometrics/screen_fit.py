"""Least squares of a colour over time on the colours a screen showed, with delay and slow drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .screen_colours import ColourShown, other_sequences

Series = NDArray[np.float64]

# Screen to light, light to sensor, sensor to the page: 30-150 ms on the machines one reads about; more is left for slow
# phones.
LAGS_MS: Final = tuple(range(0, 351, 25))
FEWEST_FRAMES: Final = 14
"""Two in each of seven colours; below, chance explains too much."""
# A frame gathers light for up to this long before it is delivered.
_EXPOSURE_MS: Final = 50.0
_LEAST_SEEN: Final = 0.6
_OTHERS_QUANTILE: Final = 0.99


@dataclass(frozen=True, eq=False)
class Screen:
    """What the screen showed, as a camera with one delay saw it.

    ``shares`` (n, colours): which share of each frame's exposure saw which colour; ``kept`` (frames,): which n frames
    saw nothing but the colours; ``detrend`` (n, n) takes away what changes smoothly.
    """

    lag_ms: float
    shares: NDArray[np.float64]
    kept: NDArray[np.bool_]
    detrend: NDArray[np.float64]
    freedom: int

    def seen(self, colours: NDArray[np.float64]) -> Series:
        """(…, n, 2), detrended, of (…, colours, 2)."""
        seen: Series = (self.detrend @ self.shares) @ colours
        return seen

    def measured(self, series: Series) -> Series:
        """(n, 2), detrended, of (frames, 2)."""
        measured: Series = self.detrend @ series[self.kept]
        return measured


@dataclass(frozen=True)
class Fit:
    """``strength`` and its standard ``error`` as shares of the room's light; ``correlation`` -1 to 1."""

    strength: float
    error: float
    correlation: float


def screens(times: Series, shown: Sequence[ColourShown], nuisances: NDArray[np.float64]) -> list[Screen]:
    """One for each delay of ``LAGS_MS`` at which enough frames saw nothing but the colours.

    ``times`` (frames,) in ms; ``nuisances`` (frames, m) are other things that change slowly, such as the head's pose.
    """
    starts, ends = np.array([c.start_ms for c in shown]), np.array([c.end_ms for c in shown])
    found = []
    for lag in LAGS_MS:
        end = (times - lag)[:, None]
        shares = np.maximum(np.minimum(end, ends) - np.maximum(end - _EXPOSURE_MS, starts), 0.0) / _EXPOSURE_MS
        total = shares.sum(axis=1)
        kept = np.asarray(total >= _LEAST_SEEN, dtype=np.bool_)
        if kept.sum() >= FEWEST_FRAMES:
            basis = _smooth(times[kept], nuisances[kept])
            detrend = np.eye(int(kept.sum())) - basis @ basis.T
            share = shares[kept] / total[kept, None]
            found.append(Screen(lag, share, kept, detrend, freedom=2 * (len(basis) - basis.shape[1]) - 1))
    return found


def fit(series: Series, screen: Screen, colours: NDArray[np.float64]) -> Fit:
    """Fit an (frames, 2) colour series to ``colours`` (colours, 2), see ``screen_colours.opponents``."""
    x, y = screen.seen(colours).ravel(), screen.measured(series).ravel()
    power = max(float(x @ x), 1e-12)
    strength = float(x @ y) / power
    left = float(((y - strength * x) ** 2).sum()) / max(screen.freedom, 1)
    correlation = float(x @ y) / max(float(np.sqrt(power * (y @ y))), 1e-12)
    return Fit(strength, float(np.sqrt(left / power)), correlation)


def correlation_of_others(series: Series, screens: Sequence[Screen], count: int) -> float:
    """The correlation that one of 100 other drawn sequences of ``count`` colours exceeds, each at its best delay."""
    colours = other_sequences(count)
    best = np.full(len(colours), -1.0)
    for screen in screens:
        x = screen.seen(colours).reshape(len(colours), -1)
        y = screen.measured(series).ravel()
        length = np.sqrt(np.maximum((x**2).sum(axis=1) * (y @ y), 1e-24))
        best = np.maximum(best, (x @ y) / length)
    return float(np.quantile(best, _OTHERS_QUANTILE))


def _smooth(times: Series, nuisances: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) orthonormal: a parabola over the run (white balance, exposure) and the nuisances."""
    at = (times - times.mean()) / max(float(np.ptp(times)), 1.0)
    columns = np.column_stack([np.ones_like(at), at, at**2, nuisances])
    left, strengths, _ = np.linalg.svd(columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-9), full_matrices=False)
    basis: NDArray[np.float64] = left[:, strengths > 1e-6 * strengths[0]]
    return basis

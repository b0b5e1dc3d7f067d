"""Is what answers the light flat? A head turns its sides away from the screen, a sheet of paper does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .screen_fit import Screen
from .skin_light import SkinLight

# Beyond so many typical deviations a cell counts less: hair, glasses, an earring.
_OUTLYING: Final = 1.5
_ROUNDS: Final = 3
# Neighbouring cells share their noise (compression works on blocks of 8 and 16 pixels), so there are fewer independent
# ones than cells.
_SHARED_NOISE: Final = 1.5


@dataclass(frozen=True)
class Relief:
    """``share``: by how much less the face answers one eye distance to the side than in its middle, as a share of the
    middle. 0 for a flat sheet, negative for a hollow one. ``error`` is its standard error.

    ``veil`` is the share of the response that is the same light everywhere, however dark the skin: 0 for what reflects
    by its own colour, 1 for a mirror image on glass in front of a picture. ``veil_error`` is its standard error.
    """

    share: float
    error: float
    veil: float
    veil_error: float


def light_relief(skin: SkinLight, screen: Screen, colours: NDArray[np.float64]) -> Relief:
    """Fit the strength of the response over the face with a plane and a curvature; the curvature is the relief.

    The plane takes what a tilted sheet or a screen to one side would do. ``colours`` as in ``screen_fit.fit``.
    """
    x = screen.seen(colours).ravel()
    cells = np.moveaxis(skin.colours[screen.kept], 1, 0)
    measured = (screen.detrend @ cells).reshape(len(cells), -1)
    power = max(float(x @ x), 1e-12)
    strengths = measured @ x / power
    noise = ((measured - strengths[:, None] * x) ** 2).sum(axis=1) / max(screen.freedom, 1) / power
    across, down = skin.places.T
    shape = np.stack([np.ones_like(across), across, down, down**2, across**2], axis=1)
    precise = 1 / (noise + 0.2 * np.median(noise) + 1e-12)
    weights = precise
    fitted, spread = np.zeros(5), np.eye(5)
    for _ in range(_ROUNDS):
        spread = np.linalg.inv(shape.T @ (shape * weights[:, None]))
        fitted = spread @ (shape.T @ (weights * strengths))
        left = np.abs(strengths - shape @ fitted)
        typical = max(1.4826 * float(np.median(left)), 1e-9)
        weights = precise / np.maximum(1.0, left / (_OUTLYING * typical))
    # In the middle of the face, half an eye distance below the eyes.
    middle = max(float(fitted[:4] @ [1.0, 0.0, 0.5, 0.25]), 1e-6)
    error = _SHARED_NOISE * float(np.sqrt(spread[4, 4])) / middle
    return Relief(-float(fitted[4]) / middle, error, *_veil(strengths, weights, skin.levels))


def _veil(
    strengths: NDArray[np.float64], weights: NDArray[np.float64], levels: NDArray[np.float64]
) -> tuple[float, float]:
    """Added light weighs the more the darker the place: the part of the strengths that goes with 1 / level."""
    inverse = 1 / np.maximum(levels, 1e-3)
    inverse /= np.average(inverse, weights=weights)
    both = np.stack([np.ones_like(inverse), inverse], axis=1)
    spread = np.linalg.pinv(both.T @ (both * weights[:, None]))
    own, veil = spread @ (both.T @ (weights * strengths))
    total = max(float(own + veil), 1e-6)
    return float(veil) / total, _SHARED_NOISE * float(np.sqrt(spread[1, 1])) / total

"""The colour of the light that comes back from a face, place by place, and from what is behind it.

Colour is the pair log(red / green), log(blue / green) of linear light: exposure cancels in it, and so does the colour
of the skin once its mean over time is taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .faces import Face, FaceScan
from .images import Pixels
from .screen_colours import LINEAR
from .steadying import HEIGHT, LEFT, PER_UNIT, TOP, WIDTH, steadied

# Pixels of the steadied picture per cell: a sixth of the distance between the eyes.
_CELL: Final = 6
# Where skin is, in distances between the eyes: out to where the cheeks turn away, from the forehead to the chin ...
_SKIN: Final = (1.0, -0.7, 1.8)
# ... without eyes and mouth, which move: centre and half axes of three ovals.
_MOVING: Final = ((-0.5, 0.0, 0.3, 0.2), (0.5, 0.0, 0.3, 0.2), (0.0, 1.1, 0.5, 0.25))
# Light that is clipped, or so little that the ratio of two channels is mostly noise, says nothing of colour.
_DARKEST: Final = 0.02
_BRIGHTEST: Final = 0.9
_FEWEST_CELLS: Final = 60


@dataclass(frozen=True, eq=False)
class SkinLight:
    """``colours`` (frames, cells, 2) over time at ``places`` (cells, 2), x and y in distances between the eyes.

    ``levels`` (cells,) is how much light comes from there on average, 0-1.
    """

    places: NDArray[np.float64]
    levels: NDArray[np.float64]
    colours: NDArray[np.float64]


def skin_light(scans: Sequence[FaceScan], faces: Sequence[Face]) -> SkinLight | None:
    """Colours of the face of each frame; ``None`` when too little of it is neither dark nor clipped."""
    light = np.stack([_cells(pixels) for pixels in steadied([scan.image.pixels for scan in scans], faces)])
    rows, columns = light.shape[1:3]
    x, y = np.meshgrid(
        (np.arange(columns) + 0.5) * _CELL / PER_UNIT + LEFT, (np.arange(rows) + 0.5) * _CELL / PER_UNIT + TOP
    )
    chosen = (np.abs(x) < _SKIN[0]) & (y > _SKIN[1]) & (y < _SKIN[2])
    for at_x, at_y, half_x, half_y in _MOVING:
        chosen &= ((x - at_x) / half_x) ** 2 + ((y - at_y) / half_y) ** 2 > 1
    strongest = light.max(axis=3).mean(axis=0)
    chosen &= (strongest > _DARKEST) & (strongest < _BRIGHTEST)
    if chosen.sum() < _FEWEST_CELLS:
        return None
    seen = light[:, chosen]
    places = np.stack([x[chosen], y[chosen]], axis=1)
    return SkinLight(places=places, levels=seen.mean(axis=(0, 2)), colours=_colour(seen))


def background_light(scans: Sequence[FaceScan], faces: Sequence[Face]) -> NDArray[np.float64] | None:
    """(frames, 2) colour of what lies beside the face in every frame; ``None`` where that is dark or clipped."""
    margin = 0.35 * max(face.width for face in faces)
    left = max(0, round(min(face.bbox[0] for face in faces) - margin))
    right = round(max(face.bbox[2] for face in faces) + margin)
    bottom = max(face.bbox[3] for face in faces)
    means = []
    for scan in scans:
        # Every other pixel: the mean of some ten thousand needs no more.
        pixels = scan.image.pixels[:bottom:2, ::2]
        beside = np.concatenate([pixels[:, : left // 2].reshape(-1, 3), pixels[:, right // 2 :].reshape(-1, 3)])
        means.append(LINEAR[beside].mean(axis=0) if len(beside) else np.zeros(3))
    light = np.array(means)
    strongest = float(light.max(axis=1).mean())
    return _colour(light) if _DARKEST < strongest < _BRIGHTEST else None


def brightness(scan: FaceScan, face: Face) -> float:
    """Median green value of the middle of the face box, 0-255."""
    x_min, y_min, x_max, y_max = face.bbox
    inside = scan.image.pixels[y_min:y_max, x_min:x_max]
    middle = inside[face.height // 4 : max(1, 3 * face.height // 4), face.width // 4 : max(1, 3 * face.width // 4)]
    return float(np.median(middle[:, :, 1])) if middle.size else 0.0


def head_sway(faces: Sequence[Face]) -> NDArray[np.float64]:
    """(frames, 3) how the head swayed: nose against eyes, sideways and up, and tilt; smoothed, mean 0.

    A head that turns a little takes the room's light differently; that is no answer to the screen.
    """
    points = np.stack([face.landmarks for face in faces]).astype(np.float64)
    across = points[:, 1] - points[:, 0]
    unit = np.maximum(np.hypot(across[:, 0], across[:, 1]), 1e-6)
    nose = (points[:, 2] - (points[:, 0] + points[:, 1]) / 2) / unit[:, None]
    padded = np.pad(np.column_stack([nose, np.arctan2(across[:, 1], across[:, 0])]), ((1, 1), (0, 0)), mode="edge")
    smooth: NDArray[np.float64] = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    smooth -= smooth.mean(axis=0)
    return smooth


def _cells(pixels: Pixels) -> NDArray[np.float64]:
    """(rows, columns, 3) mean light of each cell."""
    rows, columns = HEIGHT // _CELL, WIDTH // _CELL
    light = LINEAR[pixels[: rows * _CELL, : columns * _CELL]]
    means: NDArray[np.float64] = light.reshape(rows, _CELL, columns, _CELL, 3).mean(axis=(1, 3))
    return means


def _colour(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, 2) of (…, 3)."""
    log = np.log(np.maximum(light, 1e-4))
    return np.stack([log[..., 0] - log[..., 1], log[..., 2] - log[..., 1]], axis=-1)

"""Evidence of a straight frame around a face: the edge of a sheet of paper, of a phone, of a monitor.

Long straight edges are found on each side of the face with the probabilistic Hough transform; what tells a held object
from a door post is that its edges end where they meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .faces import Face
from .images import Pixels

Side = Literal["left", "right", "top", "bottom"]

_SIDES: Final[tuple[Side, ...]] = ("left", "right", "top", "bottom")
# The analysis runs on a picture of this longest side, where a bezel is still a few pixels wide and noise is averaged.
_MAX_SIDE: Final = 640
_SMOOTHING_SIGMA: Final = 1.2
_CANNY: Final = (20, 50)
# tan 20 degrees: a device held any more askew is a strange thing to show to a camera.
_MAX_SLOPE: Final = 0.36
_CANDIDATES: Final = 5
_SAMPLES: Final = 60
_MIN_SAMPLES: Final = 8


@dataclass(frozen=True)
class BorderEvidence:
    """How much of a frame was found, all values 0-1.

    ``vertical`` is the share of the weaker of the left and right border that is a straight edge, ``horizontal`` of the
    better of top and bottom, and ``corners`` the mean over the four corners of how clearly two borders meet and end.
    """

    vertical: float
    horizontal: float
    corners: float


@dataclass(frozen=True)
class _Box:
    """The face in the coordinates of the shrunken picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre_x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def centre_y(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class _Line:
    """x = slope * y + shift for a left or right border, y = slope * x + shift for a top or bottom one."""

    slope: float
    shift: float

    def at(self, along: float) -> float:
        return self.slope * along + self.shift


def border_evidence(pixels: Pixels, face: Face) -> BorderEvidence:
    """Look for borders around ``face`` in (H, W, 3) RGB pixels."""
    shrink = min(1.0, _MAX_SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (0, 0), _SMOOTHING_SIGMA)
    edges = cv2.Canny(grey, *_CANNY)
    box = _Box(*(value * shrink for value in face.bbox))
    near = np.asarray(cv2.dilate(edges, np.ones((3, 3), np.uint8))) > 0
    lines = {side: _strongest(near, box, side, found) for side, found in _candidates(np.asarray(edges), box).items()}
    best = {side: max((support for support, _ in lines[side]), default=0.0) for side in _SIDES}
    corners = [
        max((_corner(near, box, v, a, h, b) for _, a in lines[v] for _, b in lines[h]), default=0.0)
        for v in ("left", "right")
        for h in ("top", "bottom")
    ]
    return BorderEvidence(
        vertical=min(best["left"], best["right"]),
        horizontal=max(best["top"], best["bottom"]),
        corners=float(np.mean(corners)),
    )


def _candidates(edges: NDArray[np.uint8], box: _Box) -> dict[Side, list[_Line]]:
    """Straight edges by the side of the face they pass."""
    found: dict[Side, list[_Line]] = {side: [] for side in _SIDES}
    segments = cv2.HoughLinesP(
        edges,
        rho=1,
        theta=np.pi / 360,
        threshold=int(max(20, 0.35 * box.height)),
        minLineLength=0.6 * box.height,
        maxLineGap=0.1 * box.height,
    )
    if segments is None:
        return found
    for x0, y0, x1, y1 in np.asarray(segments, dtype=np.float64).reshape(-1, 4):
        dx, dy = float(x1 - x0), float(y1 - y0)
        if abs(dx) < _MAX_SLOPE * abs(dy):
            line = _Line(dx / dy, float(x0) - dx / dy * float(y0))
            if line.at(box.centre_y) < box.left - 0.05 * box.width:
                found["left"].append(line)
            elif line.at(box.centre_y) > box.right + 0.05 * box.width:
                found["right"].append(line)
        elif abs(dy) < _MAX_SLOPE * abs(dx):
            line = _Line(dy / dx, float(y0) - dy / dx * float(x0))
            if line.at(box.centre_x) < box.top - 0.1 * box.height:
                found["top"].append(line)
            elif line.at(box.centre_x) > box.bottom + 0.1 * box.height:
                found["bottom"].append(line)
    return found


def _strongest(near: NDArray[np.bool_], box: _Box, side: Side, found: list[_Line]) -> list[tuple[float, _Line]]:
    """The few best-supported lines of one side, at most one of several that nearly coincide."""
    upright = side in ("left", "right")
    middle, reach = (box.centre_y, 1.1 * box.height) if upright else (box.centre_x, 0.8 * box.width)
    rated = [(_support(near, side, line, middle - reach, middle + reach), line) for line in found]
    kept: list[tuple[float, _Line]] = []
    for support, line in sorted(rated, key=lambda item: -item[0]):
        if all(abs(line.at(middle) - other.at(middle)) > 4 for _, other in kept):
            kept.append((support, line))
        if len(kept) == _CANDIDATES:
            break
    return kept


def _support(near: NDArray[np.bool_], side: Side, line: _Line, start: float, end: float) -> float:
    """Share of the stretch of ``line`` from ``start`` to ``end`` that lies on edges; 0 when outside the picture."""
    along = np.linspace(start, end, _SAMPLES)
    across = line.slope * along + line.shift
    x, y = (across, along) if side in ("left", "right") else (along, across)
    inside = (x >= 0) & (x < near.shape[1]) & (y >= 0) & (y < near.shape[0])
    if int(inside.sum()) < _MIN_SAMPLES:
        return 0.0
    return float(near[y[inside].astype(np.intp), x[inside].astype(np.intp)].mean())


def _corner(near: NDArray[np.bool_], box: _Box, v: Side, upright: _Line, h: Side, level: _Line) -> float:
    """0-1: both lines are edges up to the point where they meet, and are none beyond it."""
    y = (level.slope * upright.shift + level.shift) / (1 - upright.slope * level.slope)
    x = upright.at(y)
    if not (-2 <= x < near.shape[1] + 2 and -2 <= y < near.shape[0] + 2):
        return 0.0
    down = 1 if h == "top" else -1
    across = 1 if v == "left" else -1
    # Half a face inwards; outwards the first eighth is left out, where rounded corners and blur bend the edge.
    arms = (
        _support(near, v, upright, *sorted((y, y + down * 0.5 * box.height))),
        _support(near, h, level, *sorted((x, x + across * 0.5 * box.width))),
    )
    beyond = (
        _support(near, v, upright, *sorted((y - down * 0.12 * box.height, y - down * 0.25 * box.height))),
        _support(near, h, level, *sorted((x - across * 0.12 * box.width, x - across * 0.25 * box.width))),
    )
    return max(0.0, min(arms) - max(beyond))

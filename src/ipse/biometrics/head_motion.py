"""Whether a head followed the prompts, and whether it was a head.

The nose's movement against the face (``head_parallax``) is a direction and a length in every frame: none for a
picture of a face however it is moved, tilted, turned or bent, some hundredths of an eye distance for a head that turns
or nods. Over time it is compared with what was asked for, with the latency of people, and with every other sequence
that could have been asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .head_parallax import MIN_EYES, Parallax, Rest, eyes_apart, steadiest
from .timed import TimedScan

MIN_OFFSET: Final = 0.008
"""Of the nose in every prompt, in eye distances: beyond the noise of a face that is not turned."""
MIN_RELIEF: Final = 0.015
"""Of the median prompt: a turn of ten degrees or less. Pictures stay below half of it (docs/biometrics/motion.md)."""
MAX_OFFSET: Final = 0.4
"""More than a nose stands out: not a movement of a head."""
MIN_FOLLOWED: Final = 0.35
MIN_ORDER_MARGIN: Final = 0.2
MIN_FRAMES: Final = 3
"""Per prompt. At eight frames a second that is less than half a second."""

# People answer a prompt after 0.2 s at the earliest; older ones, or with a prompt read aloud, after more than a second.
_LATENCIES: Final = (150, 300, 450, 600, 800, 1000, 1300, 1600, 2000)
_EARLIEST: Final = 150.0
# Of the movement that will follow, this share must not be there before anybody could have reacted.
_ANTICIPATED: Final = 0.7
# An eye distance per tenth of a second is what a fast turn of the head reaches; a cut in a video goes further.
_FASTEST: Final = 15.0
_BEYOND_SPEED: Final = 0.35
# Frames in which the fit explains little: the head is turned too far, or hidden.
_MOST_MISFIT: Final = 0.09
# A picture that went so far, or was squeezed so much, was moved on purpose.
_MOVED: Final = 0.35
_STRETCHED: Final = 0.12


class Direction(StrEnum):
    """Where to move the head, as the person sees it."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


# In an unmirrored picture, x to the right and y down, the nose of a head turned to the person's left goes right.
_TOWARDS: Final = {
    Direction.LEFT: (1.0, 0.0),
    Direction.RIGHT: (-1.0, 0.0),
    Direction.UP: (0.0, -1.0),
    Direction.DOWN: (0.0, 1.0),
}
_DIRECTIONS: Final = tuple(Direction)
_HORIZONTAL: Final = frozenset({Direction.LEFT, Direction.RIGHT})


@dataclass(frozen=True)
class Movement:
    """One prompt: shown at ``start_ms``, its last frame at ``end_ms``, on the clock of ``TimedScan.at_ms``."""

    direction: Direction
    start_ms: float
    end_ms: float


@dataclass(frozen=True)
class MotionEvidence:
    """What was found. ``passed`` when there is no reason against.

    ``followed`` 0-1: the share of the nose's movement that the prompted sequence explains. ``order_margin`` -1 to 1:
    how far the prompted direction is ahead of the next best one in the worst prompt, so that every other sequence fits
    worse when it is positive. ``relief``: by how much
    the nose moved against the face in the median prompt, in eye distances; near 0 for pictures. ``parts`` has the
    figures behind it. ``reasons``: ``too_few_frames`` and ``too_small`` (of the capture), ``not_followed`` (the person
    did not do it), ``flat`` (something moved, but not as a head), ``wrong_order`` (a head that followed other prompts),
    ``too_early`` (moved before the prompt could be known), ``jumped`` (faster than a head moves: a cut).
    """

    passed: bool
    followed: float
    order_margin: float
    relief: float
    parts: Mapping[str, float]
    reasons: tuple[str, ...]


def draw_movements(random: Random, count: int = 3) -> tuple[Direction, ...]:
    """``count`` >= 2 directions, no direction twice in a row, both axes used: 32 equally likely sequences of three.

    Pass ``secrets.SystemRandom()`` where it matters. Raises ``ValueError`` for a smaller count.
    """
    if count < 2:
        raise ValueError(f"A challenge has at least two movements, not {count}.")
    while True:
        drawn = tuple(random.choice(_DIRECTIONS) for _ in range(count))
        sideways = sum(direction in _HORIZONTAL for direction in drawn)
        if 0 < sideways < count and all(a != b for a, b in pairwise(drawn)):
            return drawn


def judge_motion(
    baseline: Sequence[TimedScan], samples: Sequence[TimedScan], movements: Sequence[Movement]
) -> MotionEvidence:
    """Judge the frames of a challenge: ``baseline`` looking straight ahead, ``samples`` while the prompts were shown.

    Takes about 8 ms per sample (two at rest and thirty while moving are plenty). Frames without a face are left out.
    Raises ``ValueError`` without movements.
    """
    if not movements:
        raise ValueError("There is nothing to follow.")
    resting = [scan for scan in baseline if scan.scan.primary is not None]
    if not resting:
        return _refused("too_few_frames")
    calm, face = steadiest(resting)
    if eyes_apart(face) < MIN_EYES:
        return _refused("too_small")
    rest = Rest.of(calm, face)
    still = _measured(rest, resting[-3:])
    moving = _measured(rest, sorted(samples, key=lambda scan: scan.at_ms))
    return judge_parallax(still, moving, movements)


def judge_parallax(
    still: Sequence[Parallax], moving: Sequence[Parallax], movements: Sequence[Movement]
) -> MotionEvidence:
    """As ``judge_motion``, from what was measured in the frames at rest and, in order of time, while moving."""
    seen = [frame for frame in moving if frame.misfit <= _MOST_MISFIT]
    times = np.array([frame.at_ms for frame in seen])
    if any(((times >= m.start_ms) & (times <= m.end_ms)).sum() < MIN_FRAMES for m in movements):
        return _refused("too_few_frames")
    zero = np.median([(frame.x, frame.y) for frame in still], axis=0) if still else np.zeros(2)
    offsets = np.array([(frame.x, frame.y) for frame in seen]) - zero
    actual = tuple(movement.direction for movement in movements)
    fit = _best_fit(times, offsets, movements)
    followed, margin, gains = fit.explained(actual), fit.margin(actual), fit.gains(actual)
    moved = max(frame.moved for frame in seen)
    stretched = max(frame.stretched for frame in seen)
    fastest = _fastest(seen, offsets)
    reasons = []
    small = min(gains) < MIN_OFFSET or float(np.median(gains)) < MIN_RELIEF
    if small or followed < MIN_FOLLOWED or margin < MIN_ORDER_MARGIN:
        reasons.append(_why_not(offsets, moved, stretched, margin))
    elif max(gains) > MAX_OFFSET:
        reasons.append("flat")
    elif _anticipated(times, offsets, movements, gains):
        reasons.append("too_early")
    if fastest > _FASTEST:
        reasons.append("jumped")
    parts = {
        "weakest_offset": round(min(gains), 4),
        "latency_ms": float(fit.latency(actual)),
        "moved": round(moved, 3),
        "stretched": round(stretched, 3),
        "fastest": round(fastest, 2),
        "frames": float(len(seen)),
    }
    relief = round(float(np.median(gains)), 4)
    return MotionEvidence(not reasons, round(followed, 4), round(margin, 4), relief, parts, tuple(reasons))


@dataclass(frozen=True, eq=False)
class _Fit:
    """Per latency, prompt and direction: how far the nose went (mean while held) and the energy this explains."""

    held: NDArray[np.float64]
    energy: NDArray[np.float64]
    total: float

    def explained(self, sequence: Sequence[Direction]) -> float:
        """Share of all movement, 0-1, at the latency that suits the sequence best."""
        return float(self._energies(sequence).max() / self.total)

    def margin(self, sequence: Sequence[Direction]) -> float:
        """-1 to 1, the worst prompt's: how far its direction is ahead of the next best, as a share of the larger."""
        held = self.held[int(self._energies(sequence).argmax())]
        margins = []
        for i, direction in enumerate(sequence):
            own = held[i, _DIRECTIONS.index(direction)]
            other = max(held[i, k] for k, d in enumerate(_DIRECTIONS) if d != direction)
            margins.append(float((own - other) / max(own, other, 1e-9)))
        return min(margins)

    def latency(self, sequence: Sequence[Direction]) -> int:
        return _LATENCIES[int(self._energies(sequence).argmax())]

    def gains(self, sequence: Sequence[Direction]) -> list[float]:
        best = int(self._energies(sequence).argmax())
        return [float(self.held[best, i, _DIRECTIONS.index(d)]) for i, d in enumerate(sequence)]

    def _energies(self, sequence: Sequence[Direction]) -> NDArray[np.float64]:
        columns = [_DIRECTIONS.index(direction) for direction in sequence]
        return np.asarray(self.energy[:, range(len(columns)), columns].sum(axis=1))


def _best_fit(times: NDArray[np.float64], offsets: NDArray[np.float64], movements: Sequence[Movement]) -> _Fit:
    """Each prompt answered by one held position, from its start to the next one's start, all later by one latency."""
    along = offsets @ np.array([_TOWARDS[direction] for direction in _DIRECTIONS]).T
    held = np.zeros((len(_LATENCIES), len(movements), len(_DIRECTIONS)))
    energy = np.zeros_like(held)
    for late, latency in enumerate(_LATENCIES):
        for i, movement in enumerate(movements):
            # The next prompt comes when this one is done, so the position may last into it, and no longer than that.
            until = movements[i + 1].start_ms if i + 1 < len(movements) else movement.end_ms
            inside = (times >= movement.start_ms + latency) & (times < until + latency)
            if inside.sum() >= 1:
                held[late, i] = np.maximum(along[inside].mean(axis=0), 0)
                energy[late, i] = held[late, i] ** 2 * inside.sum()
    return _Fit(held, energy, max(float((offsets**2).sum()), 1e-9))


def _anticipated(
    times: NDArray[np.float64], offsets: NDArray[np.float64], movements: Sequence[Movement], gains: Sequence[float]
) -> bool:
    """Whether a movement was there before its prompt could have been answered."""
    for movement, gain in zip(movements, gains, strict=True):
        before = (times <= movement.start_ms + _EARLIEST / 2) & (times >= movement.start_ms - 2 * _EARLIEST)
        if before.any() and float((offsets[before] @ _TOWARDS[movement.direction]).mean()) > _ANTICIPATED * gain:
            return True
    return False


def _fastest(seen: Sequence[Parallax], offsets: NDArray[np.float64]) -> float:
    """Fastest movement between two frames: of the face in eye distances per second, or of the nose, scaled to it."""
    fastest = 0.0
    for (a, b), nose in zip(pairwise(seen), np.diff(offsets, axis=0), strict=True):
        seconds = max((b.at_ms - a.at_ms) / 1000, 0.02)
        fastest = max(fastest, abs(b.moved - a.moved) / seconds, _FASTEST * float(np.hypot(*nose)) / _BEYOND_SPEED)
    return fastest


def _why_not(offsets: NDArray[np.float64], moved: float, stretched: float, margin: float) -> str:
    """The first of: a head followed other prompts; something flat was moved; nothing much happened."""
    far = np.hypot(*offsets.T)
    if float(np.percentile(far, 80)) >= MIN_RELIEF:
        return "wrong_order" if margin < MIN_ORDER_MARGIN else "not_followed"
    return "flat" if moved > _MOVED or stretched > _STRETCHED else "not_followed"


def _measured(rest: Rest, scans: Sequence[TimedScan]) -> list[Parallax]:
    return [rest.parallax(scan, scan.scan.primary) for scan in scans if scan.scan.primary is not None]


def _refused(reason: str) -> MotionEvidence:
    return MotionEvidence(False, 0.0, 0.0, 0.0, {}, (reason,))

"""Do these frames come from a camera? What an injected picture or video lacks, repeats or contradicts.

A camera adds fresh noise to every frame; compression takes much of it away but leaves no larger area untouched
(docs/biometrics/capture_integrity.md has the figures). Whoever adds noise to an injected video passes: a finding
speaks against a capture, none speaks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera_claims import CameraClaims, grade_claims, same_shape
from .frame_timing import Finding, median_interval, timing_findings
from .images import Pixels

__all__ = ["CameraClaims", "Finding", "IntegrityEvidence", "grade_claims", "integrity"]

Grey = NDArray[np.int16]

FEWEST_FRAMES: Final = 5
FEWEST_TO_REPEAT: Final = 3
"""Of so few frames, as a passive burst has, only all may repeat: one of them can be a camera that stalled."""
# Root mean square difference of grey levels. Sensor noise of half a level gives 1.0 after JPEG at quality 70 or 90.
_REPEATED_RMS: Final = 0.4
_BLOCK: Final = 16
# Blocks darker or brighter are clipped and have no noise in any camera.
_DARKEST: Final = 20
_BRIGHTEST: Final = 235
# A block changes when any of its pixels does. Of the blocks of a still background 5 % do not change at all with half a
# level of noise at quality 70; 65 % and more without noise.
_UNTOUCHED: Final = 0.5
_MOVING_RMS: Final = 3.0
_MOVING_SHARE: Final = 0.05
# A camera in little light delivers fewer frames than the page asks for; the page may then see one twice.
_STALLED_MS: Final = 250.0


@dataclass(frozen=True)
class IntegrityEvidence:
    """``parts`` are what was measured, shares 0-1 unless the name says otherwise; ``findings`` what stands out."""

    parts: Mapping[str, float]
    findings: tuple[Finding, ...]


def integrity(
    images: Sequence[Pixels], times_ms: Sequence[float], *, claimed: tuple[int, int] | None = None
) -> IntegrityEvidence:
    """Look at the frames of one recording, (H, W, 3) uint8 RGB each, in the order and at the times of their delivery.

    ``claimed`` is (width, height) of the video they were taken from; they may be scaled, but not cropped. Findings:
    ``identical_frames``, ``near_identical_frames``, ``no_sensor_noise``, ``frozen_background``, ``frozen_face``,
    ``frame_size_changed``, ``resolution_mismatch``, and those of ``frame_timing``. Raises ``ValueError`` when there is
    not one time for each image.
    """
    if len(images) != len(times_ms):
        raise ValueError(f"{len(images)} images, but {len(times_ms)} times")
    parts: dict[str, float] = {"frames": float(len(images))}
    interval = median_interval(times_ms)
    if interval is not None:
        parts["median_interval_ms"] = round(interval, 2)
    found = [*timing_findings(times_ms), *_sizes(images, claimed)]
    greys = [np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.int16) for pixels in images]
    if len(greys) >= FEWEST_TO_REPEAT and len({grey.shape for grey in greys}) == 1:
        found += [*_repeats(greys, times_ms, parts), *_stillness(greys, parts)]
    return IntegrityEvidence(parts=parts, findings=tuple(found))


def _sizes(images: Sequence[Pixels], claimed: tuple[int, int] | None) -> list[Finding]:
    sizes = {(pixels.shape[1], pixels.shape[0]) for pixels in images}
    upright = {(max(size), min(size)) for size in sizes}
    found = []
    if len(upright) > 1:
        text = "frames of different size: " + ", ".join(f"{w} x {h}" for w, h in sorted(sizes))
        found.append(Finding("frame_size_changed", 0.5, text))
    if claimed is not None and min(claimed) > 0 and any(not same_shape(claimed, size) for size in sizes):
        width, height = next(iter(sorted(sizes)))
        text = f"a frame has {width} x {height}, the video {claimed[0]} x {claimed[1]}"
        found.append(Finding("resolution_mismatch", 0.5, text))
    return found


def _repeats(greys: Sequence[Grey], times_ms: Sequence[float], parts: dict[str, float]) -> list[Finding]:
    """Frames that show what an earlier one showed, noise included. A loop repeats older frames, a still the last."""
    sampled = np.stack([grey[::3, ::3] for grey in greys]).astype(np.float32)
    exact, near, late = 0, 0, 0
    for at in range(1, len(sampled)):
        apart = np.sqrt(((sampled[:at] - sampled[at]) ** 2).mean(axis=(1, 2)))
        like = int(np.argmin(apart))
        if apart[like] >= _REPEATED_RMS:
            continue
        same = bool(np.array_equal(greys[like], greys[at]))
        exact, near = exact + same, near + (not same)
        stalled = like == at - 1 and times_ms[at] - times_ms[like] <= _STALLED_MS
        late += not stalled
    count = len(greys) - 1
    parts["identical_frames"], parts["near_identical_frames"] = exact / count, near / count
    grade = _repeat_grade(exact + near, count, late)
    found = []
    if exact:
        found.append(Finding("identical_frames", grade, f"{exact} of {count} frames repeat an earlier one exactly"))
    if near:
        text = f"{near} of {count} frames repeat an earlier one with its noise, encoded anew"
        found.append(Finding("near_identical_frames", grade, text))
    return found


def _repeat_grade(repeats: int, count: int, late: int) -> float:
    share = repeats / count
    if share >= 0.8:
        return 1.0
    if count < FEWEST_FRAMES - 1:
        return 0.3
    if share >= 0.5 or late >= 2:
        return 0.8
    return 0.3


def _stillness(greys: Sequence[Grey], parts: dict[str, float]) -> list[Finding]:
    """Areas that do not change by a single grey level while others move."""
    steps = [_step(a, b) for a, b in pairwise(greys) if not np.array_equal(a, b)]
    if len(steps) < FEWEST_FRAMES - 1:
        return []
    untouched = np.median([step.untouched for step in steps])
    moving = np.median([step.moving for step in steps])
    middle = np.median([step.untouched_middle for step in steps])
    edge_moves = np.median([step.moving_edge for step in steps])
    parts |= {
        "untouched_blocks": round(float(untouched), 3),
        "moving_blocks": round(float(moving), 3),
        "noise_levels": round(float(np.median([step.noise for step in steps])), 3),
    }
    # Cameras with strong noise reduction, and video codecs on the way, leave still areas alone as well: weak.
    if middle >= 0.8 and edge_moves >= 0.3:
        text = f"{middle:.0%} of the middle does not change at all while the surroundings move"
        return [Finding("frozen_face", 0.5, text)]
    if untouched < _UNTOUCHED:
        return []
    found = [Finding("no_sensor_noise", 0.4, f"{untouched:.0%} of the picture does not change by one grey level")]
    if moving >= _MOVING_SHARE:
        text = f"{moving:.0%} of the picture moves before a background without any noise"
        found.append(Finding("frozen_background", 0.4, text))
    return found


@dataclass(frozen=True)
class _Step:
    """From one frame to the next: shares of blocks, and the noise of the quieter ones in grey levels."""

    untouched: float
    moving: float
    untouched_middle: float
    moving_edge: float
    noise: float


def _step(a: Grey, b: Grey) -> _Step:
    rows, columns = a.shape[0] // _BLOCK, a.shape[1] // _BLOCK
    squared = _blocks(((b - a).astype(np.float32)) ** 2, rows, columns)
    level = _blocks(b.astype(np.float32), rows, columns)
    rms = np.sqrt(squared)
    judged = (level > _DARKEST) & (level < _BRIGHTEST)
    middle = np.zeros_like(judged)
    middle[rows // 4 : rows - rows // 4, columns // 3 : columns - columns // 3] = True
    inside, outside = rms[judged & middle], rms[judged & ~middle]
    everywhere = rms[judged]
    if not everywhere.size:
        return _Step(0.0, 0.0, 0.0, 0.0, 0.0)
    return _Step(
        untouched=float((everywhere == 0).mean()),
        moving=float((everywhere > _MOVING_RMS).mean()),
        untouched_middle=float((inside == 0).mean()) if inside.size else 0.0,
        moving_edge=float((outside > _MOVING_RMS).mean()) if outside.size else 0.0,
        noise=float(np.quantile(everywhere, 0.25)) / float(np.sqrt(2)),
    )


def _blocks(values: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """(rows, columns) means of the blocks."""
    cut = values[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.asarray(cut.mean(axis=(1, 3)), dtype=np.float32)

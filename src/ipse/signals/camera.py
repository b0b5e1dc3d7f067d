"""Signals of what the page observed of the camera while it recorded. Claims of a browser, not evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, pstdev

from ipse.decision.values import JsonValue
from ipse.signals.paths import known


@dataclass(frozen=True, slots=True)
class CameraObserved:
    """``width`` … ``frame_rate`` as the track states them, ``video_*`` as frames turned out (pixels, 1/s).

    ``frame_times_ms`` is when the camera delivered frames, ``stills_at_ms`` when the stills were taken.
    """

    label: str = ""
    facing: str | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    video_width: int | None = None
    video_height: int | None = None
    cameras: int | None = None
    frame_times_ms: Sequence[float] = ()
    stills_at_ms: Sequence[float] = ()
    is_automatic: bool | None = None


def of_camera(observed: CameraObserved) -> dict[str, JsonValue]:
    """Every signal of a camera; intervals only where enough frames were timed."""
    width, height = observed.video_width, observed.video_height
    return {
        **known(
            {
                "camera.has_label": bool(observed.label.strip()),
                "camera.facing": observed.facing,
                "camera.claimed_width_px": observed.width,
                "camera.claimed_height_px": observed.height,
                "camera.claimed_frame_rate": observed.frame_rate,
                "camera.video_width_px": width,
                "camera.video_height_px": height,
                "camera.is_portrait": None if width is None or height is None else height > width,
                "camera.count": observed.cameras,
                "camera.is_automatic_shutter": observed.is_automatic,
            }
        ),
        **_timed(observed.frame_times_ms),
        **_burst(observed.stills_at_ms),
    }


def _timed(times: Sequence[float]) -> dict[str, JsonValue]:
    steps = [after - before for before, after in pairwise(times)]
    if len(steps) < 2:
        return {}
    usual = median(steps)
    return {
        "camera.timed_frames": len(times),
        "camera.median_interval_ms": round(usual, 2),
        "camera.interval_jitter_ms": round(pstdev(steps), 2),
        "camera.longest_gap_ms": round(max(steps), 2),
        "camera.measured_frame_rate": round(1000 / usual, 2) if usual > 0 else 0.0,
    }


def _burst(times: Sequence[float]) -> dict[str, JsonValue]:
    return {} if len(times) < 2 else {"camera.burst_ms": round(max(times) - min(times), 2)}

"""What the browser says of its camera, graded. Claims can be forged: they may raise suspicion, never lower it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from .frame_timing import Finding, median_interval, timing_findings

# A browser may scale or crop what it was asked for, and turns the picture with the phone; it does not change its shape.
_SHAPE_TOLERANCE: Final = 0.03
# More frames than the track says it delivers. Fewer are common: little light, a slow machine.
_TOO_FAST: Final = 1.5
_GRADES: Final = {"virtual_camera": 0.9, "external_capture_device": 0.7}


@dataclass(frozen=True)
class CameraClaims:
    """``width``, ``height`` and ``frame_rate`` as the track's settings state them, ``video_width`` and
    ``video_height`` as the video turned out. ``None`` where the browser does not say."""

    label: str = ""
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    video_width: int | None = None
    video_height: int | None = None


def grade_claims(
    claims: CameraClaims,
    frame_times_ms: Sequence[float] = (),
    webdriver: bool | None = None,
    automation: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Findings ``virtual_camera``, ``external_capture_device``, ``resolution_mismatch``, ``frame_rate_mismatch``,
    ``webdriver``, ``automation``, and those of ``frame_timing.timing_findings``.

    ``frame_times_ms``: when the camera delivered frames, as the page saw it; ``webdriver``: ``navigator.webdriver``;
    ``automation``: names of other traces of automation.
    """
    found = [_label(claims.label), _resolution(claims), _frame_rate(claims, frame_times_ms)]
    found += [*_automation(webdriver, automation), *timing_findings(frame_times_ms)]
    return tuple(finding for finding in found if finding is not None)


def known_camera(label: str) -> tuple[str, str] | None:
    """(kind, what it is) of a camera known to be virtual or external, by its label; ``None`` for any other."""
    text = label.casefold()
    return next(((kind, name) for part, kind, name in VIRTUAL_CAMERAS if part in text), None)


def _shipped() -> tuple[tuple[str, str, str], ...]:
    text = resources.files("ipse.biometrics").joinpath("data/virtual_cameras.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple((part, kind, name) for part, kind, name in rows)


VIRTUAL_CAMERAS: Final = _shipped()
"""(part of the label in lower case, kind, what it is). Known from the labels those programs and devices use."""


def _label(label: str) -> Finding | None:
    known = known_camera(label)
    if known is None:
        return None
    kind, name = known
    return Finding(kind, _GRADES[kind], f"the camera is called “{label}”: {name}")


def _resolution(claims: CameraClaims) -> Finding | None:
    sides = (claims.width, claims.height, claims.video_width, claims.video_height)
    if not all(sides):
        return None
    width, height, video_width, video_height = (float(side or 0) for side in sides)
    if same_shape((width, height), (video_width, video_height)):
        return None
    text = f"the track says {width:.0f} x {height:.0f}, the video has {video_width:.0f} x {video_height:.0f}"
    return Finding("resolution_mismatch", 0.5, text)


def same_shape(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether two sizes have the same ratio of sides, upright or turned by 90 degrees."""
    first, second = max(a) / min(a), max(b) / min(b)
    return abs(first / second - 1) <= _SHAPE_TOLERANCE


def _frame_rate(claims: CameraClaims, frame_times_ms: Sequence[float]) -> Finding | None:
    interval = median_interval(frame_times_ms)
    if not claims.frame_rate or not interval or interval <= 0 or len(frame_times_ms) < 10:
        return None
    rate = 1000 / interval
    if rate <= _TOO_FAST * claims.frame_rate:
        return None
    text = f"{rate:.0f} frames a second from a camera that says {claims.frame_rate:.0f}"
    return Finding("frame_rate_mismatch", 0.5, text)


def _automation(webdriver: bool | None, automation: Sequence[str]) -> list[Finding]:
    found = [Finding("webdriver", 0.8, "navigator.webdriver is set")] if webdriver else []
    if automation:
        found.append(Finding("automation", 0.6, "traces of automation: " + ", ".join(automation)))
    return found

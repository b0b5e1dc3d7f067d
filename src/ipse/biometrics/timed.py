"""A scanned frame and when it was recorded: what challenges are judged from."""

from __future__ import annotations

from dataclasses import dataclass

from .faces import FaceScan


@dataclass(frozen=True, eq=False)
class TimedScan:
    """``at_ms`` is when the camera delivered the frame, in milliseconds on the clock of the challenge."""

    at_ms: float
    scan: FaceScan

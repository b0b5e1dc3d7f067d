"""Basic replay screening, used when the presentation-attack networks are not installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .faces import FaceScan
from .liveness import Liveness, faces_of, identical_frames


@dataclass(frozen=True)
class ReplayScreening:
    """Looks for signs of a picture of a picture; never vouches for a person, so its score is always ``None``."""

    def judge(self, scans: Sequence[FaceScan]) -> Liveness:
        """Judge one frame or a burst. Raises ``NoFace`` and ``ValueError`` as ``liveness.faces_of`` does."""
        judged = faces_of(scans)
        return Liveness(
            score=None,
            engine="basic_replay_screening",
            attack_suspected=False,
            attack_type=None,
            parts={"identical_frames": identical_frames(scans)},
            frames=len(judged),
        )

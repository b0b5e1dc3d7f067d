"""How a face was captured, part by part, and what each part says: motion, response, same person, injection signals.

A part of a challenge that speaks of an attack declines. A part that could not tell, because the person did not move or
the room is too bright, asks for another try and ends in review; it never approves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final, Protocol, cast

from ipse.biometrics.frame_timing import Finding
from ipse.biometrics.head_motion import MotionEvidence
from ipse.biometrics.screen_response import ResponseEvidence
from ipse.checks.injection import WARNS_FROM, told_of
from ipse.decision.config import CaptureMethod
from ipse.decision.values import JsonObject, JsonValue
from ipse.decision.warnings import RiskWarning, warn

SAME_PERSON_SCORE: Final = 30.0
"""Similarity (0-100) that the chosen still must have with the face of the challenge: FMR 1.4e-3 on LFW
(``data/calibration.json``). Two frames are compared and both must reach it."""

_CIRCUMSTANCES: Final = frozenset({"too_few_frames", "too_small", "not_followed", "too_bright_surroundings"})
"""Reasons that a person can do something about; all others speak of an attack."""
_ATTACKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "flat": "print",
        "wrong_order": "replay",
        "too_early": "replay",
        "jumped": "injection",
        "no_response": "replay",
        "other_colours": "replay",
        "uniform_response": "injection",
        "other_person": "other_person",
    }
)
"""The kind of attack that a reason points to, where it can be told."""
_LESS_LIGHT: Final = "less_light"
_FOLLOW: Final = "follow_the_prompts"


class _Judged(Protocol):
    @property
    def passed(self) -> bool: ...
    @property
    def reasons(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class ChallengeRun:
    """The challenge that was answered: its nonce, its phases as told, how many of the attempt this was, what is odd.

    ``frames`` counts the frames that were uploaded, ``with_face`` those of them that show one.
    """

    id: str
    phases: tuple[JsonObject, ...]
    drawn: int
    frames: int
    with_face: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Performed:
    """What was performed. For PASSIVE there is no challenge; for a challenge either ``motion`` or ``response`` is set.

    ``same_person`` is the lower similarity (0-100) of the chosen still with two frames of the challenge, None where
    nothing could be compared. ``signals`` are those of the camera, the browser and the frames, without the timing.
    """

    method: CaptureMethod = CaptureMethod.PASSIVE
    challenge: ChallengeRun | None = None
    motion: MotionEvidence | None = None
    response: ResponseEvidence | None = None
    same_person: float | None = None
    signals: tuple[Finding, ...] = ()

    @property
    def all_signals(self) -> tuple[Finding, ...]:
        """Injection signals of every kind."""
        return self.signals if self.challenge is None else (*self.signals, *self.challenge.findings)

    @property
    def strong_signals(self) -> tuple[Finding, ...]:
        """Injection signals that warn."""
        return tuple(signal for signal in self.all_signals if signal.grade >= WARNS_FROM)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the challenge failed, as stable codes; empty when it passed and when there was none."""
        if self.challenge is None:
            return ()
        found = [reason for part in (self.motion, self.response) if part is not None for reason in _failed(part)]
        if self.same_person is not None and self.same_person < SAME_PERSON_SCORE:
            found.append("other_person")
        if not found and self.same_person is None:
            found.append("too_few_frames")
        return tuple(dict.fromkeys(found))

    @property
    def attacks(self) -> tuple[str, ...]:
        """The reasons that speak of an attack."""
        return tuple(reason for reason in self.reasons if reason not in _CIRCUMSTANCES)

    @property
    def challenge_passed(self) -> bool:
        """Whether a challenge was answered, and nothing about the answer is wrong."""
        return self.challenge is not None and not self.reasons

    def hints(self) -> tuple[str, ...]:
        """What the person can do better: ``less_light``, ``follow_the_prompts``."""
        if not self.reasons or self.attacks:
            return ()
        return (_LESS_LIGHT,) if "too_bright_surroundings" in self.reasons else (_FOLLOW,)

    def to_json(self) -> JsonObject:
        """The parts as evidence shows them, each by itself."""
        return {
            "motion": _shown(self.motion),
            "response": _shown(self.response),
            "same_person": None
            if self.challenge is None
            else {"score": self.same_person, "threshold": SAME_PERSON_SCORE},
            "injection": {"signals": cast("JsonValue", told_of(self.all_signals))},
            "challenge": None
            if self.challenge is None
            else {
                "id": self.challenge.id,
                "passed": self.challenge_passed,
                "reasons": list(self.reasons),
                "phases": list(self.challenge.phases),
                "drawn": self.challenge.drawn,
                "frames": self.challenge.frames,
                "frames_with_face": self.challenge.with_face,
                "timing": cast("JsonValue", told_of(self.challenge.findings)),
            },
        }


PASSIVE: Final = Performed()
"""A face was shown and nothing is known beside it."""


def challenge_warnings(performed: Performed, node_id: str) -> Iterator[RiskWarning]:
    """The warning of a challenge that was not passed; at most one."""
    reasons = list(performed.reasons)
    if performed.attacks:
        kind = next((_ATTACKS[reason] for reason in performed.attacks if reason in _ATTACKS), None)
        told: JsonObject = {"attack_type": kind, "method": performed.method.value, "reasons": reasons}
        yield warn("LIVENESS_FACE_ATTACK", node_id, additional_data=told)
    elif reasons:
        told = {"method": performed.method.value, "reasons": reasons, "hints": list(performed.hints())}
        yield warn("CHALLENGE_NOT_COMPLETED", node_id, additional_data=told)


def _failed(part: _Judged) -> tuple[str, ...]:
    """Reasons of a part; a part that failed without one is not taken for passed."""
    return () if part.passed else part.reasons or ("not_followed",)


def _shown(part: MotionEvidence | ResponseEvidence | None) -> JsonObject | None:
    if part is None:
        return None
    plain = {field.name: getattr(part, field.name) for field in fields(part)}
    return {**plain, "parts": dict(part.parts), "reasons": list(part.reasons)}

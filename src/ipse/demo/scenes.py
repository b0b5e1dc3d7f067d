"""The scenes of the demo, as data: who shows what to which session, and what must come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipse.samples.attacks import print_attack, replay_attack
from ipse.samples.scenes import selfie

Frames = Callable[[Mapping[str, bytes]], list[bytes]]


@dataclass(frozen=True, slots=True)
class Scene:
    """One session of the demo."""

    title: str
    workflow: str
    """``enrolment`` or ``step_up``."""
    frames: Frames
    expected_status: str
    expected_risk: str | None


def _burst(name: str, first_seed: int) -> Frames:
    """Three frames of the person in a portrait, as a phone's camera would deliver them."""
    return lambda portraits: [selfie(name, portraits[name], seed=first_seed + shift) for shift in range(3)]


def _photo(attack: Callable[..., bytes]) -> Frames:
    """One frame of a photo of the enrolled person, held into the camera."""
    return lambda portraits: [attack(selfie("obama_1", portraits["obama_1"], seed=11), seed=1)]


SCENES: tuple[Scene, ...] = (
    Scene("Sign-up: the person is enrolled", "enrolment", _burst("obama_1", 11), "Approved", None),
    Scene("Step-up by the same person, another day", "step_up", _burst("obama_2", 21), "Approved", None),
    Scene("Step-up by somebody else", "step_up", _burst("biden_1", 31), "Declined", "LOW_FACE_MATCH_SIMILARITY"),
    Scene(
        "A printed photo of the person",
        "step_up",
        _photo(print_attack),
        "Declined",
        "LIVENESS_FACE_ATTACK",
    ),
    Scene(
        "The person's photo on a phone's screen",
        "step_up",
        _photo(replay_attack),
        "Declined",
        "LIVENESS_FACE_ATTACK",
    ),
)

SUBJECT = "demo-user-42"

ACTION = {"trigger": "high_value_transfer", "action_id": "tr_7781", "amount": "1250.00", "currency": "EUR"}
"""What the step-up authorises; shown to the person and returned in the webhook."""

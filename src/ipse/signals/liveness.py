"""Signals of a liveness report: the face, the texture, the challenge, and signs of injected pictures."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ipse.decision.reports import Report
from ipse.decision.values import JsonObject, JsonValue, as_number, items_of
from ipse.signals.paths import at, known, taken

_TEXTURE: Final = "evidence.parts.texture"
_MOTION: Final = "evidence.parts.motion"
_RESPONSE: Final = "evidence.parts.response"
_CHALLENGE: Final = "evidence.parts.challenge"

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "face.quality": "face_quality",
        "face.luminance": "face_luminance",
        "face.age_estimate": "age_estimation",
        "face.rotation": "evidence.user_image.best_angle",
        "face.hints": "evidence.hints",
        **{
            f"face.{name}_quality": f"evidence.quality.{part}"
            for name, part in {
                "size": "face_size",
                "sharpness": "sharpness",
                "luminance": "luminance",
                "contrast": "contrast",
                "pose": "pose",
                "occlusion": "occlusion",
            }.items()
        },
        "liveness.engine": "evidence.engine",
        "liveness.frames": "evidence.frames",
        "liveness.attack_type": "evidence.attack_type",
        "liveness.asked_method": "evidence.asked_method",
        "liveness.performed_method": "method",
        **{
            f"liveness.{name}": f"{_TEXTURE}.{name}"
            for name in ("live", "live_near", "live_wide", "live_lowest", "live_highest", "attack", "identical_frames")
        },
        "challenge.is_passed": f"{_CHALLENGE}.passed",
        "challenge.reasons": f"{_CHALLENGE}.reasons",
        "challenge.drawn": f"{_CHALLENGE}.drawn",
        "challenge.frames": f"{_CHALLENGE}.frames",
        "challenge.frames_with_face": f"{_CHALLENGE}.frames_with_face",
        "challenge.same_person_score": "evidence.parts.same_person.score",
        **{f"motion.{name}": f"{_MOTION}.{name}" for name in ("followed", "order_margin", "relief")},
        **{
            f"motion.{name}": f"{_MOTION}.parts.{name}"
            for name in ("weakest_offset", "latency_ms", "moved", "stretched", "fastest", "frames")
        },
        **{
            f"response.{name}": f"{_RESPONSE}.{name}"
            for name in ("correlation", "margin", "lag_ms", "face_to_background", "relief")
        },
        **{
            f"response.{name}": f"{_RESPONSE}.parts.{name}"
            for name in ("frames", "face_brightness", "strength", "variation", "veil")
        },
    }
)
"""Signals that the report holds as they are."""

INJECTION_SIGNS: Final = (
    "virtual_camera",
    "external_capture_device",
    "resolution_mismatch",
    "frame_rate_mismatch",
    "impossible_timing",
    "frame_gaps",
    "frame_size_changed",
    "identical_frames",
    "near_identical_frames",
    "frozen_face",
    "frozen_background",
    "no_sensor_noise",
)
"""Looked for in every capture; traces of automation are signals of the device."""

TIMING_SIGNS: Final = (
    "timing_too_fast",
    "phase_cut_short",
    "frame_outside_phase",
    "colours_not_noted",
    "colours_mistimed",
    "clock_contradiction",
    "frames_not_committed",
    "stills_not_committed",
    "frames_withheld",
)
"""Looked for in the answer to a challenge."""


def of_liveness(report: Report) -> dict[str, JsonValue]:
    """Every signal of a LIVENESS report (or of the liveness inside AGE_ESTIMATION)."""
    facts = report.facts
    return {
        **taken(facts, PATHS),
        **known({"liveness.score": report.score}),
        **_derived(facts),
        **_faces(facts),
        **_injection(facts),
    }


def _derived(facts: JsonObject) -> dict[str, JsonValue]:
    near, wide = as_number(at(facts, f"{_TEXTURE}.live_near")), as_number(at(facts, f"{_TEXTURE}.live_wide"))
    lowest = as_number(at(facts, f"{_TEXTURE}.live_lowest"))
    highest = as_number(at(facts, f"{_TEXTURE}.live_highest"))
    asked, performed = at(facts, "evidence.asked_method"), at(facts, "method")
    frames = as_number(at(facts, f"{_CHALLENGE}.frames"))
    with_face = as_number(at(facts, f"{_CHALLENGE}.frames_with_face"))
    return known(
        {
            "liveness.disagreement": None if near is None or wide is None else round(abs(near - wide), 4),
            "liveness.spread": None if lowest is None or highest is None else round(highest - lowest, 4),
            "liveness.is_method_switched": None if asked is None or performed is None else asked != performed,
            "challenge.face_share": None if not frames or with_face is None else round(with_face / frames, 4),
        }
    )


def _faces(facts: JsonObject) -> dict[str, JsonValue]:
    """The faces of the chosen frame; ``bbox`` is x_min, y_min, x_max, y_max in pixels."""
    entities = at(facts, "evidence.user_image.entities")
    if entities is None:
        return {}
    faces = [one for one in items_of(entities) if isinstance(one, Mapping)]
    values: dict[str, JsonValue] = {"face.count": len(faces)}
    sizes = [_size(face) for face in faces]
    if not sizes or sizes[0] is None:
        return values
    width, height = sizes[0]
    values |= {"face.width_px": width, "face.height_px": height}
    values |= known({"face.detection_confidence": as_number(faces[0].get("confidence"))})
    if len(sizes) > 1 and sizes[1] is not None and width * height > 0:
        values["face.second_face_share"] = round(sizes[1][0] * sizes[1][1] / (width * height), 4)
    return values


def _size(face: JsonObject) -> tuple[float, float] | None:
    box = [number for one in items_of(face.get("bbox")) if (number := as_number(one)) is not None]
    return None if len(box) != 4 else (box[2] - box[0], box[3] - box[1])


def _injection(facts: JsonObject) -> dict[str, JsonValue]:
    """The grade (0-1) of each sign; 0 where it was looked for and not found."""
    found = at(facts, "evidence.parts.injection.signals")
    if found is None:
        return {}
    grades = dict.fromkeys(INJECTION_SIGNS, 0.0)
    if at(facts, _CHALLENGE) is not None:
        grades |= dict.fromkeys(TIMING_SIGNS, 0.0)
    for sign in items_of(found):
        name, grade = at(sign, "name"), as_number(at(sign, "grade"))
        if isinstance(name, str) and grade is not None and (name in INJECTION_SIGNS or name in TIMING_SIGNS):
            grades[name] = max(grade, grades.get(name, 0.0))
    return {
        **{f"injection.{name}": grade for name, grade in grades.items()},
        "injection.strongest": max(grades.values()),
        "injection.signs": sum(grade > 0 for grade in grades.values()),
    }

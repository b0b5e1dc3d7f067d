"""LIVENESS: is there a person in front of the camera, and is the picture good enough to go on?

Every method has the passive evidence of one frame or a short burst; ``ACTIVE_3D`` and ``FLASHING`` add a challenge
(``checks.performed``). Each part is judged by itself and the worst one decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ipse.biometrics.calibration import CALIBRATION_VERSION
from ipse.checks.injection import (
    EXTERNAL_DEVICE,
    INJECTION,
    VIDEO_ANOMALY,
    VIRTUAL_CAMERA,
    injection_warnings,
)
from ipse.checks.performed import PASSIVE, Performed, challenge_warnings
from ipse.checks.screening import Bands
from ipse.checks.selfie import Selfie
from ipse.decision.config import CaptureMethod
from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.settings import LivenessConfig
from ipse.decision.thresholds import StandaloneThresholds, Thresholds
from ipse.decision.values import JsonValue, items_of
from ipse.decision.warnings import LogType, RiskWarning, warn

BASIC_ENGINE: Final = "basic_replay_screening"

_GATES: Final = ("face_size", "sharpness", "luminance", "pose", "occlusion")
_GATE: Final = 50.0
"""The limit at which recognition measurably suffers (``biometrics.quality``)."""
_QUALITY_RISKS: Final = frozenset(
    {
        "NO_FACE_DETECTED",
        "LOW_FACE_QUALITY",
        "LOW_FACE_LUMINANCE",
        "HIGH_FACE_LUMINANCE",
        "MULTIPLE_FACES_DETECTED",
        "CHALLENGE_NOT_COMPLETED",
    }
)
_FINAL_RISKS: Final = frozenset({"LIVENESS_FACE_ATTACK", "FACE_IN_BLOCKLIST", "POSSIBLE_FACE_IN_BLOCKLIST"})
_CAMERA_RISKS: Final = frozenset(
    {"LIVENESS_FACE_ATTACK", "LOW_LIVENESS_SCORE", VIRTUAL_CAMERA, EXTERNAL_DEVICE, INJECTION}
)
"""What another camera, or a face before it instead of a picture, may mend."""
_NO_FACE_HINT: Final = "no_face"
_ATTACK_HINT: Final = "use_live_camera"


def assess(
    selfie: Selfie,
    config: LivenessConfig,
    node_id: str,
    *,
    passive_only_may_approve: bool,
    media_id: str | None = None,
    performed: Performed = PASSIVE,
    feature: Feature = Feature.LIVENESS,
) -> Report:
    """Report on the liveness step of a session.

    ``passive_only_may_approve`` says whether the basic replay screening, which cannot vouch for anyone, may by itself
    lead to an approval (demo and sandbox) or only to a review (live applications); beside a passed challenge it always
    may. ``media_id`` names the stored frame. The score is that of the texture, and 0 when a challenge speaks of an
    attack: the worst of the parts. ``feature`` is the step that the liveness belongs to.
    """
    warnings = tuple(_session_warnings(selfie, config, node_id, passive_only_may_approve, performed, feature))
    texture = selfie.liveness.score if selfie.liveness else None
    return report_from_warnings(
        Feature.LIVENESS,
        node_id,
        score=0.0 if performed.attacks else texture,
        warnings=warnings,
        facts=facts(selfie, asked=config.method, media_id=media_id, performed=performed),
    )


def assess_standalone(
    selfie: Selfie,
    thresholds: StandaloneThresholds,
    *,
    passive_only_may_approve: bool,
    media_id: str | None = None,
) -> Report:
    """Report on a standalone passive-liveness call (contract 30 section 2): at or below the threshold is Declined.

    Several faces warn without changing the verdict; the largest face is the one judged.
    """
    report = report_from_warnings(
        Feature.LIVENESS,
        "default",
        score=selfie.liveness.score if selfie.liveness else None,
        warnings=tuple(standalone_warnings(selfie, thresholds, passive_only_may_approve)),
        facts=facts(selfie, asked=CaptureMethod.PASSIVE, media_id=media_id),
    )
    return replace(report, warnings=(*report.warnings, *several_faces(selfie)))


def facts(
    selfie: Selfie, *, asked: CaptureMethod, media_id: str | None, performed: Performed = PASSIVE
) -> dict[str, JsonValue]:
    """The fields of a ``liveness_checks[]`` item, and under ``evidence`` what an auditor asks for.

    Face quality and luminance are told for PASSIVE only (contract 50 section 1); the evidence has them always.
    """
    quality, liveness = selfie.quality, selfie.liveness
    told = quality if performed.method is CaptureMethod.PASSIVE else None
    return {
        "method": performed.method.value,
        "reference_media_id": media_id,
        "video_url": None,
        "age_estimation": selfie.age,
        "matches": [],
        "face_quality": told.overall if told else None,
        "face_luminance": told.luminance if told else None,
        "evidence": {
            "asked_method": asked.value,
            "engine": liveness.engine if liveness else None,
            "parts": {"texture": dict(liveness.parts) if liveness else {}, **performed.to_json()},
            "frames": liveness.frames if liveness else 0,
            "attack_type": liveness.attack_type if liveness else None,
            "calibration": CALIBRATION_VERSION,
            "quality": dict(quality.components) if quality else {},
            "hints": list(quality.hints) if quality else [],
            "user_image": selfie.user_image(),
            "durations_ms": dict(selfie.durations_ms),
        },
    }


def bands(config: LivenessConfig) -> Bands:
    """The similarity bands of a node's duplicate screening."""
    return Bands(config.duplicate_possible, config.duplicate_certain)


def is_quality_failure(report: Report) -> bool:
    """Whether a better picture might change the outcome, so that the person should try again.

    True when a risk about the picture lowers the report and nothing speaks of an attack or a blocked face. A liveness
    score from a poor picture, or an engine that vouches for nobody, does not stand in the way of a second try.
    """
    lowering = {warning.risk for warning in report.warnings if warning.log_type is not LogType.INFORMATION}
    return bool(lowering & _QUALITY_RISKS) and not lowering & _FINAL_RISKS


def retry_hints(selfie: Selfie, report: Report) -> tuple[str, ...]:
    """Stable codes for what the person can do better.

    Those of ``Quality.hints`` and ``Performed.hints``, ``no_face`` and ``use_live_camera``.
    """
    if not selfie.has_face:
        return (_NO_FACE_HINT,)
    hints = (*(selfie.quality.hints if selfie.quality else ()), *_challenge_hints(report))
    lowering = {warning.risk for warning in report.warnings if warning.log_type is not LogType.INFORMATION}
    return (*hints, _ATTACK_HINT) if lowering & _CAMERA_RISKS else hints


def _challenge_hints(report: Report) -> Iterator[str]:
    for warning in report.warnings:
        if warning.risk == "CHALLENGE_NOT_COMPLETED" and warning.additional_data is not None:
            yield from (str(hint) for hint in items_of(warning.additional_data.get("hints")))


def _session_warnings(
    selfie: Selfie,
    config: LivenessConfig,
    node_id: str,
    passive_only_may_approve: bool,
    performed: Performed,
    feature: Feature,
) -> Iterator[RiskWarning]:
    if not selfie.has_face:
        yield warn("NO_FACE_DETECTED", node_id)
        return
    vouched = passive_only_may_approve or performed.challenge_passed
    yield from presence_warnings(selfie, config.thresholds, node_id, vouched)
    yield from challenge_warnings(performed, node_id)
    yield from injection_warnings(performed.all_signals, config, node_id, feature)
    if selfie.comparable_faces > 1:
        yield warn(
            "MULTIPLE_FACES_DETECTED",
            node_id,
            action=config.action("MULTIPLE_FACES_DETECTED"),
            additional_data={"faces": selfie.comparable_faces},
        )
    yield from _quality_warnings(selfie, config, node_id)
    told_already = any(signal.name.endswith("identical_frames") for signal in performed.strong_signals)
    if not told_already and selfie.liveness is not None and selfie.liveness.parts.get("identical_frames", 0) > 0:
        yield warn(
            VIDEO_ANOMALY,
            node_id,
            action=config.action(VIDEO_ANOMALY),
            additional_data={"identical_frames": int(selfie.liveness.parts["identical_frames"])},
        )
    if config.method is not CaptureMethod.PASSIVE and performed.method is CaptureMethod.PASSIVE:
        yield warn(
            "CHECK_NOT_AVAILABLE",
            node_id,
            feature=Feature.LIVENESS,
            additional_data={"asked_method": config.method.value, "performed_method": performed.method.value},
        )


def standalone_warnings(
    selfie: Selfie, thresholds: StandaloneThresholds, passive_only_may_approve: bool
) -> Iterator[RiskWarning]:
    """The liveness warnings of a standalone call that decide its status."""
    if not selfie.has_face:
        yield warn("NO_FACE_DETECTED", None)
        return
    yield from presence_warnings(selfie, thresholds, None, passive_only_may_approve)


def several_faces(selfie: Selfie) -> tuple[RiskWarning, ...]:
    """The warning of a standalone call about several faces of comparable size; at most one."""
    if selfie.comparable_faces < 2:
        return ()
    told: dict[str, JsonValue] = {"faces": selfie.comparable_faces}
    return (warn("MULTIPLE_FACES_DETECTED", None, log_type=LogType.WARNING, additional_data=told),)


def presence_warnings(
    selfie: Selfie,
    thresholds: Thresholds | StandaloneThresholds,
    node_id: str | None,
    vouched: bool,
) -> Iterator[RiskWarning]:
    """Warnings about attacks, the score, and the engine that gave it. The selfie has a face.

    ``vouched``: something else, or the rule of the application, lets the basic replay screening approve.
    """
    liveness = selfie.liveness
    if liveness is None:
        yield warn("CHECK_FAILED", node_id, feature=Feature.LIVENESS)
        return
    if liveness.attack_suspected:
        yield warn("LIVENESS_FACE_ATTACK", node_id, additional_data={"attack_type": liveness.attack_type})
    if liveness.engine == BASIC_ENGINE:
        yield warn(
            "BASIC_REPLAY_SCREENING",
            node_id,
            log_type=LogType.INFORMATION if vouched else LogType.WARNING,
            additional_data={"engine": liveness.engine},
        )
        if liveness.score is None:
            return
    effect = thresholds.log_type(liveness.score)
    if effect is not None:
        yield warn(
            "LOW_LIVENESS_SCORE",
            node_id,
            log_type=effect,
            additional_data={"score": liveness.score, "threshold": _crossed(thresholds, effect)},
        )


def _quality_warnings(selfie: Selfie, config: LivenessConfig, node_id: str) -> Iterator[RiskWarning]:
    quality = selfie.quality
    if quality is None:
        return
    if config.quality is not None:
        effect = config.quality.log_type(quality.overall)
        threshold: float | None = None if effect is None else _crossed(config.quality, effect)
    else:
        # A face that recognition cannot be trusted with is nobody's approval, whatever the workflow left unset.
        unusable = any(quality.components.get(name, 100.0) < _GATE for name in _GATES)
        effect, threshold = (LogType.WARNING if unusable else None), None
    if effect is not None:
        yield warn(
            "LOW_FACE_QUALITY",
            node_id,
            log_type=effect,
            additional_data={"score": quality.overall, "threshold": threshold, "hints": list(quality.hints)},
        )
    if config.luminance_min is not None and quality.luminance < config.luminance_min:
        yield _luminance("LOW_FACE_LUMINANCE", quality.luminance, config.luminance_min, config, node_id)
    if config.luminance_max is not None and quality.luminance > config.luminance_max:
        yield _luminance("HIGH_FACE_LUMINANCE", quality.luminance, config.luminance_max, config, node_id)


def _luminance(risk: str, measured: float, limit: float, config: LivenessConfig, node_id: str) -> RiskWarning:
    return warn(
        risk,
        node_id,
        action=config.action(risk),
        additional_data={"score": measured, "threshold": limit},
    )


def _crossed(thresholds: Thresholds | StandaloneThresholds, effect: LogType) -> float | None:
    return thresholds.decline if effect is LogType.ERROR else thresholds.review

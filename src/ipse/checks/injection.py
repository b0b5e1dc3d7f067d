"""Signs that the pictures did not come from a camera in front of a person: graded, reported, never a silent block.

What a browser says of itself can be forged by whoever controls it, so a missing signal proves nothing. A present one is
worth a reviewer's time, and the workflow says what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ipse.biometrics.frame_timing import Finding
from ipse.decision.features import Feature
from ipse.decision.settings import FeatureConfig
from ipse.decision.values import JsonObject
from ipse.decision.warnings import Action, LogType, RiskWarning, warn

WARNS_FROM: Final = 0.5
"""The grade (0-1) from which a signal becomes a warning; weaker ones are in the evidence only."""

DECLINES_FROM: Final = 0.7
"""The grade from which a signal may decline. Between the two a browser that tells its camera's shape wrongly, or a slow
display, is as likely as an attack: a workflow that wants to decline gets a review."""

INJECTION: Final = "FRAME_INJECTION_DETECTED"
VIRTUAL_CAMERA: Final = "VIRTUAL_CAMERA_DETECTED"
EXTERNAL_DEVICE: Final = "EXTERNAL_CAPTURE_DEVICE_DETECTED"
VIDEO_ANOMALY: Final = "LIVENESS_VIDEO_ANOMALY_DETECTED"
AUTOMATION: Final = "AUTOMATION_FRAMEWORK_DETECTED"

_RISKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "virtual_camera": VIRTUAL_CAMERA,
        "external_capture_device": EXTERNAL_DEVICE,
        "no_sensor_noise": VIDEO_ANOMALY,
        "frozen_background": VIDEO_ANOMALY,
        "frozen_face": VIDEO_ANOMALY,
        "webdriver": AUTOMATION,
        "automation": AUTOMATION,
    }
)
"""Which warning a signal belongs to; timing, digests, frames that repeat with their noise and
contradictions between claims and frames mean injection."""


def risk_of(name: str) -> str:
    """The risk that a signal stands for."""
    return _RISKS.get(name, INJECTION)


def injection_warnings(
    signals: Sequence[Finding], config: FeatureConfig, node_id: str | None, feature: Feature
) -> Iterator[RiskWarning]:
    """One warning for each risk that a strong signal speaks of, with every signal of that risk, the weak ones too."""
    for risk in dict.fromkeys(risk_of(signal.name) for signal in signals if signal.grade >= WARNS_FROM):
        of_risk = [signal for signal in signals if risk_of(signal.name) == risk]
        told: JsonObject = {"signals": told_of(of_risk)}
        if risk == AUTOMATION:
            # Its action is a setting of IP_ANALYSIS; a liveness step tells it and leaves the effect to that step.
            yield warn(risk, node_id, log_type=LogType.INFORMATION, additional_data=told, feature=feature)
        else:
            action = config.action(risk)
            if action is Action.DECLINE and max(signal.grade for signal in of_risk) < DECLINES_FROM:
                action = Action.REVIEW
            yield warn(risk, node_id, action=action, additional_data=told)


def told_of(signals: Iterable[Finding]) -> list[JsonObject]:
    """Signals as reports show them, strongest first."""
    ordered = sorted(signals, key=lambda signal: -signal.grade)
    return [
        {"name": signal.name, "grade": round(signal.grade, 3), "detail": signal.detail, "risk": risk_of(signal.name)}
        for signal in ordered
    ]

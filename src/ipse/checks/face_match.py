"""FACE_MATCH: is the live face the face of the reference?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from ipse.biometrics.calibration import CALIBRATION_VERSION, similarity_score
from ipse.biometrics.protection import Comparable
from ipse.checks.selfie import ReferenceFace, Selfie
from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.settings import FaceMatchConfig
from ipse.decision.thresholds import StandaloneThresholds, Thresholds
from ipse.decision.values import JsonValue
from ipse.decision.warnings import LogType, RiskWarning, warn

STALE_AFTER: Final = timedelta(days=5 * 365)
"""Age of a reference from which the report says that it is old (our choice: faces change over many years)."""


def similarity(probe: Comparable | None, reference: ReferenceFace | None) -> float | None:
    """Calibrated similarity of a face with the reference, 0-100 with two decimals.

    None where it cannot be computed: one of the two is missing or revoked, or another network made it. The check then
    reports that, and nobody is approved.
    """
    if probe is None or reference is None or probe.model_id != reference.template.model_id:
        return None
    return similarity_score(reference.template.compare(probe))


def assess(
    probe: Comparable | None,
    reference: ReferenceFace | None,
    score: float | None,
    config: FaceMatchConfig,
    node_id: str,
    *,
    now: datetime,
    selfie_media_id: str | None = None,
) -> Report:
    """Report on the face-match step of a session.

    ``probe`` is the template of the live face, None when no selfie shows one. ``score`` is
    ``similarity(probe, reference)``, 0-100, or None where it could not be computed. Without a probe or
    without a reference the step is Declined with ``NO_REFERENCE_IMAGE`` and no score, whatever ``score`` says.
    """
    used = score if probe is not None and reference is not None else None
    return report_from_warnings(
        Feature.FACE_MATCH,
        node_id,
        score=used,
        warnings=tuple(_warnings(probe, reference, used, config, node_id, now)),
        facts=_facts(probe, reference, config, now, selfie_media_id),
    )


def without_reference(
    config: FaceMatchConfig, node_id: str, *, first_use: bool, now: datetime, selfie_media_id: str | None
) -> Report:
    """Report where no reference was to be had by design, and none was lost.

    On first use (the application enrols whom it does not know yet) nothing is compared and the step passes, saying so.
    Otherwise the portrait of a document was expected that no check has produced: ``FACE_MATCH_NOT_COMPUTED``, In
    Review unless the workflow declines.
    """
    risk = "REFERENCE_ENROLLED_ON_FIRST_USE" if first_use else "FACE_MATCH_NOT_COMPUTED"
    return report_from_warnings(
        Feature.FACE_MATCH,
        node_id,
        score=None,
        warnings=(warn(risk, node_id, action=config.action(risk)),),
        facts=_facts(None, None, config, now, selfie_media_id),
    )


def assess_standalone(user: Selfie, reference: Selfie, score: float | None, thresholds: StandaloneThresholds) -> Report:
    """Report on a standalone face match (contract 30 section 1): two pictures, the largest face of each."""
    comparable = user.template is not None and reference.template is not None
    used = score if comparable else None
    return report_from_warnings(
        Feature.FACE_MATCH,
        "default",
        score=used,
        warnings=tuple(_standalone_warnings(user, reference, used, thresholds)),
        facts={
            "source_image_session_id": None,
            "source_media_id": None,
            "target_media_id": None,
            "user_image": user.user_image(),
            "ref_image": reference.user_image(),
            "evidence": {
                "calibration": CALIBRATION_VERSION,
                "decline_threshold": thresholds.decline,
                "review_threshold": thresholds.review,
            },
        },
    )


def _warnings(
    probe: Comparable | None,
    reference: ReferenceFace | None,
    score: float | None,
    config: FaceMatchConfig,
    node_id: str,
    now: datetime,
) -> Iterator[RiskWarning]:
    if probe is None or reference is None:
        missing = "reference" if reference is None else "selfie"
        yield warn("NO_REFERENCE_IMAGE", node_id, additional_data={"missing": missing})
        return
    if score is None:
        if reference.template.model_id != probe.model_id:
            yield warn("REFERENCE_MODEL_CHANGED", node_id, additional_data={"enroll_again": True})
        else:
            yield warn("FACE_MATCH_NOT_COMPUTED", node_id, action=config.action("FACE_MATCH_NOT_COMPUTED"))
        return
    yield from _similarity_warnings(score, config.thresholds, node_id)
    if reference.kind == "supplied":
        yield warn("REFERENCE_SUPPLIED_BY_CALLER", node_id)
    if now - reference.created_at >= STALE_AFTER:
        yield warn("REFERENCE_FACE_STALE", node_id, additional_data={"age_days": _age_days(reference, now)})


def _standalone_warnings(
    user: Selfie, reference: Selfie, score: float | None, thresholds: StandaloneThresholds
) -> Iterator[RiskWarning]:
    if user.template is None or reference.template is None:
        without = [name for name, side in (("user_image", user), ("ref_image", reference)) if side.template is None]
        yield warn("NO_REFERENCE_IMAGE", None, additional_data={"no_face_in": without})
    elif score is None:
        yield warn("FACE_MATCH_NOT_COMPUTED", None, log_type=LogType.ERROR)
    else:
        yield from _similarity_warnings(score, thresholds, None)


def _similarity_warnings(
    score: float, thresholds: Thresholds | StandaloneThresholds, node_id: str | None
) -> Iterator[RiskWarning]:
    effect = thresholds.log_type(score)
    if effect is None:
        return
    threshold = thresholds.decline if effect is LogType.ERROR else thresholds.review
    yield warn(
        "LOW_FACE_MATCH_SIMILARITY",
        node_id,
        log_type=effect,
        additional_data={"score": score, "threshold": threshold},
    )


def _facts(
    probe: Comparable | None,
    reference: ReferenceFace | None,
    config: FaceMatchConfig,
    now: datetime,
    selfie_media_id: str | None,
) -> dict[str, JsonValue]:
    """The fields of a ``face_matches[]`` item; source is the reference and target the selfie (contract 90 C3)."""
    told: JsonValue = None
    if reference is not None:
        told = {
            "kind": reference.kind,
            "supplied_by": reference.supplied_by,
            "session_id": reference.session_id,
            "created_at": reference.created_at.isoformat(),
            "age_days": _age_days(reference, now),
        }
    return {
        "source_image_session_id": reference.session_id if reference is not None else None,
        "source_media_id": reference.media_id if reference is not None else None,
        "target_media_id": selfie_media_id,
        "reference": told,
        "evidence": {
            "calibration": CALIBRATION_VERSION,
            "model": probe.model_id if probe is not None else None,
            "decline_threshold": config.thresholds.decline,
            "review_threshold": config.thresholds.review,
        },
    }


def _age_days(reference: ReferenceFace, now: datetime) -> int:
    return max(0, (now - reference.created_at).days)

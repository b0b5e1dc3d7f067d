"""What the sandbox scenarios guarantee."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from ipse.decision.features import WORKFLOW_FEATURES, Feature
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonObject
from ipse.decision.warnings import LogType
from ipse.sandbox.scenarios import SCENARIOS, UnknownScenario, report_for, scenario

# Contract 70 section 4: slug, category, the feature it acts on, and the warning expected of it.
CATALOGUE: Final[tuple[tuple[str, str, Feature, str], ...]] = (
    ("decline_document_expired", "decline", Feature.OCR, "DOCUMENT_EXPIRED"),
    ("decline_could_not_recognize_document", "decline", Feature.OCR, "COULD_NOT_RECOGNIZE_DOCUMENT"),
    ("decline_mrz_validation", "decline", Feature.OCR, "MRZ_VALIDATION_FAILED"),
    ("decline_minimum_age", "decline", Feature.OCR, "MINIMUM_AGE_NOT_MET"),
    ("decline_face_match_low_similarity", "decline", Feature.FACE_MATCH, "LOW_FACE_MATCH_SIMILARITY"),
    ("decline_liveness_attack", "decline", Feature.LIVENESS, "LIVENESS_FACE_ATTACK"),
    ("decline_aml_hit", "decline", Feature.AML, "AML_MATCH_CONFIRMED"),
    ("decline_ip_blocklist", "decline", Feature.IP_ANALYSIS, "IP_ADDRESS_IN_BLOCKLIST"),
    ("decline_poa_address_mismatch", "decline", Feature.PROOF_OF_ADDRESS, "ADDRESS_MISMATCH_WITH_PROVIDED"),
    ("decline_nfc_chip_not_verified", "decline", Feature.NFC, "NFC_CHIP_NOT_VERIFIED"),
    ("decline_database_no_match", "decline", Feature.DATABASE_VALIDATION, "DATABASE_VALIDATION_NO_MATCH"),
    ("decline_kyb_registry_mismatch", "decline", Feature.KYB_REGISTRY, "REGISTRY_MISMATCH"),
    ("review_aml_possible_match", "review", Feature.AML, "POSSIBLE_MATCH_FOUND"),
    ("review_face_match_borderline", "review", Feature.FACE_MATCH, "LOW_FACE_MATCH_SIMILARITY"),
    ("review_poa_partial_match", "review", Feature.PROOF_OF_ADDRESS, "ADDRESS_MISMATCH_WITH_PROVIDED"),
)
_VERDICT: Final = {
    "decline": (FeatureStatus.DECLINED, LogType.ERROR),
    "review": (FeatureStatus.IN_REVIEW, LogType.WARNING),
}


def test_the_catalogue_is_the_contract_s() -> None:
    assert list(SCENARIOS) == ["approve", *(slug for slug, *_ in CATALOGUE)]
    assert SCENARIOS["approve"].category == "success"
    assert all(SCENARIOS[slug].category == category for slug, category, *_ in CATALOGUE)


@pytest.mark.parametrize(("slug", "category", "feature", "risk"), CATALOGUE)
def test_a_scenario_gives_its_verdict_and_warning_on_its_feature(
    slug: str, category: str, feature: Feature, risk: str
) -> None:
    report = report_for(slug, feature, "node", {})
    status, log_type = _VERDICT[category]
    assert report.status is status
    assert [(warning.risk, warning.log_type) for warning in report.warnings] == [(risk, log_type)]


@pytest.mark.parametrize("slug", SCENARIOS)
@pytest.mark.parametrize("feature", sorted(WORKFLOW_FEATURES))
def test_every_other_feature_approves(slug: str, feature: Feature) -> None:
    report = report_for(slug, feature, "node", {})
    if feature not in SCENARIOS[slug].effects:
        assert report.status is FeatureStatus.APPROVED
        assert report.warnings == ()
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_no_scenario_means_approve() -> None:
    assert report_for(None, Feature.LIVENESS, "node", {}) == report_for("approve", Feature.LIVENESS, "node", {})
    with pytest.raises(UnknownScenario) as refused:
        scenario("decline_everything")
    assert "decline_everything" in str(refused.value)


def test_the_same_scenario_always_gives_the_same_bytes() -> None:
    texts = {json.dumps(report_for(slug, f, "n", {}).to_json()) for slug in SCENARIOS for f in Feature}
    again = {json.dumps(report_for(slug, f, "n", {}).to_json()) for slug in SCENARIOS for f in Feature}
    assert texts == again


@pytest.mark.parametrize(("decline", "review"), [(40, 60), (70, 90), (0, 0), (99, 100)])
def test_scores_agree_with_the_thresholds_of_the_node(decline: int, review: int) -> None:
    config: JsonObject = {
        "face_match_score_decline_threshold": decline,
        "face_match_score_review_threshold": review,
    }
    passing = report_for("approve", Feature.FACE_MATCH, "node", config).score
    low = report_for("decline_face_match_low_similarity", Feature.FACE_MATCH, "node", config).score
    middle = report_for("review_face_match_borderline", Feature.FACE_MATCH, "node", config).score
    assert passing is not None
    assert low is not None
    assert middle is not None
    assert low <= decline <= middle <= review <= passing


def test_the_captured_picture_and_the_asked_method_are_shown() -> None:
    live = report_for(None, Feature.LIVENESS, "node", {"face_liveness_method": "active_3d"}, media_id="media-1")
    assert (live.facts["reference_media_id"], live.facts["method"]) == ("media-1", "ACTIVE_3D")
    match = report_for(None, Feature.FACE_MATCH, "node", {}, media_id="media-1")
    assert match.facts["target_media_id"] == "media-1"


def test_the_documentation_names_every_scenario_with_its_verdict_and_features() -> None:
    page = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert list(rows)[-len(SCENARIOS) :] == list(SCENARIOS)
    verdicts = {"success": "Approved", "decline": "Declined", "review": "In Review"}
    for slug, one in SCENARIOS.items():
        verdict, features, risks = (cell.strip() for cell in rows[slug].split("|"))
        assert verdict == verdicts[one.category]
        assert features == (", ".join(one.effects) or "–")
        assert {effect.risk for effect in one.effects.values()} == set(re.findall(r"[A-Z_]{4,}", risks))

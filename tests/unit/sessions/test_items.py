"""Decision items: every key of the contract, links instead of media ids, and the singular extras."""

from __future__ import annotations

from ipse.decision.features import PERSON_ARRAYS, Feature
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.decision.warnings import warn
from ipse.sessions.items import item_of, singular_extras


def link(media_id: str) -> str:
    return f"https://host/media/{media_id}"


LIVENESS = Report(
    Feature.LIVENESS,
    "feature_liveness",
    FeatureStatus.APPROVED,
    96.4,
    facts={
        "method": "PASSIVE",
        "reference_media_id": "m1",
        "matches": [{"media_id": "m9", "similarity_percentage": 71.0}],
    },
)
MATCH = Report(
    Feature.FACE_MATCH,
    "feature_face_match",
    FeatureStatus.DECLINED,
    30.118,
    warnings=(warn("LOW_FACE_MATCH_SIMILARITY", "feature_face_match"),),
    facts={"source_media_id": "m2", "target_media_id": "m1", "source_image_session_id": "s1"},
)


def test_liveness_item_has_every_key_and_links_its_image() -> None:
    item = item_of(LIVENESS, link)
    assert set(item) >= {
        "node_id", "status", "method", "score", "reference_image", "video_url", "age_estimation", "matches",
        "warnings", "face_quality", "face_luminance",
    }  # fmt: skip
    assert item["reference_image"] == "https://host/media/m1"
    assert item["matches"] == [{"similarity_percentage": 71.0, "match_image_url": "https://host/media/m9"}]
    assert not any(key.endswith("media_id") for key in item)


def test_match_item_names_reference_as_source_and_selfie_as_target() -> None:
    item = item_of(MATCH, link)
    assert (item["source_image"], item["target_image"]) == ("https://host/media/m2", "https://host/media/m1")


def test_missing_image_stays_null() -> None:
    assert item_of(Report(Feature.LIVENESS, "n", FeatureStatus.DECLINED), link)["reference_image"] is None


def test_lists_of_the_contract_are_empty_and_never_null() -> None:
    item = item_of(Report(Feature.OCR, "n", FeatureStatus.IN_REVIEW), link)
    assert item["extra_files"] == []
    assert item["matches"] == []
    assert item["extra_fields"] == {}


def test_singular_extras_repeat_the_first_item_and_halve_nothing() -> None:
    arrays: dict[str, list[dict[str, object]]] = {name: [] for name in PERSON_ARRAYS}
    arrays["liveness_checks"] = [item_of(LIVENESS, link)]
    arrays["face_matches"] = [item_of(MATCH, link)]
    extras = singular_extras([LIVENESS, MATCH], arrays)
    assert extras["liveness"]["score"] == 96.4
    assert extras["face"] == {"status": "Declined", "similarity_score": 0.3012}
    assert extras["face_match"]["score"] == 30.118
    assert "ip_analysis" not in extras


def test_score_that_was_not_computed_stays_null_in_both_scales() -> None:
    report = Report(Feature.FACE_MATCH, "n", FeatureStatus.DECLINED)
    extras = singular_extras([report], {"face_matches": [item_of(report, link)]})
    assert extras["face"]["similarity_score"] is None
    assert extras["face_match"]["score"] is None

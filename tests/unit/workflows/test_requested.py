"""What clients send becomes one list of features, whatever dialect they speak."""

from __future__ import annotations

from typing import Any

import pytest

from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, WorkflowGraph
from ipse.decision.presets import biometric_authentication, ip_gated_step_up, kyc
from ipse.edge.errors import FieldErrors
from ipse.workflows.errors import InvalidFeatures
from ipse.workflows.requested import (
    features_of_flags,
    is_understood,
    read_features,
    simple_graph,
    with_flat_settings,
)
from ipse.workflows.versions import WorkflowSettings, workflow_type_of
from ipse.workflows.view import flat_settings

F = Feature


def config_of(graph: WorkflowGraph, node_id: str) -> dict[str, Any]:
    node = graph.nodes[node_id]
    assert isinstance(node, FeatureNode)
    return dict(node.config)


def test_items_are_read_with_aliases_labels_and_keys_beside_the_config() -> None:
    first, second, third = read_features(
        [
            {"feature": "ID_VERIFICATION", "label": "Document"},
            {"feature": "FACE_MATCH", "review_threshold": 70, "config": {"decline_threshold": 50}},
            "liveness",
        ]
    )
    assert (first.feature, first.label) == (F.OCR, "Document")
    assert second.config == {"review_threshold": 70, "decline_threshold": 50}
    assert third.feature is F.LIVENESS


@pytest.mark.parametrize(
    "item",
    [
        3,
        None,
        {},
        {"feature": "TELEPATHY"},
        {"feature": "FACE_SEARCH"},
        {"feature": 3},
        {"feature": "LIVENESS", "config": []},
        {"feature": "LIVENESS", "label": 3},
        {"feature": "LIVENESS", "label": "x" * 101},
    ],
)
def test_an_unusable_item_is_named_by_its_position(item: Any) -> None:
    with pytest.raises(InvalidFeatures) as caught:
        read_features([{"feature": "LIVENESS"}, item])
    (message,) = caught.value.body["features"]
    assert message.startswith("Item 2: ")


@pytest.mark.parametrize(
    ("items", "part"),
    [
        (["FACE_MATCH"], "FACE_MATCH must come after"),
        (["IP_ANALYSIS"], "IP_ANALYSIS cannot be the first"),
        (["QUESTIONNAIRE"], "questionnaire_uuid"),
        ([{"feature": "LIVENESS", "config": {"face_liveness_score_review_threshold": 101}}], "feature_liveness"),
        ([{"feature": "LIVENESS", "config": {"status_rules": [{"field": "x"}]}}], "status rule"),
    ],
)
def test_a_list_that_cannot_run_is_refused_with_a_sentence(items: list[Any], part: str) -> None:
    with pytest.raises(InvalidFeatures) as caught:
        simple_graph(read_features(items))
    assert part in " ".join(caught.value.body["features"])


@pytest.mark.parametrize(
    ("body", "features"),
    [
        ({}, None),
        ({"is_liveness_enabled": False}, None),
        ({"workflow_type": "kyc"}, [F.OCR, F.LIVENESS, F.FACE_MATCH]),
        (
            {"workflow_type": "kyc", "is_nfc_enabled": True, "is_face_match_enabled": False, "is_aml_enabled": True},
            [F.OCR, F.NFC, F.LIVENESS, F.AML],
        ),
        ({"workflow_type": "biometric_authentication"}, [F.LIVENESS]),
        (
            {
                "workflow_type": "biometric_authentication",
                "is_face_match_enabled": True,
                "is_ip_analysis_enabled": True,
            },
            [F.LIVENESS, F.FACE_MATCH, F.IP_ANALYSIS],
        ),
        ({"is_face_match_enabled": True}, [F.LIVENESS, F.FACE_MATCH]),
        ({"is_id_verification_enabled": True}, [F.OCR, F.LIVENESS, F.FACE_MATCH]),
        ({"workflow_type": "adaptive_age_verification"}, [F.AGE_ESTIMATION]),
    ],
)
def test_flat_flags_build_the_feature_list(body: dict[str, Any], features: list[Feature] | None) -> None:
    read = features_of_flags(body)
    assert (read if read is None else [item.feature for item in read]) == features


@pytest.mark.parametrize("kind", ["kyb", "astrology", 3])
def test_a_workflow_type_that_flags_cannot_build_is_refused(kind: Any) -> None:
    with pytest.raises(FieldErrors) as caught:
        features_of_flags({"workflow_type": kind})
    assert "workflow_type" in caught.value.body


def test_top_level_keys_reach_the_nodes_that_know_them() -> None:
    flat: dict[str, Any] = {
        "face_liveness_method": "active_3d",
        "review_threshold": 80,
        "decline_threshold": 55,
        "made_up": 1,
        "is_white_label_enabled": True,
    }
    graph = with_flat_settings(simple_graph(read_features(["LIVENESS", "FACE_MATCH"])), flat, override=False)
    assert config_of(graph, "feature_liveness") == {"face_liveness_method": "ACTIVE_3D"}
    assert config_of(graph, "feature_face_match") == {
        "face_match_score_review_threshold": 80,
        "face_match_score_decline_threshold": 55,
    }


def test_the_node_wins_on_create_and_the_top_level_on_update() -> None:
    graph = biometric_authentication()
    kept = with_flat_settings(graph, {"face_liveness_method": "flashing"}, override=False)
    replaced = with_flat_settings(graph, {"face_liveness_method": "flashing"}, override=True)
    assert config_of(kept, "feature_liveness") == {"face_liveness_method": "PASSIVE"}
    assert config_of(replaced, "feature_liveness") == {"face_liveness_method": "FLASHING"}


def test_an_unusable_top_level_value_is_an_error_of_its_key() -> None:
    with pytest.raises(FieldErrors) as caught:
        with_flat_settings(biometric_authentication(), {"decline_threshold": 101}, override=True)
    assert list(caught.value.body) == ["decline_threshold"]


def test_thresholds_that_cross_only_together_are_refused() -> None:
    graph = simple_graph(
        read_features(["LIVENESS", {"feature": "FACE_MATCH", "config": {"face_match_score_review_threshold": 60}}])
    )
    with pytest.raises(InvalidFeatures):
        with_flat_settings(graph, {"decline_threshold": 90}, override=False)


def test_known_and_unknown_keys_are_told_apart() -> None:
    for name in ("workflow_type", "is_aml_enabled", "documents_allowed", "review_threshold", "VPN_detection_action"):
        assert is_understood(name)
    for name in ("made_up", "status_rules", "colour"):
        assert not is_understood(name)


@pytest.mark.parametrize(
    ("features", "kind"),
    [
        ([F.OCR, F.LIVENESS, F.FACE_MATCH], "kyc"),
        ([F.LIVENESS, F.FACE_MATCH, F.IP_ANALYSIS], "biometric_authentication"),
        ([F.LIVENESS], "biometric_authentication"),
        ([F.AGE_ESTIMATION, F.OCR], "adaptive_age_verification"),
        ([F.PROOF_OF_ADDRESS], "address_verification"),
        ([F.PHONE_VERIFICATION], "phone_verification"),
        ([F.KYB_REGISTRY, F.KYB_KEY_PEOPLE], "kyb"),
        ([F.LIVENESS, F.PHONE_VERIFICATION], None),
        ([F.DOCUMENT_AI], None),
        ([], None),
    ],
)
def test_the_workflow_type_follows_from_the_features(features: list[Feature], kind: str | None) -> None:
    assert workflow_type_of(tuple(features)) == kind


def test_flat_settings_show_what_is_in_effect() -> None:
    flat = flat_settings(with_flat_settings(kyc(), {"decline_threshold": 45}, override=True))
    assert len(flat) > 190
    assert flat["face_match_score_decline_threshold"] == 45
    assert flat["face_match_score_review_threshold"] == 60
    assert flat["face_liveness_score_decline_threshold"] == 50
    assert flat["face_liveness_method"] == "passive"
    assert flat["vpn_detection_action"] == "no_action"
    assert flat["duplicated_user_action"] == "no_action"
    assert flat["is_nfc_enabled"] is False
    assert flat["is_ip_analysis_enabled"] is True
    assert flat["documents_allowed"] is None
    assert flat_settings(ip_gated_step_up())["is_face_match_enabled"] is True


def test_settings_come_back_from_storage_and_tolerate_older_rows() -> None:
    changed = WorkflowSettings().changed({"max_retry_attempts": 0, "retry_window_days": None, "junk": 1})
    assert (changed.max_retry_attempts, changed.retry_window_days) == (0, None)
    assert WorkflowSettings.from_json(changed.to_json()) == changed
    assert WorkflowSettings.from_json({}) == WorkflowSettings()

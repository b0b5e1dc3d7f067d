"""Feature configuration is read in every spelling of the contract and complained about by node."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.config import KEYS, CaptureMethod, parse_method, read_config
from ipse.decision.features import Feature
from ipse.decision.problems import InvalidGraph
from ipse.decision.settings import (
    AgeEstimationConfig,
    FaceMatchConfig,
    IpAnalysisConfig,
    LivenessConfig,
)
from ipse.decision.thresholds import Thresholds
from ipse.decision.values import JsonValue
from ipse.decision.warnings import Action
from tests.unit.decision.strategies import JSON


def test_defaults_are_those_of_the_contract() -> None:
    liveness = LivenessConfig.read({}, "n")
    assert liveness.thresholds == Thresholds(decline=50, review=70)
    assert liveness.method is CaptureMethod.PASSIVE
    assert liveness.max_attempts == 3
    assert liveness.face_search_enabled
    assert (liveness.duplicate_possible, liveness.duplicate_certain) == (62, 68)
    assert liveness.quality is None
    assert FaceMatchConfig.read({}, "n").thresholds == Thresholds(decline=40, review=60)
    assert IpAnalysisConfig.read({}, "n").action("PRIVATE_NETWORK_DETECTED") is Action.NO_ACTION
    assert AgeEstimationConfig.read({}, "n").minimum_age == 18


@pytest.mark.parametrize("method", ["passive", "PASSIVE", "Passive"])
def test_methods_are_read_in_any_case_and_stored_in_upper_case(method: str) -> None:
    assert read_config(Feature.LIVENESS, {"face_liveness_method": method}, "n").values == {
        "face_liveness_method": "PASSIVE"
    }


@pytest.mark.parametrize(
    ("value", "method"),
    [("active-3d", CaptureMethod.ACTIVE_3D), ("flash", CaptureMethod.FLASHING), ("telepathy", None), (3, None)],
)
def test_method_spellings(value: JsonValue, method: CaptureMethod | None) -> None:
    assert parse_method(value) is method


def test_short_threshold_names_of_the_seeds_are_mapped_and_the_long_name_wins() -> None:
    config = FaceMatchConfig.read({"review_threshold": 80, "decline_threshold": 55}, "n")
    assert config.thresholds == Thresholds(decline=55, review=80)
    both = {"Review_Threshold": 80, "face_match_score_review_threshold": 75}
    assert FaceMatchConfig.read(both, "n").thresholds.review == 75
    assert read_config(Feature.AML, {"review_threshold": 5}, "n").values == {}


def test_fractions_are_read_as_percent() -> None:
    read = read_config(Feature.FACE_MATCH, {"face_match_score_decline_threshold": 0.55}, "n")
    assert read.values["face_match_score_decline_threshold"] == pytest.approx(55)


@pytest.mark.parametrize(
    ("config", "thresholds"),
    [
        ({"face_match_score_decline_threshold": 80}, Thresholds(80, 80)),
        ({"face_match_score_review_threshold": 20}, Thresholds(20, 20)),
        ({"face_match_score_review_threshold": 90}, Thresholds(40, 90)),
    ],
)
def test_one_given_threshold_never_crosses_the_default_of_the_other(
    config: dict[str, JsonValue], thresholds: Thresholds
) -> None:
    assert FaceMatchConfig.read(config, "n").thresholds == thresholds


@pytest.mark.parametrize(
    ("config", "quality"),
    [
        ({"face_quality_decline_threshold": 20}, Thresholds(20, 20)),
        ({"face_quality_review_threshold": 40}, Thresholds(0, 40)),
        ({"face_quality_review_threshold": 40, "face_quality_decline_threshold": 20}, Thresholds(20, 40)),
    ],
)
def test_quality_thresholds_apply_only_where_they_are_set(config: dict[str, JsonValue], quality: Thresholds) -> None:
    assert LivenessConfig.read(config, "n").quality == quality


def test_unlisted_keys_are_dropped_and_null_means_the_default() -> None:
    read = read_config(
        Feature.LIVENESS, {"made_up": 1, "face_liveness_max_attempts": None, "documents_allowed": {}}, "n"
    )
    assert read.values == {}
    assert read.problems == ()


@pytest.mark.parametrize(
    ("feature", "config", "wanted"),
    [
        (Feature.LIVENESS, {"face_liveness_score_decline_threshold": 101}, "from 0 to 100"),
        (Feature.LIVENESS, {"face_liveness_score_decline_threshold": "50"}, "from 0 to 100"),
        (Feature.LIVENESS, {"face_liveness_score_decline_threshold": float("nan")}, "from 0 to 100"),
        (Feature.LIVENESS, {"face_liveness_max_attempts": 4}, "from 1 to 3"),
        (Feature.LIVENESS, {"face_liveness_max_attempts": 1.5}, "from 1 to 3"),
        (Feature.LIVENESS, {"face_search_enabled": "yes"}, "true or false"),
        (Feature.LIVENESS, {"virtual_camera_action": "explode"}, "NO_ACTION, REVIEW or DECLINE"),
        (Feature.LIVENESS, {"face_liveness_method": "telepathy"}, "PASSIVE, FLASHING or ACTIVE_3D"),
        (Feature.LIVENESS, {"face_liveness_mode": 3}, "text"),
        (Feature.LIVENESS, {"race_map_similarity_thresholds": 3}, "an object"),
        (Feature.FACE_MATCH, {"face_match_not_computed_action": "NO_ACTION"}, "REVIEW or DECLINE"),
        (Feature.OCR, {"image_capture_methods_allowed": "UPLOAD"}, "a list"),
    ],
)
def test_an_unusable_value_is_a_problem_that_names_the_node_and_the_key(
    feature: Feature, config: dict[str, JsonValue], wanted: str
) -> None:
    (problem,) = read_config(feature, config, "feature_x").problems
    assert problem.node_id == "feature_x"
    assert problem.code == "bad_config"
    assert next(iter(config)) in problem.message
    assert wanted in problem.message


def test_usable_values_of_every_kind_are_kept() -> None:
    config: dict[str, JsonValue] = {
        "image_capture_methods_allowed": ["UPLOAD"],
        "documents_allowed": {"ESP": {}},
        "minimum_age": 18,
        "duplicated_user_action": "review",
        "is_age_restrictions_enabled": True,
        "status_rules": [],
    }
    assert read_config(Feature.OCR, config, "n").values == {**config, "duplicated_user_action": "REVIEW"}
    assert read_config(Feature.DOCUMENT_AI, {"fields": 3}, "n").values == {"fields": 3}
    assert read_config(Feature.FACE_MATCH, {"face_match_not_computed_action": "decline"}, "n").values == {
        "face_match_not_computed_action": "DECLINE"
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example",
        "https://bank.example/other-way?from=ipse#top",
        "https://münchen.example:8443/weg",
        "http://localhost:3000/other",
        "http://127.0.0.1/x",
        "http://[::1]:8080",
    ],
)
def test_the_way_without_biometrics_is_an_address_a_person_can_be_sent_to(url: str) -> None:
    assert LivenessConfig.read({"non_biometric_alternative_url": url}, "n").alternative_url == url
    assert AgeEstimationConfig.read({"non_biometric_alternative_url": url}, "n").liveness.alternative_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        3,
        "bank.example/other",
        "/other",
        "http://bank.example",
        "http://localhost.bank.example",
        "http://localhost@bank.example",
        "https://bank.example@evil.example",
        "https://",
        "https:///path",
        "https://bank.example/a b",
        "https://bank.example/\n",
        "https://bank.example/\u202egnp",
        "https://bank.example\\@evil.example",
        "javascript:alert(1)",
        "https://bank.example/" + "a" * 2048,
    ],
)
def test_an_address_that_could_mislead_or_leak_is_refused(url: JsonValue) -> None:
    (problem,) = read_config(Feature.LIVENESS, {"non_biometric_alternative_url": url}, "feature_x").problems
    assert problem.code == "bad_config"
    assert "an https URL" in problem.message


def test_a_session_may_move_to_another_device_unless_the_workflow_forbids_it() -> None:
    assert LivenessConfig.read({}, "n").handoff_allowed
    assert not LivenessConfig.read({"handoff_allowed": False}, "n").handoff_allowed


def test_a_decline_threshold_above_the_review_threshold_is_a_problem() -> None:
    config = {"face_match_score_decline_threshold": 70, "face_match_score_review_threshold": 60}
    (problem,) = read_config(Feature.FACE_MATCH, config, "feature_face_match").problems
    assert problem.code == "crossed_thresholds"
    assert problem.node_id == "feature_face_match"


def test_typed_settings_refuse_what_validation_refuses() -> None:
    with pytest.raises(InvalidGraph, match="feature_x"):
        LivenessConfig.read({"face_liveness_max_attempts": 9}, "feature_x")


def test_actions_come_from_the_node_and_else_from_the_catalogue() -> None:
    config = LivenessConfig.read({"face_liveness_multiple_faces_action": "Decline"}, "n")
    assert config.action("MULTIPLE_FACES_DETECTED") is Action.DECLINE
    assert config.action("VIRTUAL_CAMERA_DETECTED") is Action.DECLINE
    assert config.action("DUPLICATED_FACE") is Action.NO_ACTION
    assert config.action("LOW_LIVENESS_SCORE") is Action.DECLINE
    assert config.action("DUPLICATED_FACE", "face_liveness_multiple_faces_action") is Action.DECLINE


def test_age_settings_include_liveness_and_the_borderline() -> None:
    config = AgeEstimationConfig.read(
        {
            "minimum_age_threshold": 21,
            "borderline_minimum_age_threshold": 18,
            "borderline_maximum_age_threshold": 25,
            "enable_id_verification_fallback": True,
            "face_liveness_score_decline_threshold": 30,
        },
        "n",
    )
    assert (config.minimum_age, config.borderline_minimum, config.borderline_maximum) == (21, 18, 25)
    assert config.document_fallback
    assert config.liveness.thresholds == Thresholds(30, 70)


def test_duplicate_bands_are_tunable() -> None:
    flat = LivenessConfig.read({"race_map_similarity_thresholds": {"possible": 50, "high": 60}}, "n")
    nested = LivenessConfig.read({"race_map_similarity_thresholds": {"default": {"possible": 51}}}, "n")
    assert (flat.duplicate_possible, flat.duplicate_certain) == (50, 60)
    assert (nested.duplicate_possible, nested.duplicate_certain) == (51, 68)


def test_geofencing_is_off_unless_enabled() -> None:
    fence: JsonValue = {"ESP": {"allowed": True, "states": None}}
    config = IpAnalysisConfig.read({"is_ip_geofencing_enabled": True, "ip_geofencing_by_country": fence}, "n")
    assert config.geofencing_enabled
    assert config.geofencing_by_country == fence
    assert not IpAnalysisConfig.read({}, "n").geofencing_enabled


NAMES = sorted({name for keys in KEYS.values() for name in keys} | {"status_rules", "anything"})


@given(st.sampled_from(Feature), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_reading_a_configuration_never_raises_and_is_stable(feature: Feature, config: dict[str, JsonValue]) -> None:
    read = read_config(feature, config, "n")
    assert set(read.values) <= {*KEYS[feature], "status_rules"}
    assert all(problem.node_id == "n" for problem in read.problems)
    assert read_config(feature, read.values, "n").values == read.values

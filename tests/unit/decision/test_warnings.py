"""Warnings carry the effect that the catalogue and the configuration give them."""

from __future__ import annotations

import pytest

from ipse.decision.features import NAMES, Feature
from ipse.decision.risk_catalogue import CATALOGUE, parse_catalogue
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import (
    Action,
    LogType,
    RiskWarning,
    UnknownRisk,
    default_action,
    is_enforced,
    status_from_warnings,
    warn,
)


@pytest.mark.parametrize(
    ("spelling", "action"),
    [
        ("NO_ACTION", Action.NO_ACTION),
        ("no_action", Action.NO_ACTION),
        ("Approve", Action.NO_ACTION),
        ("Review", Action.REVIEW),
        ("review", Action.REVIEW),
        ("in review", Action.REVIEW),
        ("DECLINE", Action.DECLINE),
        ("Decline", Action.DECLINE),
        ("explode", None),
        (7, None),
        (None, None),
    ],
)
def test_actions_are_read_in_every_spelling(spelling: JsonValue, action: Action | None) -> None:
    assert Action.parse(spelling) is action


@pytest.mark.parametrize(
    ("action", "log_type"),
    [
        (Action.NO_ACTION, LogType.INFORMATION),
        (Action.REVIEW, LogType.WARNING),
        (Action.DECLINE, LogType.ERROR),
    ],
)
def test_the_log_type_is_the_effect_of_the_action(action: Action, log_type: LogType) -> None:
    assert warn("LOW_LIVENESS_SCORE", "n", action=action).log_type is log_type


def test_a_given_log_type_wins_over_the_action_and_the_default_fills_in() -> None:
    given = warn("LOW_LIVENESS_SCORE", "n", action=Action.REVIEW, log_type=LogType.ERROR)
    assert given.log_type is LogType.ERROR
    assert warn("DUPLICATED_IP_ADDRESS", "n").log_type is LogType.INFORMATION
    assert warn("LOW_FACE_QUALITY", "n").log_type is LogType.WARNING


@pytest.mark.parametrize("risk", ["NO_REFERENCE_IMAGE", "NO_FACE_DETECTED", "LIVENESS_FACE_ATTACK"])
def test_an_enforced_risk_declines_whatever_the_configuration_says(risk: str) -> None:
    assert is_enforced(risk)
    assert warn(risk, "n", action=Action.NO_ACTION).log_type is LogType.ERROR
    assert warn(risk, "n", log_type=LogType.INFORMATION).log_type is LogType.ERROR


def test_an_allowlist_hit_only_informs() -> None:
    assert warn("FACE_IN_ALLOWLIST", "n", action=Action.DECLINE).log_type is LogType.INFORMATION


def test_an_unlisted_code_is_refused() -> None:
    with pytest.raises(UnknownRisk, match="MADE_UP"):
        warn("MADE_UP", "n")
    with pytest.raises(UnknownRisk):
        default_action("MADE_UP")
    assert not is_enforced("MADE_UP")


def test_a_warning_has_the_seven_keys_of_the_contract() -> None:
    warning = warn("LOW_FACE_MATCH_SIMILARITY", "feature_face_match", additional_data={"score": 12.5, "threshold": 40})
    assert warning.to_json() == {
        "feature": "FACEMATCH",
        "risk": "LOW_FACE_MATCH_SIMILARITY",
        "additional_data": {"score": 12.5, "threshold": 40},
        "log_type": "error",
        "short_description": "Low similarity",
        "long_description": "The live face and the reference face are less similar than this workflow asks for.",
        "node_id": "feature_face_match",
    }


def test_a_shared_code_takes_the_tag_of_the_check_that_raises_it() -> None:
    assert warn("SCREEN_CAPTURE_DETECTED", "n").tag == "ID_VERIFICATION"
    assert warn("SCREEN_CAPTURE_DETECTED", "n", feature=Feature.LIVENESS).tag == "LIVENESS"
    assert warn("CHECK_NOT_AVAILABLE", "n", feature=Feature.IP_ANALYSIS).tag == "LOCATION"


def _warnings(*log_types: LogType) -> list[RiskWarning]:
    return [warn("LOW_LIVENESS_SCORE", "n", log_type=log_type) for log_type in log_types]


def test_the_strongest_warning_decides_the_status() -> None:
    information, warning, error = LogType.INFORMATION, LogType.WARNING, LogType.ERROR
    assert status_from_warnings([]) is FeatureStatus.APPROVED
    assert status_from_warnings(_warnings(information)) is FeatureStatus.APPROVED
    assert status_from_warnings(_warnings(information, warning)) is FeatureStatus.IN_REVIEW
    assert status_from_warnings(_warnings(warning, error, information)) is FeatureStatus.DECLINED


def test_the_catalogue_lists_every_code_once_with_wording_and_a_known_tag() -> None:
    tags = {names.warning_tag for names in NAMES.values()} | {"*"}
    for risk in CATALOGUE.values():
        assert risk.code == risk.code.upper()
        assert risk.tag in tags
        assert risk.short_description
        assert risk.long_description.endswith(".")


def test_the_catalogue_refuses_a_code_listed_twice() -> None:
    header = "code\ttag\teffect\tenforced\tconfig_key\tshort_description\tlong_description"
    line = "X\tLIVENESS\tnone\tno\t-\tshort\tLong."
    assert set(parse_catalogue([header, line])) == {"X"}
    with pytest.raises(ValueError, match="X is listed twice"):
        parse_catalogue([header, line, line])

"""Reports keep what a check found and come back from storage unchanged."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.features import Feature
from ipse.decision.reports import MalformedReport, Report, report_from_warnings
from ipse.decision.risk_catalogue import CATALOGUE
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import Action, warn

WARNINGS = st.builds(
    warn,
    st.sampled_from(sorted(CATALOGUE)),
    st.none() | st.text(max_size=5),
    action=st.none() | st.sampled_from(Action),
    additional_data=st.none() | st.dictionaries(st.text(max_size=4), st.integers() | st.none(), max_size=3),
    feature=st.sampled_from(Feature),
)
REPORTS = st.builds(
    Report,
    st.sampled_from(Feature),
    st.text(min_size=1, max_size=8),
    st.sampled_from(FeatureStatus),
    st.none() | st.floats(min_value=0, max_value=100),
    st.lists(WARNINGS, max_size=3).map(tuple),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.booleans(), max_size=4),
)


@given(REPORTS)
def test_a_report_survives_its_json_form(report: Report) -> None:
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


@pytest.mark.parametrize("score", [-0.01, 100.01, math.nan, math.inf])
def test_a_score_outside_0_to_100_is_refused(score: float) -> None:
    with pytest.raises(MalformedReport):
        Report(Feature.LIVENESS, "n", FeatureStatus.APPROVED, score)


def test_a_report_from_warnings_has_the_status_of_its_strongest_warning() -> None:
    report = report_from_warnings(
        Feature.LIVENESS,
        "n",
        score=12.0,
        warnings=(warn("LOW_LIVENESS_SCORE", "n"), warn("MULTIPLE_FACES_DETECTED", "n")),
        facts={"method": "PASSIVE"},
    )
    assert report.status is FeatureStatus.DECLINED
    assert report.with_status(FeatureStatus.APPROVED).status is FeatureStatus.APPROVED


def _json(**changes: JsonValue) -> dict[str, JsonValue]:
    warning = warn("LOW_LIVENESS_SCORE", "n").to_json()
    report = Report(Feature.LIVENESS, "n", FeatureStatus.APPROVED).to_json()
    for key, value in changes.items():
        if key.startswith("warning_"):
            warning[key.removeprefix("warning_")] = value
            report["warnings"] = [warning]
        else:
            report[key] = value
    return report


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        _json(feature="TELEPATHY"),
        _json(feature=3),
        _json(facts=[]),
        _json(score="high"),
        _json(score=101),
        _json(status="Perhaps"),
        _json(warnings=["x"]),
        _json(warning_additional_data=3),
        _json(warning_node_id=3),
        _json(warning_log_type="loud"),
        _json(warning_risk=None),
    ],
)
def test_a_malformed_stored_report_is_refused(value: JsonValue) -> None:
    with pytest.raises(MalformedReport):
        Report.from_json(value)

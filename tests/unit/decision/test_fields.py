"""Rule fields are found in the latest report of the path, or are absent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.features import Feature
from ipse.decision.fields import (
    DEFINITIONS,
    OPERATORS,
    FieldPath,
    FieldType,
    definition_of,
    lookup,
    parse_path,
)
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import warn

FIRST = Report(Feature.LIVENESS, "a", FeatureStatus.APPROVED, 90.0, facts={"method": "PASSIVE", "score": 1})
SECOND = Report(
    Feature.LIVENESS, "b", FeatureStatus.DECLINED, 20.0, (warn("LOW_LIVENESS_SCORE", "b"),), {"box": {"x": 3}}
)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("liveness.score", FieldPath("liveness", ("score",), None)),
        ("liveness.score@a", FieldPath("liveness", ("score",), "a")),
        ("liveness@a.score", FieldPath("liveness", ("score",), "a")),
        ("kyc.extra_fields.profession", FieldPath("kyc", ("extra_fields", "profession"), None)),
        ("metadata.a.b", FieldPath("metadata", ("a", "b"), None)),
        ("liveness", None),
        ("liveness.", None),
        ("liveness..score", None),
        ("liveness.score@", None),
        ("liveness@.score", None),
        ("liveness@a.score@b", None),
        ("metadata.a@b", None),
        ("weather.sunny", None),
        ("", None),
    ],
)
def test_paths_are_split_or_refused(text: str, path: FieldPath | None) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("liveness.score", 20.0),
        ("liveness.score@a", 90.0),
        ("liveness.status", "Declined"),
        ("liveness.warnings", ["LOW_LIVENESS_SCORE"]),
        ("liveness.method", None),
        ("liveness.method@a", "PASSIVE"),
        ("liveness.box.x", 3),
        ("liveness.box.x.y", None),
        ("liveness.score@zzz", None),
        ("face_match.score", None),
        ("metadata.order.amount", 7),
        ("session.vendor_data", None),
        ("expected_details.country", None),
    ],
)
def test_a_field_comes_from_the_latest_report_of_its_feature(text: str, value: JsonValue) -> None:
    path = parse_path(text)
    assert path is not None
    assert lookup(path, [FIRST, SECOND], {"metadata": {"order": {"amount": 7}}, "session": "odd"}) == value


@given(st.text(max_size=30))
def test_parsing_a_path_never_raises(text: str) -> None:
    parse_path(text)


def test_every_listed_field_can_be_addressed_and_names_its_operators() -> None:
    assert len({definition.path for definition in DEFINITIONS}) == len(DEFINITIONS)
    for definition in DEFINITIONS:
        path = parse_path(definition.path + (".anything" if definition.is_prefix else ""))
        assert path is not None
        assert definition_of(path) == definition
        assert path.feature is definition.feature
        assert definition.to_json()["operators"] == [operator.value for operator in OPERATORS[definition.type]]


def test_definitions_have_the_shape_of_the_editor() -> None:
    line = next(item for item in DEFINITIONS if item.path == "liveness.score")
    assert line.to_json()["field"] == "liveness.score"
    assert line.to_json()["type"] == "number"
    assert line.to_json()["feature"] == "LIVENESS"
    assert next(item for item in DEFINITIONS if item.path == "metadata").to_json()["feature"] is None


def test_an_alias_root_and_an_open_prefix_have_definitions() -> None:
    alias, deep, unknown = (
        parse_path("id_verification.issuing_state@x"),
        parse_path("kyc.extra_fields.profession"),
        parse_path("liveness.mood"),
    )
    assert alias is not None
    assert deep is not None
    assert unknown is not None
    alias_line, deep_line = definition_of(alias), definition_of(deep)
    assert alias_line is not None
    assert alias_line.path == "kyc.issuing_state"
    assert deep_line is not None
    assert deep_line.type is FieldType.ANY
    assert definition_of(unknown) is None

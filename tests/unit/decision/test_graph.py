"""Graphs keep the contract's JSON, and every broken one is refused with the node's name."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given

from ipse.decision.features import Feature
from ipse.decision.graph import AbSplitNode, BranchNode, FeatureNode, Outcome, StatusNode, WorkflowGraph
from ipse.decision.graph_json import MAX_NODES, read_graph
from ipse.decision.paths import upstream_of
from ipse.decision.presets import PRESETS, ip_gated_step_up, kyc
from ipse.decision.problems import GraphProblem, InvalidGraph
from ipse.decision.simple import (
    SimpleFeature,
    node_ids,
    ordering_problems,
    simple_features,
    straight_graph,
)
from ipse.decision.validation import check, validate
from ipse.decision.values import JsonValue
from tests.unit.decision.strategies import JSON, valid_graphs


def graph_json() -> dict[str, Any]:
    """Return a valid graph that uses every node type."""
    return {
        "start_node": "ip",
        "nodes": {
            "ip": {"node_type": "feature", "feature": "IP_ANALYSIS", "config": {}, "label": "Address", "next": "gate"},
            "gate": {
                "node_type": "branch",
                "label": None,
                "branches": [
                    {
                        "id": "far",
                        "logic": "or",
                        "rules": [
                            {"field": "ip_analysis.ip_country_code", "operator": "not_in", "value": ["ES", "FR"]},
                            {
                                "field": "expected_details.first_name",
                                "operator": "fuzzy_match",
                                "value": "Al",
                                "score": 80,
                            },
                        ],
                        "goto": "split",
                    },
                    {"id": "else", "logic": "and", "rules": [], "goto": "fine"},
                ],
            },
            "split": {
                "node_type": "ab_split",
                "label": None,
                "variants": [{"id": "a", "weight": 1, "goto": "face"}, {"id": "b", "weight": 3, "goto": "review"}],
            },
            "face": {"node_type": "feature", "feature": "LIVENESS", "config": {}, "label": None, "next": "end"},
            "end": {"node_type": "status", "label": None, "session_status": "Determine"},
            "fine": {"node_type": "status", "label": None, "session_status": "Approved"},
            "review": {"node_type": "status", "label": None, "session_status": "In Review"},
        },
    }


def test_a_graph_with_every_node_type_is_valid_and_keeps_its_json() -> None:
    graph = read_graph(graph_json())
    assert validate(graph) == ()
    assert graph.to_json() == graph_json()
    assert {type(node) for node in graph.nodes.values()} == {FeatureNode, BranchNode, AbSplitNode, StatusNode}


@given(valid_graphs())
def test_a_graph_survives_its_json_form(graph: WorkflowGraph) -> None:
    assert validate(graph) == ()
    assert read_graph(json.loads(json.dumps(graph.to_json()))) == graph


@given(JSON)
def test_checking_any_json_never_raises(value: JsonValue) -> None:
    assert check(value) != ()
    assert check({"start_node": "a", "nodes": {"a": value}}) != ()


def test_aliases_and_bare_next_are_normalised() -> None:
    graph = read_graph(
        {
            "start_node": "f",
            "nodes": {
                "f": {"node_type": "feature", "feature": "id_verification", "next": "b"},
                "b": {"node_type": "branch", "next": "s", "branches": []},
                "s": {"node_type": "status"},
            },
        }
    )
    feature, branch, status = graph.nodes["f"], graph.nodes["b"], graph.nodes["s"]
    assert isinstance(feature, FeatureNode)
    assert feature.feature is Feature.OCR
    assert isinstance(branch, BranchNode)
    assert [(item.id, item.rules, item.goto) for item in branch.branches] == [("else", (), "s")]
    assert isinstance(status, StatusNode)
    assert status.session_status is Outcome.DETERMINE
    assert validate(graph) == ()


def test_a_bare_next_beside_an_else_branch_changes_nothing() -> None:
    value = graph_json()
    value["nodes"]["gate"]["next"] = "end"
    assert read_graph(value) == read_graph(graph_json())


def test_the_walk_visits_every_reachable_node_once_in_order() -> None:
    graph = read_graph(graph_json())
    assert [node.id for node in graph.walk()] == ["ip", "gate", "split", "face", "end", "review", "fine"]
    assert graph.features() == (Feature.IP_ANALYSIS, Feature.LIVENESS)
    assert graph.has(Feature.LIVENESS)
    assert not graph.has(Feature.OCR)


Change = tuple[tuple[str, ...], Any]

BROKEN: list[tuple[str, str | None, list[Change]]] = [
    ("missing_start", "nowhere", [(("start_node",), "nowhere")]),
    ("missing_start", None, [(("start_node",), None)]),
    ("not_a_node", "face", [(("nodes", "face"), 3)]),
    ("unknown_node_type", "face", [(("nodes", "face", "node_type"), "webhook")]),
    ("unknown_node_type", "face", [(("nodes", "face", "node_type"), None)]),
    ("unknown_feature", "face", [(("nodes", "face", "feature"), "TELEPATHY")]),
    ("unknown_feature", "face", [(("nodes", "face", "feature"), "FACE_SEARCH")]),
    ("unknown_feature", "face", [(("nodes", "face", "feature"), None)]),
    ("bad_config", "face", [(("nodes", "face", "config"), [])]),
    ("bad_config", "face", [(("nodes", "face", "config"), {"face_liveness_score_review_threshold": 300})]),
    ("crossed_thresholds", "face", [(("nodes", "face", "config"), {"review_threshold": 1, "decline_threshold": 2})]),
    ("bad_value", "face", [(("nodes", "face", "label"), 3)]),
    ("dead_end", "face", [(("nodes", "face", "next"), None)]),
    ("unknown_goto", "face", [(("nodes", "face", "next"), "nowhere")]),
    ("unknown_goto", "face", [(("nodes", "face", "next"), 3)]),
    ("cycle", "gate", [(("nodes", "face", "next"), "gate")]),
    ("unreachable", "fine", [(("nodes", "gate", "branches", "1", "goto"), "end")]),
    ("no_branches", "gate", [(("nodes", "gate", "branches"), [])]),
    ("bad_value", "gate", [(("nodes", "gate", "branches"), "x")]),
    ("bad_value", "gate", [(("nodes", "gate", "branches", "0"), "x")]),
    ("several_elses", "gate", [(("nodes", "gate", "branches", "0", "rules"), [])]),
    (
        "no_else",
        "gate",
        [(("nodes", "gate", "branches", "1", "rules"), [{"field": "metadata.a", "operator": "is_empty"}])],
    ),
    ("repeated_id", "gate", [(("nodes", "gate", "branches", "1", "id"), "far")]),
    ("unknown_logic", "gate", [(("nodes", "gate", "branches", "0", "logic"), "xor")]),
    ("unknown_operator", "gate", [(("nodes", "gate", "branches", "0", "rules", "0", "operator"), "resembles")]),
    ("unknown_operator", "gate", [(("nodes", "gate", "branches", "0", "rules", "0", "operator"), None)]),
    ("unknown_field", "gate", [(("nodes", "gate", "branches", "0", "rules", "0", "field"), None)]),
    ("unknown_field", "gate", [(("nodes", "gate", "branches", "0", "rules", "0", "field"), "ip_analysis.mood")]),
    ("unknown_field", "gate", [(("nodes", "gate", "branches", "0", "rules", "0", "field"), "weather.sunny")]),
    ("field_not_produced", "gate", [(("nodes", "gate", "branches", "0", "rules", "0", "field"), "kyc.issuing_state")]),
    (
        "field_not_produced",
        "gate",
        [(("nodes", "gate", "branches", "0", "rules", "0", "field"), "ip_analysis.ip_country_code@face")],
    ),
    ("bad_value", "gate", [(("nodes", "gate", "branches", "0", "rules", "0", "value"), "ES")]),
    ("bad_value", "gate", [(("nodes", "gate", "branches", "0", "rules", "0"), 3)]),
    ("bad_value", "gate", [(("nodes", "gate", "branches", "0", "rules", "1", "score"), 101)]),
    ("bad_value", "gate", [(("nodes", "gate", "branches", "0", "rules", "1", "score"), "high")]),
    ("bad_value", "gate", [(("nodes", "gate", "branches", "0", "rules", "1", "value"), 5)]),
    ("bad_value", "gate", [(("nodes", "gate", "branches", "0", "rules", "1", "value"), None)]),
    (
        "unfit_operator",
        "gate",
        [(("nodes", "gate", "branches", "0", "rules", "0"), {"field": "ip_analysis.score", "operator": "regex"})],
    ),
    (
        "bad_value",
        "gate",
        [
            (
                ("nodes", "gate", "branches", "0", "rules", "0"),
                {"field": "ip_analysis.score", "operator": "less_than", "value": "low"},
            )
        ],
    ),
    (
        "bad_value",
        "gate",
        [
            (
                ("nodes", "gate", "branches", "0", "rules", "0"),
                {"field": "ip_analysis.score", "operator": "less_than", "value": True},
            )
        ],
    ),
    (
        "bad_regex",
        "gate",
        [
            (
                ("nodes", "gate", "branches", "0", "rules", "0"),
                {"field": "ip_analysis.ip_city", "operator": "regex", "value": "["},
            )
        ],
    ),
    ("bad_weights", "split", [(("nodes", "split", "variants", "0", "weight"), 0.5)]),
    ("bad_weights", "split", [(("nodes", "split", "variants", "0", "weight"), True)]),
    ("bad_weights", "split", [(("nodes", "split", "variants", "0", "weight"), -1)]),
    (
        "bad_weights",
        "split",
        [(("nodes", "split", "variants", "0", "weight"), 0), (("nodes", "split", "variants", "1", "weight"), 0)],
    ),
    ("too_few_variants", "split", [(("nodes", "split", "variants"), [{"id": "a", "weight": 1, "goto": "face"}])]),
    ("repeated_id", "split", [(("nodes", "split", "variants", "1", "id"), "a")]),
    ("bad_value", "split", [(("nodes", "split", "variants", "1"), "a")]),
    ("unknown_session_status", "end", [(("nodes", "end", "session_status"), "Perhaps")]),
    ("missing_producer", "face", [(("nodes", "face", "feature"), "FACE_MATCH")]),
    ("missing_producer", "face", [(("nodes", "face", "feature"), "NFC")]),
    ("bad_config", "face", [(("nodes", "face", "feature"), "QUESTIONNAIRE")]),
    ("bad_status_rule", "face", [(("nodes", "face", "config"), {"status_rules": "x"})]),
    ("bad_status_rule", "face", [(("nodes", "face", "config"), {"status_rules": [{"field": "x"}]})]),
    ("bad_node_id", "a@b", [(("nodes", "a@b"), {"node_type": "status"})]),
    ("unreachable", "spare", [(("nodes", "spare"), {"node_type": "status"})]),
]


def _changed(value: Any, path: tuple[str, ...], new: Any) -> None:
    for step in path[:-1]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    last = path[-1]
    if isinstance(value, list):
        value[int(last)] = new
    else:
        value[last] = new


@pytest.mark.parametrize(("code", "node_id", "changes"), BROKEN)
def test_a_broken_graph_is_refused_with_code_and_node(code: str, node_id: str | None, changes: list[Change]) -> None:
    value = copy.deepcopy(graph_json())
    for path, new in changes:
        _changed(value, path, new)
    problems = check(value)
    assert (code, node_id) in [(problem.code, problem.node_id) for problem in problems], problems
    for problem in problems:
        assert problem.node_id is None or problem.node_id in problem.message


def test_whole_numbers_written_as_floats_are_weights() -> None:
    value = graph_json()
    value["nodes"]["split"]["variants"][0]["weight"] = 1.0
    assert read_graph(value) == read_graph(graph_json())


def test_rules_on_dates_lists_and_numbers_as_text_are_valid() -> None:
    value = graph_json()
    value["nodes"]["gate"]["branches"][0]["rules"] = [
        {"field": "ip_analysis.score", "operator": "greater_than", "value": "70"},
        {"field": "ip_analysis.warnings@ip", "operator": "contains", "value": "X"},
        {"field": "expected_details.date_of_birth", "operator": "less_than", "value": "2000-01-01"},
        {"field": "ip_analysis.is_vpn_or_tor", "operator": "equals", "value": True},
        {"field": "ip_analysis.ip_city", "operator": "regex", "value": "^B"},
        {"field": "metadata.deep.down", "operator": "is_empty"},
    ]
    assert check(value) == ()


def test_a_cycle_is_told_with_all_its_nodes() -> None:
    value = graph_json()
    value["nodes"]["face"]["next"] = "split"
    (problem,) = [item for item in check(value) if item.code == "cycle"]
    assert problem.message == "The graph runs in a circle: split -> face -> split."


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "not_a_graph"),
        ([], "not_a_graph"),
        ({"start_node": "a"}, "no_nodes"),
        ({"start_node": "a", "nodes": {}}, "no_nodes"),
        ({"start_node": "a", "nodes": {str(n): {} for n in range(MAX_NODES + 1)}}, "too_many_nodes"),
    ],
)
def test_what_is_no_graph_is_refused(value: JsonValue, code: str) -> None:
    assert [problem.code for problem in check(value)] == [code]
    with pytest.raises(InvalidGraph) as caught:
        read_graph(value)
    assert caught.value.problems[0].code == code


def test_a_graph_without_a_reachable_end_is_refused() -> None:
    value: JsonValue = {"start_node": "a", "nodes": {"a": {"node_type": "feature", "feature": "AML"}}}
    assert {problem.code for problem in check(value)} == {"dead_end", "no_status_node"}


def test_problems_are_shown_with_node_code_and_sentence() -> None:
    assert GraphProblem("n", "dead_end", "Text.").to_json() == {"node_id": "n", "code": "dead_end", "message": "Text."}


def test_a_producer_must_lie_on_every_path() -> None:
    value = graph_json()
    value["nodes"]["match"] = {"node_type": "feature", "feature": "FACE_MATCH", "next": "end"}
    value["nodes"]["face"]["next"] = "match"
    assert check(value) == ()
    value["nodes"]["gate"]["branches"][1]["goto"] = "match"
    assert [problem.code for problem in check(value) if problem.node_id == "match"] == ["missing_producer"]


def test_upstream_tells_certain_from_possible_features() -> None:
    upstream = upstream_of(ip_gated_step_up())
    assert upstream["status"].certain == {Feature.IP_ANALYSIS, Feature.LIVENESS, Feature.FACE_MATCH}
    assert upstream["feature_ip_analysis"].nodes == frozenset()
    gated = ip_gated_step_up().to_json()
    nodes: Any = gated["nodes"]
    nodes["branch_ip"]["branches"][0]["goto"] = "status"
    merged = upstream_of(read_graph(gated))["status"]
    assert merged.certain == {Feature.IP_ANALYSIS}
    assert merged.possible == {Feature.IP_ANALYSIS, Feature.LIVENESS, Feature.FACE_MATCH}


def test_presets_are_valid_and_only_the_gate_branches() -> None:
    for preset in PRESETS.values():
        assert validate(preset.graph) == ()
        assert (simple_features(preset.graph) is None) == (preset.slug == "wf_ip_gated_step_up")


def test_a_simple_list_becomes_a_straight_graph_and_back() -> None:
    features = [
        SimpleFeature(Feature.OCR),
        SimpleFeature(Feature.LIVENESS, {"face_liveness_method": "active_3d", "junk": 1}, "Face"),
        SimpleFeature(Feature.LIVENESS),
        SimpleFeature(Feature.FACE_MATCH, {"decline_threshold": 50}),
    ]
    graph = straight_graph(features)
    assert list(graph.nodes) == [
        "feature_ocr",
        "feature_liveness",
        "feature_liveness_1",
        "feature_face_match",
        "status",
    ]
    assert validate(graph) == ()
    back = simple_features(graph)
    assert back is not None
    assert [item.feature for item in back] == [item.feature for item in features]
    assert back[1] == SimpleFeature(Feature.LIVENESS, {"face_liveness_method": "ACTIVE_3D"}, "Face")
    assert back[3].config == {"face_match_score_decline_threshold": 50}


def test_an_explicit_status_is_no_simple_workflow() -> None:
    graph = WorkflowGraph("s", {"s": StatusNode("s", Outcome.APPROVED)})
    assert simple_features(graph) is None
    assert simple_features(straight_graph([])) == ()
    assert node_ids([]) == []


@pytest.mark.parametrize(
    ("features", "problems"),
    [
        ([Feature.LIVENESS, Feature.FACE_MATCH], ()),
        ([Feature.OCR, Feature.NFC, Feature.FACE_MATCH, Feature.DATABASE_VALIDATION, Feature.AML], ()),
        ([Feature.AGE_ESTIMATION, Feature.FACE_MATCH], ()),
        ([Feature.FACE_MATCH], ("FACE_MATCH must come after AGE_ESTIMATION or LIVENESS or OCR.",)),
        ([Feature.LIVENESS, Feature.NFC], ("NFC must come after OCR.",)),
        ([Feature.IP_ANALYSIS, Feature.LIVENESS], ("IP_ANALYSIS cannot be the first feature.",)),
        ([Feature.AML], ("AML cannot be the first feature.",)),
        ([Feature.DATABASE_VALIDATION], ("DATABASE_VALIDATION cannot be the first feature.",)),
        ([Feature.KYB_KEY_PEOPLE], ("KYB_KEY_PEOPLE cannot be the first feature.",)),
    ],
)
def test_the_ordering_rules_of_the_simple_api(features: list[Feature], problems: tuple[str, ...]) -> None:
    assert ordering_problems([SimpleFeature(feature) for feature in features]) == problems


def test_kyc_runs_the_document_first() -> None:
    assert kyc().features() == (Feature.OCR, Feature.LIVENESS, Feature.FACE_MATCH, Feature.IP_ANALYSIS)

"""Evaluation always ends, always says why, and gives the same bytes for the same evidence."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.evaluation import Awaiting, Decided, Evaluation, assign_variant, evaluate, roll_up
from ipse.decision.evidence import Evidence
from ipse.decision.features import Feature
from ipse.decision.graph import (
    AbSplitNode,
    Branch,
    BranchNode,
    FeatureNode,
    Logic,
    Outcome,
    Rule,
    StatusNode,
    Variant,
    WorkflowGraph,
)
from ipse.decision.operators import Operator
from ipse.decision.presets import biometric_authentication, ip_gated_step_up
from ipse.decision.reports import Report
from ipse.decision.statuses import DECIDED, FeatureStatus, SessionStatus
from ipse.decision.trace import trace_json
from ipse.decision.values import JsonValue
from ipse.decision.warnings import RiskWarning, warn
from tests.unit.decision.strategies import METADATA, reports_of, valid_graphs

A, D, R = FeatureStatus.APPROVED, FeatureStatus.DECLINED, FeatureStatus.IN_REVIEW


def liveness(status: FeatureStatus = A, score: float | None = 90.0) -> Report:
    return Report(Feature.LIVENESS, "feature_liveness", status, score)


def face_match(status: FeatureStatus = A, score: float | None = 90.0) -> Report:
    return Report(Feature.FACE_MATCH, "feature_face_match", status, score)


def evidence(*reports: Report, **context: JsonValue) -> Evidence:
    return Evidence({report.node_id: report for report in reports}, context)


def as_bytes(result: Evaluation) -> bytes:
    content: dict[str, Any] = {
        "awaits": result.node.id if isinstance(result, Awaiting) else None,
        "status": result.status.value if isinstance(result, Decided) else None,
        "reports": [report.to_json() for report in result.reports],
        "trace": trace_json(result.trace),
        "experiments": dict(result.experiments),
    }
    return json.dumps(content).encode()


def test_a_step_up_awaits_liveness_then_the_match_then_decides() -> None:
    graph = biometric_authentication()
    first = evaluate(graph, evidence(), subject_key="u")
    assert isinstance(first, Awaiting)
    assert first.node.id == "feature_liveness"
    second = evaluate(graph, evidence(liveness()), subject_key="u")
    assert isinstance(second, Awaiting)
    assert second.node.feature is Feature.FACE_MATCH
    assert second.reports == (liveness(),)
    last = evaluate(graph, evidence(face_match(), liveness()), subject_key="u")
    assert isinstance(last, Decided)
    assert last.status is SessionStatus.APPROVED
    assert last.reports == (liveness(), face_match())
    assert [(step.node_id, step.outcome) for step in last.trace] == [
        ("feature_liveness", "Approved"),
        ("feature_face_match", "Approved"),
        ("status", "Approved"),
    ]


def test_a_reopened_step_is_awaited_again() -> None:
    result = evaluate(
        biometric_authentication(), evidence(liveness(FeatureStatus.RESUB_REQUESTED), face_match()), subject_key="u"
    )
    assert isinstance(result, Awaiting)
    assert result.node.id == "feature_liveness"


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ((A, A), SessionStatus.APPROVED),
        ((A, D), SessionStatus.DECLINED),
        ((D, R), SessionStatus.DECLINED),
        ((R, A), SessionStatus.IN_REVIEW),
        ((FeatureStatus.NOT_FINISHED, A), SessionStatus.IN_REVIEW),
        ((FeatureStatus.EXPIRED, A), SessionStatus.IN_REVIEW),
        ((), SessionStatus.IN_REVIEW),
    ],
)
def test_determine_rolls_up_and_fails_closed(statuses: tuple[FeatureStatus, ...], status: SessionStatus) -> None:
    assert roll_up([liveness(item) for item in statuses]) is status


def test_an_explicit_status_node_overrides_the_features() -> None:
    graph = WorkflowGraph(
        "f",
        {
            "f": FeatureNode("f", Feature.AML, next="s"),
            "s": StatusNode("s", Outcome.IN_REVIEW),
        },
    )
    result = evaluate(graph, evidence(Report(Feature.AML, "f", D)), subject_key="u")
    assert isinstance(result, Decided)
    assert result.status is SessionStatus.IN_REVIEW


CLEAN: dict[str, JsonValue] = {"is_vpn_or_tor": False, "is_data_center": False, "is_trusted_device": True}


def ip_report(
    score: float | None = 11.0,
    status: FeatureStatus = A,
    warnings: tuple[RiskWarning, ...] = (),
    **facts: JsonValue,
) -> Report:
    return Report(Feature.IP_ANALYSIS, "feature_ip_analysis", status, score, warnings, {**CLEAN, **facts})


def test_a_clean_address_on_a_trusted_device_skips_the_step_up() -> None:
    result = evaluate(ip_gated_step_up(), evidence(ip_report()), subject_key="u")
    assert isinstance(result, Decided)
    assert result.status is SessionStatus.APPROVED


@pytest.mark.parametrize(
    "report",
    [
        ip_report(score=None),
        ip_report(score=30.0),
        ip_report(status=R),
        ip_report(is_vpn_or_tor=True),
        ip_report(is_vpn_or_tor=None),
        ip_report(is_data_center=True),
        ip_report(is_trusted_device=False),
        ip_report(is_trusted_device=None),
        ip_report(warnings=(warn("IP_LOCATION_NOT_DETERMINED", "feature_ip_analysis"),)),
    ],
)
def test_anything_unknown_or_flagged_steps_up_to_the_face(report: Report) -> None:
    result = evaluate(ip_gated_step_up(), evidence(report), subject_key="u")
    assert isinstance(result, Awaiting)
    assert result.node.id == "feature_liveness"


def gate(logic: Logic, *rules: Rule) -> WorkflowGraph:
    return WorkflowGraph(
        "b",
        {
            "b": BranchNode("b", (Branch("else", (), "no"), Branch("hit", rules, "yes", logic))),
            "yes": StatusNode("yes", Outcome.APPROVED),
            "no": StatusNode("no", Outcome.DECLINED),
        },
    )


AMOUNT = Rule("metadata.amount", Operator.GREATER_THAN, 100)
COUNTRY = Rule("expected_details.country", Operator.EQUALS, "ESP")


@pytest.mark.parametrize(
    ("logic", "amount", "country", "status"),
    [
        (Logic.AND, 200, "ESP", SessionStatus.APPROVED),
        (Logic.AND, 200, "FRA", SessionStatus.DECLINED),
        (Logic.OR, 200, "FRA", SessionStatus.APPROVED),
        (Logic.OR, 50, "FRA", SessionStatus.DECLINED),
        (Logic.OR, None, None, SessionStatus.DECLINED),
    ],
)
def test_rules_combine_by_and_or_and_else_comes_last(
    logic: Logic, amount: int | None, country: str | None, status: SessionStatus
) -> None:
    context: dict[str, JsonValue] = {"metadata": {"amount": amount}, "expected_details": {"country": country}}
    result = evaluate(gate(logic, AMOUNT, COUNTRY), Evidence({}, context), subject_key="u")
    assert isinstance(result, Decided)
    assert result.status is status


def test_the_trace_shows_both_sides_of_every_comparison() -> None:
    result = evaluate(gate(Logic.AND, AMOUNT), evidence(metadata={"amount": "much"}), subject_key="u")
    assert trace_json(result.trace) == [
        {
            "node_id": "b",
            "node_type": "branch",
            "outcome": "else",
            "next": "no",
            "branches": [
                {
                    "branch_id": "hit",
                    "logic": "and",
                    "matched": False,
                    "rules": [
                        {
                            "field": "metadata.amount",
                            "operator": "greater_than",
                            "expected": 100,
                            "actual": "much",
                            "matched": False,
                            "note": "Cannot compare text with a number.",
                        }
                    ],
                },
                {"branch_id": "else", "logic": "and", "matched": True, "rules": []},
            ],
        },
        {"node_id": "no", "node_type": "status", "outcome": "Declined", "next": None, "branches": []},
    ]


BROKEN: dict[str, WorkflowGraph] = {
    "no start": WorkflowGraph("x", {}),
    "cycle": WorkflowGraph(
        "b", {"b": BranchNode("b", (Branch("else", (), "c"),)), "c": BranchNode("c", (Branch("else", (), "b"),))}
    ),
    "no branch": WorkflowGraph("b", {"b": BranchNode("b", ())}),
    "dead end": WorkflowGraph("b", {"b": BranchNode("b", (Branch("else", (), None),))}),
    "no weight": WorkflowGraph("v", {"v": AbSplitNode("v", (Variant("a", 0, "v"),))}),
    "bad field": WorkflowGraph(
        "b", {"b": BranchNode("b", (Branch("x", (Rule("weather", Operator.EQUALS, 1),), "b"),))}
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_graph_ends_in_review(name: str) -> None:
    result = evaluate(BROKEN[name], evidence(), subject_key="u")
    assert isinstance(result, Decided)
    assert result.status is SessionStatus.IN_REVIEW
    assert result.trace


SPLIT = AbSplitNode("split", (Variant("a", 1, "s"), Variant("none", 0, "s"), Variant("b", 3, "s")))


def test_a_split_is_sticky_by_subject_and_shown_as_experiment() -> None:
    graph = WorkflowGraph("split", {"split": SPLIT, "s": StatusNode("s", Outcome.APPROVED)})
    results = {
        subject: [evaluate(graph, evidence(), subject_key=subject).experiments["split"] for _ in range(3)]
        for subject in ("alice", "bob", "carol", "dave")
    }
    assert all(len(set(variants)) == 1 for variants in results.values())


def test_a_split_follows_its_weights_and_never_picks_a_weightless_variant() -> None:
    chosen = [assign_variant(SPLIT, f"user-{number}") for number in range(4000)]
    counts = Counter(variant.id for variant in chosen if variant is not None)
    assert set(counts) == {"a", "b"}
    assert 0.22 < counts["a"] / 4000 < 0.28


def test_the_assignment_of_subjects_is_pinned_across_releases() -> None:
    assert [getattr(assign_variant(SPLIT, name), "id", None) for name in ("alice", "bob", "carol", "dave", "erin")] == [
        "b",
        "b",
        "a",
        "b",
        "a",
    ]


@given(st.data())
def test_evaluation_always_ends_and_is_deterministic(data: st.DataObject) -> None:
    graph = data.draw(valid_graphs())
    reports = data.draw(reports_of(graph))
    metadata = data.draw(METADATA)
    subject = data.draw(st.text(max_size=6))
    first = evaluate(graph, Evidence(reports, {"metadata": metadata}), subject_key=subject)
    again = evaluate(
        graph, Evidence(dict(reversed(reports.items())), {"metadata": dict(metadata)}), subject_key=subject
    )
    assert as_bytes(first) == as_bytes(again)
    if isinstance(first, Decided):
        assert first.status in DECIDED
    else:
        report = reports.get(first.node.id)
        assert report is None or report.status is FeatureStatus.RESUB_REQUESTED
    assert "broken" not in [step.outcome for step in first.trace]


@given(st.data())
def test_answering_what_is_awaited_reaches_a_decision(data: st.DataObject) -> None:
    graph = data.draw(valid_graphs())
    reports: dict[str, Report] = {}
    for _ in range(len(graph.nodes)):
        result = evaluate(graph, Evidence(reports), subject_key="u")
        if isinstance(result, Decided):
            return
        node = result.node
        assert node.id not in reports
        reports[node.id] = Report(node.feature, node.id, data.draw(st.sampled_from([A, D, R])), 50.0)
    assert isinstance(evaluate(graph, Evidence(reports), subject_key="u"), Decided)

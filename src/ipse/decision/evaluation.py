"""Evaluate a workflow over the evidence gathered so far: the heart of every verdict.

The walk starts at the start node each time. A feature node with a finished report is passed, one
without is what the session waits for; branch, split and status nodes follow from data alone. A
graph that would not pass validation still ends, in review and with the reason in the trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ipse.decision.evidence import Evidence
from ipse.decision.fields import lookup, parse_path
from ipse.decision.graph import (
    AbSplitNode,
    Branch,
    BranchNode,
    FeatureNode,
    Logic,
    Rule,
    Variant,
    WorkflowGraph,
)
from ipse.decision.operators import apply
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus, SessionStatus
from ipse.decision.trace import BranchTrace, RuleTrace, TraceStep


@dataclass(frozen=True)
class Awaiting:
    """The session needs ``node`` to be run next."""

    node: FeatureNode
    reports: tuple[Report, ...]
    trace: tuple[TraceStep, ...]
    experiments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """The walk reached its end. ``reports`` are those of the path walked, in its order."""

    status: SessionStatus
    reports: tuple[Report, ...]
    trace: tuple[TraceStep, ...]
    experiments: Mapping[str, str] = field(default_factory=dict)


Evaluation: TypeAlias = Awaiting | Decided

_BROKEN: Final = "broken"
"""Outcome in the trace where a graph has no way on; the session goes to review."""


def evaluate(graph: WorkflowGraph, evidence: Evidence, *, subject_key: str) -> Evaluation:
    """Walk ``graph`` over ``evidence``; return what is awaited, or the decision.

    ``subject_key`` keeps A/B splits sticky: vendor_data where the session has one, else its id.
    Always ends, never raises on a graph that ``read_graph`` accepted, and gives equal results for
    equal input.
    """
    return _Walk(graph, evidence, subject_key).run()


class _Walk:
    def __init__(self, graph: WorkflowGraph, evidence: Evidence, subject_key: str) -> None:
        self._graph = graph
        self._evidence = evidence
        self._subject_key = subject_key
        self._reports: list[Report] = []
        self._trace: list[TraceStep] = []
        self._experiments: dict[str, str] = {}

    def run(self) -> Evaluation:
        passed: set[str] = set()
        node_id: str | None = self._graph.start_node
        while node_id is not None:
            node = self._graph.nodes.get(node_id)
            if node is None or node_id in passed:
                reason = "unknown node" if node is None else "cycle"
                self._trace.append(TraceStep(node_id, reason, _BROKEN))
                break
            passed.add(node_id)
            match node:
                case FeatureNode():
                    report = self._evidence.reports.get(node_id)
                    if report is None or report.status is FeatureStatus.RESUB_REQUESTED:
                        return self._await(node)
                    self._reports.append(report)
                    node_id = self._step(node_id, "feature", report.status.value, node.next)
                case BranchNode():
                    node_id = self._choose(node)
                case AbSplitNode():
                    variant = assign_variant(node, self._subject_key)
                    if variant is not None:
                        self._experiments[node_id] = variant.id
                    node_id = self._step(
                        node_id,
                        "ab_split",
                        _BROKEN if variant is None else variant.id,
                        None if variant is None else variant.goto,
                    )
                case _:
                    status = node.session_status.status or roll_up(self._reports)
                    self._step(node_id, "status", status.value, None)
                    return self._decide(status)
        return self._decide(SessionStatus.IN_REVIEW)

    def _step(
        self,
        node_id: str,
        kind: str,
        outcome: str,
        target: str | None,
        branches: tuple[BranchTrace, ...] = (),
    ) -> str | None:
        self._trace.append(TraceStep(node_id, kind, outcome, target, branches))
        return target

    def _choose(self, node: BranchNode) -> str | None:
        tried: list[BranchTrace] = []
        for branch in sorted(node.branches, key=lambda item: not item.rules):
            trace = self._try(branch)
            tried.append(trace)
            if trace.matched:
                return self._step(node.id, "branch", branch.id, branch.goto, tuple(tried))
        return self._step(node.id, "branch", _BROKEN, None, tuple(tried))

    def _try(self, branch: Branch) -> BranchTrace:
        rules = tuple(self._compare(rule) for rule in branch.rules)
        combine: Callable[[Iterable[bool]], bool] = any if branch.logic is Logic.OR else all
        matched = not rules or combine(rule.matched for rule in rules)
        return BranchTrace(branch.id, branch.logic.value, matched, rules)

    def _compare(self, rule: Rule) -> RuleTrace:
        path = parse_path(rule.field)
        actual = None
        if path is not None:
            actual = lookup(path, self._reports, self._evidence.context)
        verdict = apply(rule.operator, actual, rule.value, rule.score)
        return RuleTrace(rule.field, rule.operator.value, rule.value, actual, verdict.matched, verdict.note)

    def _await(self, node: FeatureNode) -> Awaiting:
        return Awaiting(node, tuple(self._reports), tuple(self._trace), dict(self._experiments))

    def _decide(self, status: SessionStatus) -> Decided:
        return Decided(status, tuple(self._reports), tuple(self._trace), dict(self._experiments))


def assign_variant(node: AbSplitNode, subject_key: str) -> Variant | None:
    """Return the variant of a subject; None where no variant has a positive weight.

    The first 64 bits of SHA-256 over ``node id | subject`` are mapped on the weights in whole
    numbers, so that the same subject always meets the same variant on every machine.
    """
    total = sum(variant.weight for variant in node.variants if variant.weight > 0)
    digest = hashlib.sha256(f"{node.id}|{subject_key}".encode("utf-8", "surrogatepass")).digest()
    point = (int.from_bytes(digest[:8], "big") * total) >> 64
    for variant in node.variants:
        if variant.weight > 0:
            point -= variant.weight
            if point < 0:
                return variant
    return None


def roll_up(reports: Sequence[Report]) -> SessionStatus:
    """Determine: any Declined declines; all Approved approve; anything else, or nothing, reviews."""
    statuses = {report.status for report in reports}
    if FeatureStatus.DECLINED in statuses:
        return SessionStatus.DECLINED
    if statuses == {FeatureStatus.APPROVED}:
        return SessionStatus.APPROVED
    return SessionStatus.IN_REVIEW

"""The trace: which nodes an evaluation passed and why, for reviewers and for replay."""

from __future__ import annotations

from dataclasses import dataclass

from ipse.decision.values import JsonValue


@dataclass(frozen=True)
class RuleTrace:
    """One comparison with both sides."""

    field: str
    operator: str
    expected: JsonValue
    actual: JsonValue
    matched: bool
    note: str | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Return the comparison as JSON."""
        return {
            "field": self.field,
            "operator": self.operator,
            "expected": self.expected,
            "actual": self.actual,
            "matched": self.matched,
            "note": self.note,
        }


@dataclass(frozen=True)
class BranchTrace:
    """One branch that was tried."""

    branch_id: str
    logic: str
    matched: bool
    rules: tuple[RuleTrace, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Return the branch as JSON."""
        return {
            "branch_id": self.branch_id,
            "logic": self.logic,
            "matched": self.matched,
            "rules": [rule.to_json() for rule in self.rules],
        }


@dataclass(frozen=True)
class TraceStep:
    """One node that was passed. ``outcome`` is a feature status, branch, variant or status."""

    node_id: str
    node_type: str
    outcome: str
    next: str | None = None
    branches: tuple[BranchTrace, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Return the step as JSON, keys in a fixed order."""
        return {
            "node_id": self.node_id,
            "node_type": self.node_type,
            "outcome": self.outcome,
            "next": self.next,
            "branches": [branch.to_json() for branch in self.branches],
        }


def trace_json(trace: tuple[TraceStep, ...]) -> list[JsonValue]:
    """Return a trace as a JSON array."""
    return [step.to_json() for step in trace]

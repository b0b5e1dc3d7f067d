"""Back-test: what another policy would have answered to recorded evaluations (``ipse policy backtest``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ipse.decision.policy.evaluation import evaluate
from ipse.decision.policy.model import Facts, Outcome, Policy
from ipse.decision.values import JsonValue


@dataclass(frozen=True, slots=True)
class Recorded:
    """One evaluation as it was stored. ``answer`` is what was answered then."""

    id: str
    evaluated_at: str
    vendor_data: str | None
    answer: str
    reasons: tuple[str, ...]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Change:
    """One evaluation that would be answered otherwise."""

    evaluation: Recorded
    before: str
    after: str
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Return the change as ``--json`` prints it."""
        return {
            "evaluation_id": self.evaluation.id,
            "evaluated_at": self.evaluation.evaluated_at,
            "vendor_data": self.evaluation.vendor_data,
            "before": self.before,
            "reasons_before": list(self.evaluation.reasons),
            "after": self.after,
            "reasons_after": list(self.reasons),
        }


@dataclass(slots=True)
class Comparison:
    """Counts by answer before and after, and every change."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the comparison as ``--json`` prints it."""
        return {
            "evaluations": self.before.total(),
            "before": {outcome.value: self.before[outcome] for outcome in Outcome},
            "after": {outcome.value: self.after[outcome] for outcome in Outcome},
            "changed": [change.to_json() for change in self.changes],
        }


def compare(policy: Policy, recorded: Iterable[Recorded], current: Policy | None = None) -> Comparison:
    """Answer every recorded evaluation again.

    "Before" is what was answered then or, with ``current``, what that policy answers now.
    """
    comparison = Comparison()
    for evaluation in recorded:
        before = evaluation.answer if current is None else evaluate(current, evaluation.facts).outcome.value
        answer = evaluate(policy, evaluation.facts)
        after = answer.outcome.value
        comparison.before[before] += 1
        comparison.after[after] += 1
        if before != after:
            reasons = tuple(reason.reason for reason in answer.reasons)
            comparison.changes.append(Change(evaluation, before, after, reasons))
    return comparison

"""A policy as the evaluation sees it, and the answer it gives. ``reading`` makes these from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from ipse.decision.operators import Operator
from ipse.decision.values import JsonObject, JsonValue


class Outcome(StrEnum):
    """What a policy answers. The order of severity is deny, step_up, allow."""

    DENY = "deny"
    STEP_UP = "step_up"
    ALLOW = "allow"


class LivenessMethod(StrEnum):
    """How the face is captured; the values of ``face_liveness_method``."""

    PASSIVE = "PASSIVE"
    FLASHING = "FLASHING"
    ACTIVE_3D = "ACTIVE_3D"


class Subject(StrEnum):
    """Whose actions a velocity counts."""

    USER = "user"
    DEVICE = "device"
    IP = "ip"
    PAYEE = "payee"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency. Amounts of different currencies are never compared: nothing here converts."""

    amount: Decimal
    currency: str

    def to_json(self) -> dict[str, JsonValue]:
        """Return the amount as decimal text, as facts and policies write it."""
        return {"amount": format(self.amount, "f"), "currency": self.currency}


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of earlier actions: those of ``subject`` in the last ``minutes``, of one type or of any."""

    subject: Subject
    action_type: str | None
    minutes: int

    @property
    def key(self) -> str:
        """Where the count stands under ``velocity``: ``user.transfer.60``; ``any`` stands for every type."""
        return f"{self.subject}.{self.action_type or 'any'}.{self.minutes}"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. ``value_field`` compares with another fact; ``currency`` belongs to ``action.amount``."""

    field: str
    operator: Operator
    value: JsonValue = None
    value_field: str | None = None
    score: float | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class TriggerUse:
    """A named trigger of the library with every parameter filled in."""

    name: str
    parameters: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Group:
    """Several clauses of which all, or at least one, must hold."""

    logic: Literal["all", "any"]
    clauses: tuple[Clause, ...]


Clause: TypeAlias = "Condition | TriggerUse | Group"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where ``when`` holds, the policy answers ``then`` or something stricter."""

    id: str
    when: Clause
    then: Outcome
    reason: str
    method: LivenessMethod | None = None
    workflow: str | None = None
    unless_clean: bool = False
    """Whether the clean-skip rule may suppress it."""
    skips_unknown: bool = False
    """What happens when a fact is missing: False answers ``step_up``, True passes the rule over."""


@dataclass(frozen=True, slots=True)
class Band:
    """How to step up for an amount; ``up_to`` is None in the last band, which takes everything else."""

    up_to: Money | None
    method: LivenessMethod
    workflow: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that has no problems."""

    name: str
    rules: tuple[Rule, ...]
    clean: Group | None
    bands: tuple[Band, ...]
    otherwise: Outcome


@dataclass(frozen=True, slots=True)
class ClauseTrace:
    """One clause with both sides. ``matched`` is None where a fact was missing or could not be compared."""

    name: str
    kind: Literal["field", "trigger", "all", "any"]
    matched: bool | None
    message: str
    expected: JsonValue = None
    actual: JsonValue = None
    operator: str | None = None
    clauses: tuple[ClauseTrace, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Return the clause as the answer shows it."""
        if self.kind in ("all", "any"):
            return {
                "logic": self.kind,
                "matched": self.matched,
                "clauses": [clause.to_json() for clause in self.clauses],
            }
        operator: dict[str, JsonValue] = {} if self.operator is None else {"operator": self.operator}
        return {
            self.kind: self.name,
            **operator,
            "expected": self.expected,
            "actual": self.actual,
            "matched": self.matched,
            "message": self.message,
        }


class RuleOutcome(StrEnum):
    """What became of a rule."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    UNDECIDED = "undecided"
    """A fact was missing, so the rule asks for a step-up."""
    SKIPPED = "skipped"
    """A fact was missing, and the rule says that this does not matter."""
    SUPPRESSED = "suppressed"
    """It asked for a step-up and gave way to the clean-skip rule."""


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule that was tried."""

    rule: str
    then: str
    outcome: RuleOutcome
    when: ClauseTrace

    def to_json(self) -> dict[str, JsonValue]:
        """Return the rule as the answer shows it."""
        return {"rule": self.rule, "then": self.then, "outcome": self.outcome.value, "when": self.when.to_json()}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the answer is what it is: the rule, a stable code for programs and a sentence for people."""

    rule: str
    reason: str
    message: str

    def to_json(self) -> dict[str, JsonValue]:
        """Return the reason as the answer shows it."""
        return {"rule": self.rule, "reason": self.reason, "message": self.message}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a policy. ``method`` and ``workflow`` are set where it is ``step_up``."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    rules: tuple[RuleTrace, ...] = ()
    clean: ClauseTrace | None = None
    method: LivenessMethod | None = None
    workflow: str | None = None

    def trace_json(self) -> list[JsonValue]:
        """Return every rule that was tried, the clean-skip rule last."""
        rules: list[JsonValue] = [trace.to_json() for trace in self.rules]
        if self.clean is not None:
            rules.append({"rule": "clean", "then": "suppress", "when": self.clean.to_json()})
        return rules


Facts: TypeAlias = JsonObject
"""``{"action": …, "user": …, "velocity": …, "signals": …}``; what is not known is left out."""

"""Signals of the session itself: how it came about, how long its steps took, what the stages cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from ipse.decision.values import JsonValue, as_number
from ipse.signals.paths import known

STAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        name: f"timing.{name}_ms"
        for name in (
            "decode",
            "detect",
            "quality",
            "liveness",
            "embed",
            "age",
            "integrity",
            "challenge_scan",
            "challenge_evidence",
            "search",
            "total",
        )
    }
)
"""Stage of an examination -> its signal."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """The plain facts of one session at one moment. ``attempts`` counts submissions over all its steps."""

    now: datetime
    created_at: datetime
    opened_at: datetime | None
    expires_at: datetime
    attempts: int = 0
    challenges: int = 0
    handoffs: int = 0
    has_subject: bool = False
    has_reference: bool = False
    is_first_use: bool = False
    action: Mapping[str, JsonValue] | None = None
    durations_ms: Mapping[str, JsonValue] = field(default_factory=dict)


def of_session(facts: SessionFacts) -> dict[str, JsonValue]:
    """Every signal of a session. Times of day are UTC: where the person is, only the place signals know."""
    opened = facts.opened_at
    amount = None if facts.action is None else facts.action.get("amount")
    return known(
        {
            "session.seconds_to_open": None if opened is None else _seconds(facts.created_at, opened),
            "session.seconds_since_open": None if opened is None else _seconds(opened, facts.now),
            "session.seconds_left": _seconds(facts.now, facts.expires_at),
            "session.utc_hour": facts.now.hour,
            "session.utc_weekday": facts.now.isoweekday(),
            "session.attempts": facts.attempts,
            "session.challenges": facts.challenges,
            "session.handoffs": facts.handoffs,
            "session.has_subject": facts.has_subject,
            "session.has_reference": facts.has_reference,
            "session.is_first_use": facts.is_first_use,
            "session.has_action": facts.action is not None,
            "session.action_amount": _decimal(amount),
            **{code: as_number(facts.durations_ms.get(stage)) for stage, code in STAGES.items()},
        }
    )


def _seconds(start: datetime, end: datetime) -> float:
    """Whole seconds; 0 where a clock was set back in between."""
    return max(0.0, round((end - start).total_seconds(), 3))


def _decimal(text: JsonValue) -> float | None:
    """An amount as a number, for comparisons in rules; the exact text stays in ``action.amount``."""
    if not isinstance(text, str):
        return as_number(text)
    try:
        return float(text)
    except ValueError:
        return None

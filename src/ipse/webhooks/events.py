"""Which events exist, and who wants which (contract 40, section 1). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

EMITTED: Final = frozenset(
    {
        "status.updated",
        "data.updated",
        "user.status.updated",
        "user.data.updated",
        "business.status.updated",
        "business.data.updated",
        "activity.created",
        "transaction.created",
        "transaction.status.updated",
        "travel_rule.status.updated",
    }
)
"""The contract's event types, in the words of ``webhook_type``."""

ACCEPTED_ONLY: Final = frozenset(
    {
        "user.created",
        "workflow.compliance_changed",
        "transaction_rule_suggestions.created",
        "investigator.created",
        "investigator.status.updated",
    }
)
"""Names that newer clients subscribe to; accepted so that they work, never sent (contract 90, section G)."""

STATUS_OF_ALIAS: Final = {
    "session.verified": "Approved",
    "session.review_started": "In Review",
    "session.declined": "Declined",
}
"""Aliases that stand for ``status.updated`` with one status (contract 90, F1)."""

KNOWN: Final = EMITTED | ACCEPTED_ONLY | STATUS_OF_ALIAS.keys()


@dataclass(frozen=True, slots=True)
class Interest:
    """That a destination wants an event. ``alias`` is the subscribed alias, if only an alias asked for it."""

    alias: str | None


def unknown_events(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``names`` that are not event names, in their order."""
    return tuple(name for name in names if name not in KNOWN)


def interest(subscribed: Iterable[str], webhook_type: str, status: str | None) -> Interest | None:
    """Return whether and how a destination with ``subscribed`` events wants one; ``None`` if it does not.

    A type that was subscribed by its own name always counts; an alias counts for its status only.
    """
    names = frozenset(subscribed)
    if webhook_type in names:
        return Interest(None)
    if webhook_type == "status.updated":
        for alias, wanted in STATUS_OF_ALIAS.items():
            if alias in names and status == wanted:
                return Interest(alias)
    return None

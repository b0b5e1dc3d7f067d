"""The fields that a policy can address, and how a path finds its value among the facts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from ipse.decision.fields import FieldType
from ipse.decision.policy.model import Facts, Money, Subject, Tally
from ipse.decision.signal_catalogue import SIGNALS, SignalType
from ipse.decision.values import JsonValue

AMOUNT: Final = "action.amount"
"""The only field that is money: a condition on it names the currency."""

LONGEST_WINDOW_MINUTES: Final = 60 * 24 * 90
"""Velocity looks back 90 days at most."""

_N, _T, _B, _L = FieldType.NUMBER, FieldType.TEXT, FieldType.BOOLEAN, FieldType.LIST

FIELDS: Final[Mapping[str, tuple[FieldType, str]]] = {
    "action.type": (_T, "What is about to be done, such as `transfer` or `login`."),
    AMOUNT: (_N, "Amount in the currency of the action."),
    "action.currency": (_T, "Currency of the amount."),
    "action.has_payee": (_B, "The action names a payee or an account."),
    "user.is_known": (_B, "The person has a user record."),
    "user.status": (_T, "`ACTIVE`, `FLAGGED` or `BLOCKED`."),
    "user.age_days": (_N, "Days since the user record was made."),
    "user.session_age_hours": (_N, "Hours since the person signed in, from `context.session_started_at`."),
    "user.sim_age_hours": (_N, "Hours since the SIM was changed, from `context.sim_changed_at`."),
    "user.is_known_payee": (_B, "An earlier action of the person to this payee was completed."),
    "user.blocklisted": (_L, "Types of entries (`ip_address`, …) found on a blocklist."),
    "user.allowlisted": (_L, "Types of entries found on an allowlist."),
    "user.lists": (_L, "Names of the lists on which something was found."),
}
"""Path -> type and meaning. Signals, velocity counts and ``action.details.*`` come on top."""

_OF_SIGNAL: Final = {
    SignalType.BOOLEAN: _B,
    SignalType.NUMBER: _N,
    SignalType.TEXT: _T,
    SignalType.LIST: _L,
}
_DETAILS: Final = "action.details."
_SIGNALS: Final = "signals."
_VELOCITY: Final = "velocity."


def field_type(path: str) -> FieldType | None:
    """Return the type of a field's value; None for a field that does not exist."""
    if path in FIELDS:
        return FIELDS[path][0]
    if path.startswith(_DETAILS):
        return FieldType.TEXT if path != _DETAILS else None
    if path.startswith(_SIGNALS):
        signal = SIGNALS.get(path.removeprefix(_SIGNALS))
        return None if signal is None else _OF_SIGNAL[signal.type]
    return None if tally_of(path) is None else FieldType.NUMBER


def tally_of(path: str) -> Tally | None:
    """Read ``velocity.<user|device|ip|payee>.<type or any>.<minutes>``; None for any other path."""
    if not path.startswith(_VELOCITY):
        return None
    subject, _, rest = path.removeprefix(_VELOCITY).partition(".")
    action_type, _, minutes = rest.rpartition(".")
    if subject not in {member.value for member in Subject} or not action_type:
        return None
    if not (minutes.isascii() and minutes.isdigit() and 0 < int(minutes) <= LONGEST_WINDOW_MINUTES):
        return None
    return Tally(Subject(subject), None if action_type == "any" else action_type, int(minutes))


def find(facts: Facts, path: str) -> JsonValue:
    """Return the value at ``path``, or None where nothing is known."""
    root, _, rest = path.partition(".")
    if root == "velocity":
        return _child(facts.get(root), rest)
    if path.startswith(_DETAILS):
        return _child(_child(facts.get(root), "details"), path.removeprefix(_DETAILS))
    value = facts.get(root)
    for name in rest.split("."):
        value = _child(value, name)
    return value


def _child(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, Mapping) else None


def money_of(value: JsonValue) -> Money | None:
    """Read ``{"amount": "12.50", "currency": "EUR"}``; None for anything else and for amounts below zero."""
    if not isinstance(value, Mapping):
        return None
    currency, amount = value.get("currency"), decimal_of(value.get("amount"))
    if not isinstance(currency, str) or not currency or amount is None or amount < 0:
        return None
    return Money(amount, currency.upper())


def decimal_of(value: JsonValue) -> Decimal | None:
    """Read a finite number, or its decimal text, exactly as it is written; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() else None


def action_money(facts: Facts) -> Money | None:
    """Return the amount of the action; None where it has none."""
    return money_of(facts.get("action"))

"""Policies and facts that the tests of this folder vary."""

from __future__ import annotations

import copy
from typing import Any

from ipse.decision.policy.model import Policy
from ipse.decision.policy.reading import read_policy

METHODS: list[dict[str, Any]] = [{"up_to": None, "method": "PASSIVE", "workflow": "wf_face"}]

KNOWN: dict[str, Any] = {
    "action": {
        "type": "transfer",
        "amount": "100",
        "currency": "EUR",
        "has_payee": True,
        "details": {"channel": "app"},
    },
    "user": {
        "is_known": True,
        "status": "ACTIVE",
        "age_days": 400,
        "session_age_hours": 48,
        "sim_age_hours": 9000,
        "is_known_payee": True,
        "daily_limit": {"amount": "500", "currency": "EUR"},
        "spent_today": {"amount": "50", "currency": "EUR"},
        "blocklisted": [],
        "allowlisted": [],
        "lists": [],
    },
    "velocity": {"user.transfer.60": 1, "ip.login.10": 0, "user.any.10": 2},
    "signals": {
        "ip": {
            "is_vpn": False,
            "is_proxy": False,
            "is_tor": False,
            "is_relay": False,
            "is_hidden": False,
            "is_datacenter": False,
            "risk_score": 5,
        },
        "history": {"is_known_device": True, "is_trusted_device": True, "is_known_network": True},
        "device": {"automation": []},
        "place": {"is_known_country": True, "is_impossible_travel": False},
    },
}
"""Everything is known and nothing is strange."""


def facts(**changes: Any) -> dict[str, Any]:
    """:data:`KNOWN` with changes: ``user={"status": "BLOCKED"}``, ``signals={"ip.is_vpn": True}``.

    The value None takes a fact away.
    """
    changed: dict[str, Any] = copy.deepcopy(KNOWN)
    for root, values in changes.items():
        for path, value in values.items():
            *groups, name = path.split(".") if root == "signals" else [path]
            place = changed[root]
            for group in groups:
                place = place[group]
            if value is None:
                place.pop(name, None)
            else:
                place[name] = value
    return changed


def policy(*rules: dict[str, Any], **parts: Any) -> Policy:
    """A policy of these rules that allows where none of them speaks."""
    return read_policy(content(*rules, **parts))


def content(*rules: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """The JSON of :func:`policy`."""
    named = [{"id": f"rule{number}", **rule} for number, rule in enumerate(rules)]
    return {"name": "tried", "rules": named, "methods": METHODS, "otherwise": "allow", **parts}

"""Each trigger of the library: when it holds, when it does not, and when nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from ipse.decision.policy.clause_reading import ClauseReader
from ipse.decision.policy.clauses import try_clause
from ipse.decision.policy.fields import FIELDS, field_type
from ipse.decision.policy.model import TriggerUse
from ipse.decision.policy.triggers import TRIGGERS
from tests.unit.decision.policy.policies import facts


def _use(name: str, parameters: dict[str, Any]) -> TriggerUse:
    problems: list[tuple[str, str, str]] = []
    use = ClauseReader(lambda *problem: problems.append(problem), None).read({"trigger": name, **parameters}, "when")
    assert problems == []
    assert isinstance(use, TriggerUse)
    return use


_EUR_LIMIT = {"amount": "500", "currency": "EUR"}
_LOGIN = {"type": "login", "amount": None, "currency": None, "has_payee": False}

TABLE: list[tuple[str, dict[str, Any], dict[str, Any], bool | None]] = [
    ("amount_over_limit", {}, {}, False),
    ("amount_over_limit", {}, {"action": {"amount": "450"}}, False),
    ("amount_over_limit", {}, {"action": {"amount": "450.01"}}, True),
    ("amount_over_limit", {}, {"action": {"amount": "500.00000001"}}, True),
    ("amount_over_limit", {}, {"action": {"amount": "501"}, "user": {"spent_today": None}}, True),
    ("amount_over_limit", {}, {"user": {"spent_today": None}}, None),
    ("amount_over_limit", {}, {"user": {"spent_today": {"amount": "1", "currency": "USD"}}}, None),
    ("amount_over_limit", {}, {"action": {"currency": "USD"}}, None),
    ("amount_over_limit", {}, {"action": {"currency": None}}, None),
    ("amount_over_limit", {}, {"action": _LOGIN}, False),
    ("amount_over_limit", {}, {"user": {"daily_limit": None}}, None),
    ("amount_over_limit", {"amount": "90", "currency": "EUR"}, {"user": {"daily_limit": None}}, True),
    ("amount_over_limit", {"amount": "90", "currency": "EUR"}, {}, False),
    ("reset_on_young_session", {}, {}, False),
    ("reset_on_young_session", {}, {"action": {"type": "password_reset"}}, False),
    (
        "reset_on_young_session",
        {},
        {"action": {"type": "password_reset"}, "user": {"session_age_hours": 23.9}},
        True,
    ),
    ("reset_on_young_session", {}, {"action": {"type": "email_change"}, "user": {"session_age_hours": None}}, None),
    ("reset_on_young_session", {"types": ["transfer"], "hours": 72}, {}, True),
    ("first_seen_payee", {}, {}, False),
    ("first_seen_payee", {}, {"user": {"is_known_payee": False}}, True),
    ("first_seen_payee", {}, {"user": {"is_known_payee": None}}, None),
    ("first_seen_payee", {}, {"action": _LOGIN, "user": {"is_known_payee": None}}, False),
    ("new_device", {}, {}, False),
    ("new_device", {}, {"signals": {"history.is_known_device": False}}, True),
    ("new_device", {}, {"signals": {"history.is_known_device": None}}, None),
    ("new_country", {}, {"signals": {"place.is_known_country": False}}, True),
    ("new_country", {}, {}, False),
    ("new_device_and_network", {}, {}, False),
    ("new_device_and_network", {}, {"signals": {"history.is_known_device": False}}, False),
    (
        "new_device_and_network",
        {},
        {"signals": {"history.is_known_device": False, "history.is_known_network": False}},
        True,
    ),
    (
        "new_device_and_network",
        {},
        {"signals": {"history.is_known_device": False, "history.is_known_network": None}},
        None,
    ),
    (
        "new_device_and_network",
        {},
        {"signals": {"history.is_known_device": None, "history.is_known_network": None}},
        None,
    ),
    ("velocity", {"type": "transfer", "count": 2, "window_minutes": 60}, {}, False),
    ("velocity", {"type": "transfer", "count": 1, "window_minutes": 60}, {}, True),
    ("velocity", {"count": 2, "window_minutes": 10}, {}, True),
    ("velocity", {"type": "login", "count": 3, "window_minutes": 10, "by": "ip"}, {}, False),
    ("velocity", {"type": "login", "count": 3, "window_minutes": 10, "by": "device"}, {}, None),
    ("anonymous_network", {}, {}, False),
    ("anonymous_network", {}, {"signals": {"ip.is_vpn": True}}, True),
    ("anonymous_network", {}, {"signals": {"ip.is_tor": None}}, None),
    ("anonymous_network", {"kinds": ["vpn"]}, {"signals": {"ip.is_tor": None}}, False),
    ("datacenter_login", {}, {}, False),
    ("datacenter_login", {}, {"action": _LOGIN}, False),
    ("datacenter_login", {}, {"action": _LOGIN, "signals": {"ip.is_datacenter": True}}, True),
    ("datacenter_login", {}, {"action": _LOGIN, "signals": {"ip.is_datacenter": None}}, None),
    ("impossible_travel", {}, {}, False),
    ("impossible_travel", {}, {"signals": {"place.is_impossible_travel": True}}, True),
    ("impossible_travel", {}, {"signals": {"place.is_impossible_travel": None}}, None),
    ("user_status", {}, {}, False),
    ("user_status", {}, {"user": {"status": "FLAGGED"}}, True),
    ("user_status", {}, {"user": {"status": None}}, None),
    ("listed", {}, {}, False),
    ("listed", {}, {"user": {"blocklisted": ["ip_address"]}}, True),
    ("listed", {"types": ["device_fingerprint"]}, {"user": {"blocklisted": ["ip_address"]}}, False),
    ("listed", {"list_type": "allowlist"}, {"user": {"allowlisted": ["user"]}}, True),
    ("listed", {"name": "Mules"}, {"user": {"lists": ["Mules"], "blocklisted": []}}, True),
    ("listed", {"name": "Mules"}, {"user": {"lists": ["Others"]}}, False),
    ("listed", {}, {"user": {"blocklisted": None}}, None),
    ("automation", {}, {}, False),
    ("automation", {}, {"signals": {"device.automation": ["webdriver"]}}, True),
    ("automation", {}, {"signals": {"device.automation": None}}, None),
    ("sim_changed", {}, {}, False),
    ("sim_changed", {}, {"user": {"sim_age_hours": 71.5}}, True),
    ("sim_changed", {"hours": 24}, {"user": {"sim_age_hours": 71.5}}, False),
    ("sim_changed", {}, {"user": {"sim_age_hours": None}}, None),
]


@pytest.mark.parametrize(("name", "parameters", "changes", "holds"), TABLE)
def test_a_trigger_holds_does_not_hold_or_cannot_tell(
    name: str, parameters: dict[str, Any], changes: dict[str, Any], holds: bool | None
) -> None:
    trace = try_clause(_use(name, parameters), facts(**changes), strict=False)
    assert trace.matched is holds
    assert trace.message.endswith(".")


def test_every_trigger_is_in_the_table() -> None:
    assert {name for name, *_ in TABLE} == set(TRIGGERS)


def test_every_trigger_can_hold() -> None:
    assert {name for name, *_, holds in TABLE if holds} == set(TRIGGERS)


def test_what_triggers_look_at_are_fields_of_the_catalogue_or_money() -> None:
    for name, parameters, changes, _ in TABLE:
        actual = try_clause(_use(name, parameters), facts(**changes), strict=False).actual
        assert isinstance(actual, dict)
        for path in actual:
            assert path in {"action", "limit", "spent_today"} or field_type(path) is not None, path


def test_every_field_says_what_it_means() -> None:
    assert all(meaning.endswith(".") for _, meaning in FIELDS.values())

"""What IP_ANALYSIS guarantees: every code of the contract, once, with the effect that the workflow sets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.checks.history import History
from ipse.decision.config import KEYS
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.risk_catalogue import CATALOGUE
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonObject, JsonValue
from ipse.decision.warnings import Action, LogType, default_action
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from tests.unit.checks.locations import (
    NEW_YORK,
    data_of,
    device,
    effects,
    history,
    match,
    network,
    place,
    recovery,
    report,
    unlocated,
)

Case = tuple[NetworkFacts, DeviceFacts, History, JsonObject]


def case(
    at: NetworkFacts | None = None, on: DeviceFacts | None = None, past: History | None = None, **keys: JsonValue
) -> Case:
    return at or network(), on or device(), past or history(), keys


FAR = history(last_place=place(NEW_YORK, country="US", ago=timedelta(hours=2)))
TRIGGERS: dict[str, Case] = {
    "PRIVATE_NETWORK_DETECTED": case(network(is_vpn=True)),
    "COUNTRY_FROM_DOCUMENT_DOES_NOT_MATCH_COUNTRY_FROM_IP": case(past=history(document_country="FRA")),
    "DUPLICATED_IP_ADDRESS": case(past=history(matches=(match("ip_address", "ip_address"),), address_users=2)),
    "DUPLICATED_DEVICE_FINGERPRINT": case(past=history(matches=(match("device_fingerprint", "legacy_fp"),))),
    "DEVICE_RECOVERED_HIGH_CONFIDENCE": case(past=history(recovery=recovery())),
    "MULTIPLE_DEVICES_DETECTED": case(past=history(session_devices=2)),
    "AUTOMATION_FRAMEWORK_DETECTED": case(on=device(automation=("webdriver",))),
    "DEVICE_EMULATOR_DETECTED": case(on=device(emulation=("software_renderer",))),
    "DEVICE_SPOOFING_DETECTED": case(on=device(tampering=("platform",))),
    "DEVICE_ROOTED_OR_JAILBROKEN": case(on=device(is_rooted=True)),
    "DEVICE_RUNTIME_HOOKING_DETECTED": case(on=device(is_hooked=True)),
    "DEVICE_DEBUGGER_DETECTED": case(on=device(is_debugged=True)),
    "DEVICE_APP_TAMPERED": case(on=device(is_app_tampered=True)),
    "IP_LOCATION_NOT_ALLOWED": case(
        is_ip_geofencing_enabled=True, ip_geofencing_by_country={"ESP": {"allowed": False, "states": None}}
    ),
    "IP_LOCATION_NOT_DETERMINED": case(NetworkFacts(None)),
    "COUNTRY_FLIP_DETECTED": case(past=FAR),
    "IMPOSSIBLE_TRAVEL_DETECTED": case(past=FAR),
    "TIME_ZONE_MISMATCH_DETECTED": case(on=device(utc_offset_minutes=480, time_zone="Asia/Shanghai")),
    "NEW_DEVICE_AND_NETWORK_DETECTED": case(
        past=history(is_known_device=False, is_trusted_device=False, is_known_network=False)
    ),
}
"""Every risk whose effect a workflow may set, with the least that triggers it."""


def found_in(one: Case, more: JsonObject | None = None) -> Report:
    at, on, past, keys = one
    return report(at, on, past, {**keys, **(more or {})})


def test_a_clean_address_on_a_trusted_device_is_approved_without_a_word() -> None:
    found = report()
    assert (found.status, found.score, found.warnings) == (FeatureStatus.APPROVED, 0.0, ())


@pytest.mark.parametrize("risk", TRIGGERS)
def test_each_risk_is_found_with_the_effect_of_the_catalogue(risk: str) -> None:
    assert effects(found_in(TRIGGERS[risk]))[risk] is default_action(risk).log_type


@pytest.mark.parametrize("risk", TRIGGERS)
@pytest.mark.parametrize(
    ("action", "status"), [("DECLINE", FeatureStatus.DECLINED), ("REVIEW", FeatureStatus.IN_REVIEW)]
)
def test_each_risk_has_the_effect_that_the_workflow_sets(risk: str, action: str, status: FeatureStatus) -> None:
    others: dict[str, JsonValue] = {
        key: "NO_ACTION" for other in TRIGGERS if (key := CATALOGUE[other].config_key) and other != risk
    }
    key = CATALOGUE[risk].config_key
    assert key is not None
    assert found_in(TRIGGERS[risk], {**others, key: action}).status is status


def test_no_risk_is_found_where_nothing_happened() -> None:
    calm = effects(report())
    assert all(risk not in calm for risk in TRIGGERS)


def test_every_action_key_of_the_contract_belongs_to_a_risk_that_is_found() -> None:
    elsewhere = {
        "expected_ip_mismatch_action",
        "device_integrity_missing_action",
        "device_blocklist_action",
        # One installation shares nothing with other organisations: the keys are accepted and have no effect.
        "cross_org_fraud_ip_action",
        "cross_org_fraud_device_action",
    }
    keys = {name for name in KEYS[Feature.IP_ANALYSIS] if name.endswith("_action")}
    assert keys - elsewhere == {CATALOGUE[risk].config_key for risk in TRIGGERS}


def test_the_documentation_names_every_risk_with_its_key_and_default() -> None:
    page = (Path(__file__).parents[3] / "docs" / "ip-analysis.md").read_text("utf-8")
    words = {Action.NO_ACTION: "inform", Action.REVIEW: "review", Action.DECLINE: "decline"}
    for risk in TRIGGERS:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{risk}`"))
        _, _, _, key, default, _ = (cell.strip() for cell in row.split("|"))
        assert (key, default.partition(";")[0]) == (f"`{CATALOGUE[risk].config_key}`", words[default_action(risk)])


def test_what_a_finding_adds_is_named_as_in_the_contract() -> None:
    assert data_of(found_in(TRIGGERS["PRIVATE_NETWORK_DETECTED"]), "PRIVATE_NETWORK_DETECTED") is None
    assert data_of(found_in(TRIGGERS["IP_LOCATION_NOT_ALLOWED"]), "IP_LOCATION_NOT_ALLOWED") == {
        "ip_country_code": "ESP",
        "ip_country": "Spain",
        "ip_state": "Madrid",
        "restricted_by": "country",
    }
    recovered = data_of(found_in(TRIGGERS["DEVICE_RECOVERED_HIGH_CONFIDENCE"]), "DEVICE_RECOVERED_HIGH_CONFIDENCE")
    assert recovered == {
        "recovery_match_device_uuid": "d1",
        "recovery_match_similarity": 0.97,
        "recovery_match_band": "high",
        "recovery_gate_reason": None,
    }
    assert data_of(found_in(TRIGGERS["DUPLICATED_IP_ADDRESS"]), "DUPLICATED_IP_ADDRESS") == {
        "duplicated_session_id": "s-9",
        "duplicated_session_number": 9,
        "api_service": None,
        "other_users": 2,
    }


@pytest.mark.parametrize("flag", ["is_vpn", "is_proxy", "is_tor", "is_relay"])
def test_whatever_hides_an_address_makes_it_private(flag: str) -> None:
    found = report(network(**{flag: True}), vpn_detection_action="DECLINE")
    assert found.status is FeatureStatus.DECLINED
    assert found.facts["is_vpn_or_tor"] is True


def test_a_data_centre_alone_is_no_vpn() -> None:
    found = report(network(is_datacenter=True), vpn_detection_action="DECLINE")
    assert found.status is FeatureStatus.APPROVED
    assert (found.facts["is_vpn_or_tor"], found.facts["is_data_center"]) == (False, True)


@pytest.mark.parametrize(
    ("kind", "blocked", "allowed"),
    [
        ("ip_address", "IP_ADDRESS_IN_BLOCKLIST", "IP_ADDRESS_IN_ALLOWLIST"),
        ("device_fingerprint", "DEVICE_FINGERPRINT_IN_BLOCKLIST", "DEVICE_FINGERPRINT_IN_ALLOWLIST"),
    ],
)
def test_a_blocklist_declines_whatever_is_configured_and_an_allowlist_only_informs(
    kind: str, blocked: str, allowed: str
) -> None:
    on_both = report(past=history(listed={kind: ("allowlist", "blocklist")}), device_blocklist_action="NO_ACTION")
    assert on_both.status is FeatureStatus.DECLINED
    assert effects(on_both) == {blocked: LogType.ERROR}
    on_one = report(past=history(listed={kind: ("allowlist",)}))
    assert (on_one.status, effects(on_one)) == (FeatureStatus.APPROVED, {allowed: LogType.INFORMATION})


def test_an_allowlist_silences_duplicates_and_a_blocklist_beside_it_does_not() -> None:
    shared = history(
        matches=(match("ip_address", "ip_address"), match("device_fingerprint", "persistent_id")),
        listed={"ip_address": ("allowlist",), "device_fingerprint": ("allowlist",)},
    )
    assert set(effects(report(past=shared))) == {"IP_ADDRESS_IN_ALLOWLIST", "DEVICE_FINGERPRINT_IN_ALLOWLIST"}
    both = replace(shared, listed={"ip_address": ("blocklist", "allowlist")})
    assert "DUPLICATED_IP_ADDRESS" in effects(report(past=both))


def test_a_device_that_merely_resembles_another_is_no_duplicate() -> None:
    alike = history(matches=(match("device_fingerprint", "recovered_high"),))
    assert effects(report(past=alike)) == {}


def test_a_device_is_recovered_only_when_nothing_speaks_against_it() -> None:
    doubtful = history(recovery=recovery(gate_reason="common_configuration"))
    found = report(past=doubtful)
    assert effects(found) == {}
    assert found.facts["recovered_device"] == {
        "device_id": "d1",
        "similarity": 0.97,
        "confidence": 0.99,
        "gate_reason": "common_configuration",
    }


def test_people_behind_one_private_address_are_not_duplicates_of_each_other() -> None:
    inside = NetworkFacts("10.0.0.7", version=4, special="private", is_bogon=True)
    assert "DUPLICATED_IP_ADDRESS" not in effects(report(inside, past=history(address_users=40)))


@pytest.mark.parametrize(
    ("address", "expected", "fits"),
    [
        ("8.8.8.8", "8.8.8.8", True),
        ("8.8.8.8", " [8.8.8.8] ", True),
        ("8.8.8.8", "::ffff:8.8.8.8", True),
        ("8.8.8.8", "8.8.0.0/16", True),
        ("8.8.8.8", "::ffff:8.8.0.0/112", True),
        ("8.8.8.8", "8.8.4.4", False),
        ("8.8.8.8", "8.9.0.0/16", False),
        ("8.8.8.8", "2001:db8::/32", False),
        ("2001:db8:1::5", "2001:db8:1::/48", True),
        ("2001:db8:1::5", "2001:0DB8:0001:0:0:0:0:5", True),
        ("8.8.8.8", "nonsense", False),
        (None, "8.8.8.8", False),
    ],
)
def test_the_expected_address_may_be_one_or_a_network(address: str | None, expected: str, fits: bool) -> None:
    found = report(network(address=address), expected_ip=expected)
    assert found.status is (FeatureStatus.APPROVED if fits else FeatureStatus.IN_REVIEW)
    if not fits:
        told = {"expected_ip_address": expected, "ip_address": address}
        assert data_of(found, "IP_ADDRESS_MISMATCH_WITH_PROVIDED") == told


def test_an_attestation_is_missed_only_where_the_workflow_asks_for_one() -> None:
    assert effects(report()) == {}
    assert effects(report(device_integrity_missing_action="NO_ACTION")) == {}
    assert effects(report(device_integrity_missing_action="REVIEW")) == {"DEVICE_INTEGRITY_MISSING": LogType.WARNING}
    attested = device(has_attestation=True)
    assert report(on=attested, device_integrity_missing_action="DECLINE").status is FeatureStatus.APPROVED


def test_a_browser_that_cannot_tell_is_not_called_rooted() -> None:
    keys = ("rooted", "hooking", "debugger", "app_tampered")
    found = report(config={f"device_{key}_action": "DECLINE" for key in keys})
    assert found.status is FeatureStatus.APPROVED


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vpn_detection_action", "DECLINE"),
        ("country_flip_action", "REVIEW"),
        ("impossible_travel_action", "REVIEW"),
        ("time_zone_mismatch_action", "REVIEW"),
        ("is_ip_geofencing_enabled", True),
    ],
)
def test_a_rule_that_needs_a_missing_data_set_goes_to_review_and_names_it(key: str, value: JsonValue) -> None:
    found = report(unlocated(), config={key: value})
    assert found.status is FeatureStatus.IN_REVIEW
    assert data_of(found, "CHECK_NOT_AVAILABLE") == {
        "not_available": [key],
        "missing_data": ["dbip-city", "dbip-country", "asn"],
    }
    assert found.score is None


def test_a_document_needs_the_country_of_the_address_only_when_there_is_one() -> None:
    without = report(unlocated(), ip_mismatch_action="DECLINE")
    assert "CHECK_NOT_AVAILABLE" not in effects(without)
    with_one = report(unlocated(), past=history(document_country="ESP"), ip_mismatch_action="DECLINE")
    assert with_one.status is FeatureStatus.IN_REVIEW


@pytest.mark.parametrize("value", ["NO_ACTION", None])
def test_an_action_that_does_nothing_needs_no_data(value: JsonValue) -> None:
    assert report(unlocated(), vpn_detection_action=value).status is FeatureStatus.APPROVED


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NetworkFacts(None), "no_address"),
        (NetworkFacts("10.0.0.1", special="private", missing=("country",)), "private_address"),
        (NetworkFacts("100.64.0.1", special="carrier_nat"), "carrier_nat_address"),
        (unlocated(), "no_location_data"),
    ],
)
def test_an_unknown_place_is_said_to_be_unknown_and_why(at: NetworkFacts, reason: str) -> None:
    found = report(at, past=History(), vpn_detection_action="NO_ACTION")
    assert data_of(found, "IP_LOCATION_NOT_DETERMINED") == {"reason": reason}
    assert effects(found)["IP_LOCATION_NOT_DETERMINED"] is LogType.INFORMATION
    for key in ("ip_country", "is_vpn_or_tor", "is_data_center", "latitude"):
        assert found.facts[key] is None
    assert found.score is None


def test_data_that_would_not_help_a_private_address_are_not_missed() -> None:
    inside = NetworkFacts("10.0.0.1", special="private", missing=("country", "ranges"))
    assert "CHECK_NOT_AVAILABLE" not in effects(report(inside, vpn_detection_action="DECLINE"))


def test_every_field_of_the_contract_is_in_the_report() -> None:
    facts = report().facts
    expected = (
        "device_brand device_model browser_family os_family platform device_fingerprint ip_country ip_country_code "
        "ip_state ip_city latitude longitude ip_address isp organization is_vpn_or_tor is_data_center time_zone "
        "time_zone_offset ip id_document poa_document matches"
    )
    assert set(expected.split()) <= set(facts)
    assert facts["ip_country_code"] == "ES"
    assert facts["ip"] == {
        "location": {"latitude": 40.4168, "longitude": -3.7038},
        "distance_from_id_document": None,
        "distance_from_poa_document": None,
    }


def test_every_fact_of_the_address_names_its_source_and_age() -> None:
    sources = report().facts["sources"]
    assert isinstance(sources, dict)
    assert sources["country"] == {
        "dataset": "city",
        "version": "2026-11",
        "published": "2026-11-01",
        "age_days": 19,
        "is_stale": False,
    }


@given(text=st.text(max_size=80), minutes=st.integers(-(10**6), 10**6))
def test_any_claim_of_a_device_is_answered(text: str, minutes: int) -> None:
    strange = device(time_zone=text, utc_offset_minutes=None if minutes % 2 else minutes, languages=(text,))
    found = report(network(time_zone=text), strange, expected_ip=text)
    assert Report.from_json(found.to_json()) == found

"""What the score of IP_ANALYSIS is made of."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from ipse.checks.history import History
from ipse.checks.location_risk import assess_risk
from ipse.intelligence.facts import DeviceFacts, NetworkFacts, Risk, RiskLevel, RiskPart
from tests.unit.checks.locations import NEW_YORK, NOW, device, history, network, place, report

PAGE = Path(__file__).parents[3] / "docs" / "ip-analysis.md"
STRANGER = History()
TOR = Risk(70.0, RiskLevel.HIGH, (RiskPart("tor", 70, "A Tor exit."),), 0.8)


def risk_of(at: NetworkFacts | None = None, on: DeviceFacts | None = None, past: History = STRANGER) -> Risk:
    found = assess_risk(at or network(), on or device(), past, NOW)
    assert found is not None
    return found


def own_parts(found: Risk) -> dict[str, float]:
    return {part.code: part.points for part in found.parts if part.code not in ("residential", "tor")}


def test_nothing_known_of_the_address_means_no_score() -> None:
    assert assess_risk(NetworkFacts("8.8.8.8"), device(automation=("webdriver",)), history(), NOW) is None


def test_the_score_is_the_sum_of_its_parts_cut_to_the_scale() -> None:
    found = risk_of(network(risk=TOR), device(automation=("webdriver",)))
    assert sum(part.points for part in found.parts) == 105
    assert (found.score, found.level) == (100.0, RiskLevel.HIGH)
    assert risk_of().score == 0.0, "a residential line has fewer points than none"


def test_an_address_that_scores_without_naming_parts_keeps_its_score() -> None:
    assert risk_of(network(risk=Risk(40.0, RiskLevel.MEDIUM))).score == 40.0


PARTS: list[tuple[DeviceFacts, History, str]] = [
    (device(automation=("webdriver",)), STRANGER, "device_automated"),
    (device(emulation=("qemu",)), STRANGER, "device_emulated"),
    (device(tampering=("platform",)), STRANGER, "device_spoofed"),
    (device(is_rooted=True), STRANGER, "device_rooted"),
    (device(is_hooked=True), STRANGER, "device_hooked"),
    (device(is_debugged=True), STRANGER, "device_debugged"),
    (device(is_app_tampered=True), STRANGER, "device_app_tampered"),
    (device(reported=False), STRANGER, "device_silent"),
    (device(utc_offset_minutes=-480), STRANGER, "time_zone_mismatch"),
    (device(), History(listed={"ip_address": ("blocklist",)}), "address_blocklisted"),
    (device(), History(listed={"device_fingerprint": ("blocklist",)}), "device_blocklisted"),
    (device(), History(device_users=1), "device_shared"),
    (device(), History(device_users=3), "device_shared_by_many"),
    (device(), History(address_users=3), "address_shared_by_many"),
    (device(), History(is_known_device=False, is_known_network=False, sightings=1), "new_device_and_network"),
    (device(), History(is_known_device=False, sightings=1), "new_device"),
    (device(), History(is_trusted_device=True), "trusted_device"),
    (device(), History(is_known_network=True), "known_network"),
    (device(), History(last_place=place(NEW_YORK, country="US", ago=timedelta(hours=1))), "impossible_travel"),
    (device(), History(last_place=place(NEW_YORK, country="US", ago=timedelta(days=9))), "country_flip"),
]
"""A device and a past, and the one part of the score that they give."""


@pytest.mark.parametrize(("on", "past", "code"), PARTS)
def test_each_reason_adds_its_part_alone(on: DeviceFacts, past: History, code: str) -> None:
    assert list(own_parts(risk_of(on=on, past=past))) == [code]


def test_the_documentation_names_every_part_with_its_points() -> None:
    table = dict(re.findall(r"\| `([a-z_]+)`[^|]*\| (-?\d+) ", PAGE.read_text("utf-8")))
    measured = {code: own_parts(risk_of(on=on, past=past))[code] for on, past, code in PARTS}
    assert {code: float(points) for code, points in table.items()} == measured


def test_a_known_person_takes_points_off() -> None:
    assert own_parts(risk_of(past=history())) == {"trusted_device": -15, "known_network": -5}


def test_a_silent_page_lowers_the_confidence() -> None:
    assert risk_of().confidence == 0.9
    assert risk_of(on=device(reported=False)).confidence == 0.72


def test_the_report_shows_every_part() -> None:
    found = report(network(risk=TOR))
    assert found.score == 50.0
    assert found.facts["risk"] == {
        "score": 50.0,
        "level": "medium",
        "confidence": 0.8,
        "parts": [
            {"code": "tor", "points": 70, "meaning": "A Tor exit."},
            {"code": "trusted_device", "points": -15, "meaning": "A face was approved on the device."},
            {"code": "known_network", "points": -5, "meaning": "The person was seen in this network before."},
        ],
    }

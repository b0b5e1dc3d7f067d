"""The signals of place and history: each computed, and nothing said of what is not known."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ipse.checks.history import History
from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.decision.values import JsonValue
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.signals.history import of_history, of_place
from tests.unit.checks.locations import (
    NEW_YORK,
    NOW,
    data_of,
    device,
    history,
    match,
    network,
    place,
    recovery,
    report,
)

FAR = history(
    last_place=place(NEW_YORK, country="US", ago=timedelta(hours=2)),
    device_first_seen_at=NOW - timedelta(days=30),
    recovery=recovery(gate_reason="common_configuration"),
    matches=(
        match("ip_address", "ip_address", status="Declined"),
        match("ip_address", "ip_address", status="Approved"),
        match("device_fingerprint", "legacy_fp", status="Declined"),
    ),
    document_country="ESP",
)


def listed(group: str) -> set[str]:
    return {code for code, signal in SIGNALS.items() if signal.group == group}


def place_values(
    at: NetworkFacts | None = None,
    on: DeviceFacts | None = None,
    past: History | None = None,
    now: datetime = NOW,
    expected_ip: str | None = None,
) -> dict[str, JsonValue]:
    found = of_place(at or network(), on or device(), past or history(), now, expected_ip=expected_ip)
    assert problems_of(found) == ()
    return found


def history_values(
    past: History | None = None, at: NetworkFacts | None = None, on: DeviceFacts | None = None
) -> dict[str, JsonValue]:
    found = of_history(at or network(), on or device(), past or history(), NOW)
    assert problems_of(found) == ()
    return found


def test_every_listed_signal_is_computed() -> None:
    assert set(place_values(past=FAR, expected_ip="88.12.0.0/16")) == listed("place")
    assert set(history_values(FAR)) == listed("history")


def test_a_stranger_has_no_past() -> None:
    found = history_values(History())
    assert found["history.sightings"] == 0
    for name in ("hours_since_last", "is_known_device", "is_trusted_device", "device_age_days", "is_known_network"):
        assert f"history.{name}" not in found
    assert place_values(NetworkFacts(None), DeviceFacts(), History()) == {}


def test_travel_is_told_as_the_report_tells_it() -> None:
    found = place_values(past=FAR)
    told = data_of(report(past=FAR), "IMPOSSIBLE_TRAVEL_DETECTED")
    assert told is not None
    assert round(float(str(found["place.distance_km"]))) == told["distance_km"]
    assert found["place.is_impossible_travel"] is True
    assert found["place.has_country_flip"] is True
    assert found["place.last_country"] == "US"
    assert found["place.speed_kmh"] == pytest.approx((5768 - 300) / 2, abs=3)


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(hours=-5)])
def test_a_clock_that_jumps_makes_no_speed(ago: timedelta) -> None:
    past = history(last_place=place(NEW_YORK, country="US", ago=ago))
    found = place_values(past=past)
    assert "place.speed_kmh" not in found
    assert found["place.is_impossible_travel"] is False
    assert found["place.is_clock_set_back"] is (ago < timedelta(0))
    assert history_values(past)["history.hours_since_last"] == 0


def test_a_hidden_last_address_flips_no_country() -> None:
    found = place_values(past=history(last_place=place(country="US", is_anonymous=True)))
    assert found["place.is_last_no_place"] is True
    assert "place.has_country_flip" not in found


@pytest.mark.parametrize(
    ("languages", "answer"),
    [
        (("es-ES", "en"), True),
        (("en-US", "es-es"), True),
        (("en-US",), False),
        (("es",), None),
        (("zh-Hans-CN",), False),
        (("de-1996",), None),
        ((), None),
    ],
)
def test_languages_are_compared_with_the_country_only_where_they_name_one(
    languages: tuple[str, ...], answer: bool | None
) -> None:
    assert place_values(on=device(languages=languages)).get("place.is_country_in_languages") is answer


def test_the_hour_is_that_of_the_place() -> None:
    found = place_values(network(time_zone="Asia/Tokyo"))
    assert (found["place.local_hour"], found["place.local_weekday"]) == (19, 5)
    late = place_values(network(time_zone="Pacific/Kiritimati"))
    assert (late["place.local_hour"], late["place.local_weekday"]) == (0, 6)
    assert "place.local_hour" not in place_values(network(time_zone=None, utc_offset=None))


def test_the_gap_of_the_clocks_is_told_with_its_sign() -> None:
    behind = place_values(on=device(utc_offset_minutes=-300))
    assert behind["place.time_zone_gap_minutes"] == -360
    assert behind["place.is_time_zone_mismatch"] is True
    assert place_values()["place.is_time_zone_mismatch"] is False


@pytest.mark.parametrize(("expected", "answer"), [(None, None), ("88.12.0.1", True), ("88.13.0.0/16", False)])
def test_the_expected_address_is_a_signal_only_when_there_is_one(expected: str | None, answer: bool | None) -> None:
    assert place_values(expected_ip=expected).get("place.is_expected_address") is answer


def test_a_document_of_another_country_is_told() -> None:
    assert place_values(past=history(document_country="FRA"))["place.is_document_country"] is False
    assert "place.is_document_country" not in place_values()


def test_a_recovered_device_counts_only_without_doubt() -> None:
    assert history_values(history(recovery=recovery()))["history.is_recovered_device"] is True
    doubtful = history_values(FAR)
    assert doubtful["history.is_recovered_device"] is False
    assert doubtful["history.recovery_gate"] == "common_configuration"
    assert history_values()["history.is_recovered_device"] is False


def test_the_sessions_of_others_are_counted_by_their_end() -> None:
    found = history_values(FAR)
    counted = tuple(found[f"history.matched_{name}"] for name in ("sessions", "declined", "approved"))
    assert counted == (3, 2, 1)


def test_the_score_is_that_of_the_report() -> None:
    found = history_values(FAR)
    assert found["history.risk_score"] == report(past=FAR).score
    assert found["history.risk_parts"] == ["trusted_device", "known_network", "impossible_travel"]
    assert "history.risk_score" not in history_values(at=NetworkFacts("8.8.8.8"))

"""Who is accused of impossible travel, and who is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.checks import time_zones
from ipse.checks.history import Place
from ipse.checks.travel import EARTH_RADIUS_KM, distance_km, flipped_country, travel
from ipse.intelligence.facts import NetworkFacts
from tests.unit.checks.locations import MADRID, NEW_YORK, NOW, data_of, device, effects, history, network, place, report

PARIS = (48.8566, 2.3522)
POINTS = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("one", "other", "kilometres"),
    [(MADRID, NEW_YORK, 5768), (MADRID, PARIS, 1053), (MADRID, MADRID, 0), ((0.0, 179.9), (0.0, -179.9), 22)],
)
def test_distances_are_those_of_the_great_circle(
    one: tuple[float, float], other: tuple[float, float], kilometres: float
) -> None:
    assert distance_km(one, other) == pytest.approx(kilometres, abs=5)


@given(one=POINTS, other=POINTS)
def test_a_distance_is_the_same_both_ways_and_at_most_half_round_the_earth(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    there = distance_km(one, other)
    assert there == pytest.approx(distance_km(other, one))
    assert 0 <= there <= EARTH_RADIUS_KM * 3.1416


@pytest.mark.parametrize(
    ("last", "is_impossible"),
    [
        (place(NEW_YORK, ago=timedelta(hours=2)), True),
        (place(NEW_YORK, ago=timedelta(seconds=1)), True),
        (place(NEW_YORK, ago=timedelta(hours=8)), False),
        (place(PARIS, ago=timedelta(minutes=10)), True),
        (place(PARIS, ago=timedelta(hours=1)), False),
        (place((41.5, -3.7), ago=timedelta(seconds=1)), False),
        (place(NEW_YORK, ago=timedelta(hours=2), is_anonymous=True), False),
        (place(NEW_YORK, ago=timedelta(0)), False),
        (place(NEW_YORK, ago=timedelta(hours=-3)), False),
        (place((None, None)), None),
        (None, None),
    ],
    ids=[
        "faster than any airliner",
        "at once",
        "a flight",
        "Paris in ten minutes",
        "near enough for the doubt about both places",
        "a neighbouring town",
        "from a VPN",
        "no time has passed",
        "the clock was set back",
        "no coordinates",
        "never seen",
    ],
)
def test_only_what_no_airliner_covers_is_impossible(last: Place | None, is_impossible: bool | None) -> None:
    way = travel(last, network(), NOW)
    assert (None if way is None else way.is_impossible) is is_impossible


@pytest.mark.parametrize("flag", ["is_vpn", "is_proxy", "is_tor", "is_relay", "is_datacenter"])
def test_nobody_travels_to_an_anonymous_address(flag: str) -> None:
    far = history(last_place=place(NEW_YORK, country="US", ago=timedelta(hours=1)))
    found = effects(report(network(**{flag: True}), past=far))
    assert "IMPOSSIBLE_TRAVEL_DETECTED" not in found
    assert "COUNTRY_FLIP_DETECTED" not in found


def test_the_report_says_how_far_and_how_soon() -> None:
    far = history(last_place=place(NEW_YORK, country="US", ago=timedelta(hours=2)))
    assert data_of(report(past=far), "IMPOSSIBLE_TRAVEL_DETECTED") == {
        "distance_km": 5768,
        "elapsed_minutes": 120.0,
        "last_country_code": "US",
        "last_seen_at": "2026-11-20T08:00:00Z",
    }


def test_a_place_known_by_its_country_alone_is_doubted_more() -> None:
    last = place(PARIS, ago=timedelta(minutes=40))
    by_city = travel(last, network(), NOW)
    by_country = travel(last, network(city=None, region=None), NOW)
    assert by_city is not None
    assert by_country is not None
    assert by_city.certain_km - by_country.certain_km == pytest.approx(200)


def test_a_country_has_flipped_only_when_both_are_known() -> None:
    assert flipped_country(place(country="FR"), network()) is True
    assert flipped_country(place(country="ES"), network()) is False
    assert flipped_country(place(country=None), network()) is None
    assert flipped_country(place(country="FR"), NetworkFacts("8.8.8.8")) is None
    assert flipped_country(None, network()) is None


@pytest.mark.parametrize(
    ("zone", "minutes", "warns"),
    [
        ("Europe/Madrid", 60, False),
        ("Europe/Lisbon", 0, False),
        ("Europe/Athens", 120, False),
        ("Europe/Moscow", 180, True),
        ("America/New_York", None, True),
        ("no zone", None, False),
        ("../../etc/passwd", None, False),
        ("", None, False),
        (None, None, False),
    ],
)
def test_the_clock_of_a_device_may_differ_by_one_hour(zone: str | None, minutes: int | None, warns: bool) -> None:
    found = effects(report(on=device(time_zone=zone, utc_offset_minutes=minutes)))
    assert ("TIME_ZONE_MISMATCH_DETECTED" in found) is warns


def test_summer_time_is_that_of_the_day() -> None:
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert time_zones.offset_of_address(network(), summer) == timedelta(hours=2)
    assert time_zones.offset_of_address(network(), NOW) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "hours"), [("+0100", 1), ("-0930", -9.5), ("+05:30", 5.5), ("Z", None), ("", None), (None, None)]
)
def test_an_offset_without_a_zone_is_enough(text: str | None, hours: float | None) -> None:
    offset = time_zones.offset_of_address(network(time_zone=None, utc_offset=text), NOW)
    assert offset == (None if hours is None else timedelta(hours=hours))


def test_a_first_visitor_is_not_new_everywhere() -> None:
    new = history(is_known_device=False, is_trusted_device=False, is_known_network=False, sightings=0, last_place=None)
    assert effects(report(past=new)) == {}
    again = history(is_known_device=False, is_trusted_device=False, is_known_network=False)
    vouched_for = history(is_known_device=False, is_known_network=False)
    assert effects(report(past=vouched_for)) == {}
    assert data_of(report(past=again), "NEW_DEVICE_AND_NETWORK_DETECTED") == {"sightings": 4}

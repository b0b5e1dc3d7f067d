"""Which places a fence lets in."""

from __future__ import annotations

import pytest

from ipse.checks.geofence import judge
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonObject
from ipse.decision.warnings import LogType
from ipse.intelligence.facts import NetworkFacts
from tests.unit.checks.locations import data_of, effects, network, report, unlocated

YES: JsonObject = {"allowed": True, "states": None}
NO: JsonObject = {"allowed": False, "states": None}
CALIFORNIA = network(country="US", country_alpha3="USA", country_name="United States", region="California")


def states(**rules: bool) -> JsonObject:
    return {"allowed": True, "states": {name: {"allowed": allowed} for name, allowed in rules.items()}}


@pytest.mark.parametrize(
    ("fence", "is_allowed", "restricted_by"),
    [
        ({}, True, None),
        ({"ESP": YES}, True, None),
        ({"esp ": YES}, True, None),
        ({"ESP": NO}, False, "country"),
        ({"ES": NO}, False, "country"),
        ({"es": YES}, True, None),
        ({"FRA": NO}, True, None),
        ({"FRA": YES}, False, "country"),
        ({"FRA": YES, "ESP": NO}, False, "country"),
        ({"ESP": {"allowed": "yes"}}, False, "country"),
        ({"ESP": None}, False, "country"),
        ({"ESP": True}, True, None),
        ({"ESP": {"allowed": True}}, True, None),
        ({"ESP": states(Madrid=True)}, True, None),
        ({"ESP": states(MÁDRID=True)}, True, None),
        ({"ESP": states(Madrid=False)}, False, "state"),
        ({"ESP": states(Valencia=True)}, False, "state"),
        ({"ESP": states(Valencia=False)}, True, None),
    ],
)
def test_countries_and_states_are_judged(fence: JsonObject, is_allowed: bool, restricted_by: str | None) -> None:
    found = judge(network(), fence)
    assert (found.is_allowed, found.restricted_by) == (is_allowed, restricted_by)


@pytest.mark.parametrize(
    ("key", "is_allowed"),
    [("CA", True), ("US-CA", True), ("us-ca", True), ("california", True), ("NY", False), ("New York", False)],
)
def test_a_state_is_named_by_code_or_name(key: str, is_allowed: bool) -> None:
    assert judge(CALIFORNIA, {"USA": states(**{key: True})}).is_allowed is is_allowed


@pytest.mark.parametrize("region", ["Rheinland-Pfalz", "Rhineland-Palatinate"])
def test_a_state_is_found_under_each_of_its_names(region: str) -> None:
    german = network(country="DE", country_alpha3="DEU", region=region)
    assert judge(german, {"DEU": states(RP=False)}).restricted_by == "state"
    assert judge(german, {"DEU": states(**{"Rheinland-Pfalz": False})}).restricted_by == "state"


@pytest.mark.parametrize(
    ("at", "fence", "unknown"),
    [
        (unlocated(), {"ESP": NO}, "country"),
        (network(region=None), {"ESP": states(Madrid=False)}, "region"),
        (network(), {"ESP": states(MD=False)}, "state_code"),
    ],
)
def test_what_cannot_be_told_is_not_allowed_by_silence(at: NetworkFacts, fence: JsonObject, unknown: str) -> None:
    found = judge(at, fence)
    assert (found.is_allowed, found.unknown) == (None, unknown)
    told = report(at, is_ip_geofencing_enabled=True, ip_geofencing_by_country=fence)
    assert told.status is FeatureStatus.IN_REVIEW
    assert effects(told)["IP_LOCATION_NOT_DETERMINED"] is LogType.WARNING


def test_the_workflow_may_let_an_unknown_place_in() -> None:
    fence = {"ESP": states(Madrid=False)}
    found = report(
        network(region=None),
        is_ip_geofencing_enabled=True,
        ip_geofencing_by_country=fence,
        ip_location_not_determined_action="NO_ACTION",
    )
    assert found.status is FeatureStatus.APPROVED
    assert data_of(found, "IP_LOCATION_NOT_DETERMINED") == {"reason": "no_region"}


def test_a_fence_that_is_switched_off_stops_nobody() -> None:
    assert report(is_ip_geofencing_enabled=False, ip_geofencing_by_country={"ESP": NO}).warnings == ()


def test_the_effect_of_a_fence_is_that_of_the_workflow() -> None:
    fence: JsonObject = {"ESP": NO}
    found = report(is_ip_geofencing_enabled=True, ip_geofencing_by_country=fence)
    assert found.status is FeatureStatus.DECLINED
    milder = report(is_ip_geofencing_enabled=True, ip_geofencing_by_country=fence, ip_geofencing_action="REVIEW")
    assert milder.status is FeatureStatus.IN_REVIEW

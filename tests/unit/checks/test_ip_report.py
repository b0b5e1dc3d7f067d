"""What the address report guarantees while there is no address intelligence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.checks.ip_analysis import RequestFacts, assess, read_address, read_device
from ipse.decision.reports import Report
from ipse.decision.settings import IpAnalysisConfig
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import LogType

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


def report(request: RequestFacts, **keys: JsonValue) -> Report:
    return assess(request, IpAnalysisConfig.read(keys, "feature_ip"), "feature_ip")


def effects(found: Report) -> dict[str, LogType]:
    return {warning.risk: warning.log_type for warning in found.warnings}


@pytest.mark.parametrize(
    ("ip", "reason"),
    [
        ("8.8.8.8", "no_location_data"),
        ("127.0.0.1", "private_address"),
        ("::ffff:10.0.0.1", "private_address"),
        ("100.64.0.1", "private_address"),
        ("not an address", "no_address"),
        (None, "no_address"),
    ],
)
def test_an_unknown_place_is_said_to_be_unknown_and_no_score_is_made_up(ip: str | None, reason: str) -> None:
    found = report(RequestFacts(ip))
    assert found.score is None
    assert effects(found) == {"IP_LOCATION_NOT_DETERMINED": LogType.INFORMATION}
    assert found.warnings[0].additional_data == {"reason": reason}
    for key in ("ip_country", "is_vpn_or_tor", "is_data_center", "latitude"):
        assert found.facts[key] is None


@pytest.mark.parametrize(
    "keys",
    [
        {"vpn_detection_action": "DECLINE"},
        {"duplicated_ip_action": "REVIEW"},
        {"is_ip_geofencing_enabled": True},
    ],
)
def test_a_rule_that_needs_knowledge_we_lack_goes_to_review(keys: dict[str, JsonValue]) -> None:
    found = report(RequestFacts("8.8.8.8"), **keys)
    assert found.status is FeatureStatus.IN_REVIEW
    assert effects(found)["CHECK_NOT_AVAILABLE"] is LogType.WARNING


def test_an_action_that_does_nothing_needs_no_knowledge() -> None:
    assert report(RequestFacts("8.8.8.8"), vpn_detection_action="NO_ACTION").status is FeatureStatus.APPROVED


@pytest.mark.parametrize(
    ("expected", "fits"),
    [("8.8.8.8", True), ("::ffff:8.8.8.8", True), ("8.8.4.4", False), ("nonsense", False)],
)
def test_the_expected_address_is_compared_as_an_address(expected: str, fits: bool) -> None:
    found = report(RequestFacts("8.8.8.8", expected_ip=expected))
    assert ("IP_ADDRESS_MISMATCH_WITH_PROVIDED" in effects(found)) is not fits
    assert found.status is (FeatureStatus.APPROVED if fits else FeatureStatus.IN_REVIEW)


def test_an_unknown_client_is_not_the_expected_one() -> None:
    found = report(RequestFacts(None, expected_ip="8.8.8.8"), expected_ip_mismatch_action="DECLINE")
    assert found.status is FeatureStatus.DECLINED


def test_an_automated_browser_is_noticed() -> None:
    found = report(RequestFacts("8.8.8.8", user_agent=WINDOWS.replace("Chrome", "HeadlessChrome")))
    assert effects(found)["AUTOMATION_FRAMEWORK_DETECTED"] is LogType.WARNING


def test_the_device_is_read_from_the_user_agent() -> None:
    phone = read_device(RequestFacts(None, IPHONE))
    assert (phone.brand, phone.system, phone.browser, phone.platform) == ("Apple", "iOS", "Mobile Safari", "mobile")
    assert read_device(RequestFacts(None, WINDOWS)).platform == "desktop"
    tablet = IPHONE.replace("iPhone", "iPad")
    assert read_device(RequestFacts(None, tablet)).platform == "tablet"
    assert read_device(RequestFacts(None)).platform is None


def test_headers_add_what_the_user_agent_hides() -> None:
    hints = {"sec-ch-ua-model": '"Pixel 9"', "sec-ch-ua-mobile": "?1", "x-didit-fp-hash": "abc123"}
    request = RequestFacts(None, WINDOWS, hints, accept_language="en")
    assert read_device(request).model == "Pixel 9"
    assert read_device(request).platform == "mobile"
    assert report(request).facts["device_fingerprint"] == "abc123"


@given(text=st.text(max_size=3000))
def test_any_text_is_a_possible_user_agent_and_address(text: str) -> None:
    found = report(RequestFacts(text, text, {"sec-ch-ua-model": text}, expected_ip=text))
    assert Report.from_json(found.to_json()) == found


def test_addresses_are_read_in_every_usual_spelling() -> None:
    assert str(read_address("[2001:db8::1]")) == "2001:db8::1"
    assert str(read_address(" ::ffff:192.0.2.1 ")) == "192.0.2.1"
    assert read_address("") is None

"""The signals of a device: each from what headers and report tell, and none that was not told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.decision.values import JsonValue
from ipse.intelligence.device import read_device
from ipse.intelligence.facts import DeviceFacts
from ipse.signals.device import of_device
from tests.unit.intelligence.test_device import CHROME, DESKTOP, HEADERS, PIXEL

LISTED = {code for code, signal in SIGNALS.items() if signal.group == "device"}
FULL: dict[str, Any] = {
    **DESKTOP,
    "cookies": True,
    "local_storage": True,
    "indexed_db": True,
    "pdf_viewer": True,
    "apple_pay": False,
    "do_not_track": True,
    "global_privacy_control": False,
    "reduced_motion": False,
    "forced_colours": False,
    "hdr": False,
    "framed": True,
    "persistent_healed": True,
    "persistent_stores": 1,
    "cameras": 1,
    "microphones": 2,
    "speakers": 1,
    "plugins_count": 5,
    "bot_kind": "selenium",
    "collected_ms": 123.5,
    "window_width": 960,
    "outer_width": 970,
}


def values(device: DeviceFacts) -> dict[str, JsonValue]:
    found = of_device(device)
    assert problems_of(found) == ()
    return found


def test_every_listed_signal_is_computed() -> None:
    """A page and an app together tell all of them; the model is what a page with client hints adds."""
    page = read_device({**HEADERS, "sec-ch-ua-model": '"Surface"'}, FULL)
    device = replace(
        page,
        brand="Microsoft",
        has_attestation=True,
        is_rooted=True,
        is_hooked=False,
        is_debugged=False,
        is_app_tampered=False,
    )
    assert set(values(device)) == LISTED


def test_headers_alone_tell_what_the_device_is_and_claim_no_innocence() -> None:
    found = values(read_device(HEADERS, None))
    assert found["device.system"] == "Windows"
    assert found["device.browser_major"] == 126
    assert found["device.has_report"] is False
    assert not {"device.is_webdriver", "device.is_emulator", "device.has_false_system"} & set(found)
    assert values(read_device({"user-agent": "curl/8.5"}, None))["device.is_http_library"] is True


def test_a_clean_report_says_what_was_not_found() -> None:
    found = values(read_device(HEADERS, DESKTOP))
    suspicious = {code for code, value in found.items() if value is True and ("false" in code or ".is_" in code)}
    assert suspicious == set()
    assert found["device.contradictions"] == 0
    assert found["device.automation"] == []


@pytest.mark.parametrize(
    ("headers", "changes", "code"),
    [
        ({}, {"webdriver": True}, "device.is_webdriver"),
        ({"user-agent": CHROME.replace("Chrome/", "HeadlessChrome/")}, {}, "device.is_headless"),
        ({}, {"automation": ["patched_functions"]}, "device.has_patched_functions"),
        ({}, {"webgl_renderer": "VMware SVGA3D"}, "device.is_virtual_machine"),
        ({}, {"webgl_renderer": "Google SwiftShader"}, "device.is_software_rendered"),
        ({"user-agent": PIXEL}, {"user_agent": PIXEL}, "device.is_emulator"),
        ({}, {"user_agent": PIXEL}, "device.has_false_user_agent"),
        ({}, {"navigator_platform": "MacIntel"}, "device.has_false_system"),
        ({}, {"vendor": "Apple Computer, Inc."}, "device.has_false_browser"),
        ({"sec-ch-ua-mobile": "?1"}, {}, "device.has_false_form"),
        ({"accept-language": "vi"}, {}, "device.has_false_languages"),
        ({}, {"screen_height": 0}, "device.has_false_screen"),
        ({}, {"outer_width": 0}, "device.has_no_window_frame"),
    ],
)
def test_each_suspicion_is_raised_by_its_cause(headers: dict[str, str], changes: dict[str, Any], code: str) -> None:
    before = values(read_device(HEADERS, {**DESKTOP, "outer_width": 1920}))
    after = values(read_device({**HEADERS, **headers}, {**DESKTOP, "outer_width": 1920, **changes}))
    assert (before[code], after[code]) == (False, True)


def test_sizes_are_those_of_the_screen_however_it_is_held() -> None:
    upright = values(read_device(HEADERS, {**FULL, "screen_width": 1080, "screen_height": 1920, "window_width": 540}))
    assert (upright["device.screen_short_px"], upright["device.screen_long_px"]) == (1080, 1920)
    assert upright["device.window_share"] == 0.5
    assert values(read_device(HEADERS, FULL))["device.has_task_bar"] is True


def test_a_version_that_is_no_number_is_left_out() -> None:
    found = values(DeviceFacts(browser_version="beta", system_version="14.4.1"))
    assert "device.browser_major" not in found
    assert found["device.system_major"] == 14

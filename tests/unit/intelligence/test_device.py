"""What is read from a device, and which contradictions in it are seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.intelligence.device import read_device
from ipse.intelligence.facts import DeviceFacts

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
)
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Safari/605.1.15"
)

DESKTOP: Mapping[str, Any] = {
    "source": "page",
    "persistent_id": "k3J9x0QmT1aVbN7cZpLwSg",
    "user_agent": CHROME,
    "navigator_platform": "Win32",
    "vendor": "Google Inc.",
    "languages": ["de-DE", "en"],
    "time_zone": "Europe/Berlin",
    "utc_offset_minutes": 60,
    "screen_width": 1920,
    "screen_height": 1080,
    "available_width": 1920,
    "available_height": 1040,
    "pixel_ratio": 1.25,
    "colour_depth": 24,
    "colour_gamut": "srgb",
    "cores": 8,
    "memory_gb": 8,
    "touch_points": 0,
    "webgl_vendor": "Google Inc. (NVIDIA)",
    "webgl_renderer": "ANGLE (NVIDIA, NVIDIA GeForce GTX 1660 Direct3D11)",
    "digests": {"canvas": "c" * 32, "audio": "a" * 32, "fonts": "f" * 32, "math": "e" * 32},
    "hints": {"architecture": "x86", "platform": "Windows", "platform_version": "15.0.0"},
    "permissions": {"camera": "prompt"},
    "webdriver": False,
}
HEADERS = {"user-agent": CHROME, "accept-language": "de-DE,de;q=0.9,en;q=0.8", "sec-ch-ua-platform": '"Windows"'}


def read(headers: Mapping[str, str] = HEADERS, **changes: object) -> DeviceFacts:
    return read_device(headers, {**DESKTOP, **changes})


def test_an_ordinary_desktop_raises_no_suspicion() -> None:
    facts = read()
    assert (facts.automation, facts.emulation, facts.tampering) == ((), (), ())
    assert (facts.system, facts.browser, facts.platform) == ("Windows", "Chrome", "desktop")
    assert facts.system_version == "15.0.0"
    assert facts.time_zone == "Europe/Berlin"
    assert facts.utc_offset_minutes == 60
    assert facts.languages == ("de-DE", "en")
    assert facts.reported
    assert facts.is_webview is False
    assert facts.is_rooted is None, "a page cannot tell"


def test_headers_alone_name_the_device_but_make_no_fingerprint() -> None:
    facts = read_device({"user-agent": IPHONE, "accept-language": "es-ES,en;q=0.5,*;q=0.1,fr;q=0"}, None)
    assert (facts.brand, facts.model, facts.system, facts.platform) == ("Apple", "iPhone", "iOS", "mobile")
    assert (facts.browser, facts.browser_version) == ("Mobile Safari", "17.4")
    assert facts.languages == ("es-ES", "en")
    assert facts.fingerprint is None
    assert facts.components == {}
    assert not facts.reported


def test_nothing_at_all_is_nothing_known() -> None:
    facts = read_device({}, None)
    assert facts == DeviceFacts()


def test_the_contracts_headers_are_taken_where_no_page_reported() -> None:
    facts = read_device({"x-didit-fp-hash": "fp_ab12cd34", "x-didit-pid": "A" * 22}, None)
    assert facts.fingerprint == "fp_ab12cd34"
    assert facts.persistent_id == "A" * 22


@pytest.mark.parametrize("bad", ["short", "x" * 65, "digest:" + "a" * 20, "with space in it "])
def test_a_persistent_id_of_another_form_is_none(bad: str) -> None:
    assert read(persistent_id=bad).persistent_id is None


def test_the_fingerprint_survives_a_journey_an_update_and_a_turned_screen() -> None:
    before = read().fingerprint
    update = CHROME.replace("126.0", "131.0")
    after = read(
        {**HEADERS, "user-agent": update},
        user_agent=update,
        time_zone="Asia/Tokyo",
        languages=["ja"],
        screen_width=1080,
        screen_height=1920,
    )
    assert before is not None
    assert after.fingerprint == before


@pytest.mark.parametrize("change", [{"cores": 4}, {"webgl_renderer": "Mali-G78"}, {"digests": {"canvas": "d" * 32}}])
def test_another_device_has_another_fingerprint(change: Mapping[str, Any]) -> None:
    assert read(**change).fingerprint != read().fingerprint


def test_too_few_components_make_no_fingerprint() -> None:
    assert read_device(HEADERS, {"cores": 8, "memory_gb": 8}).fingerprint is None


@pytest.mark.parametrize(
    ("headers", "report", "name"),
    [
        ({"user-agent": CHROME.replace("Chrome/", "HeadlessChrome/")}, None, "headless"),
        ({"user-agent": CHROME, "sec-ch-ua": '"HeadlessChrome";v="126"'}, None, "headless"),
        ({"user-agent": "python-requests/2.31"}, None, "http_library"),
        ({"user-agent": CHROME}, {"webdriver": True}, "webdriver"),
        ({"user-agent": CHROME}, {"automation": ["puppeteer"]}, "puppeteer"),
        ({"user-agent": CHROME}, {"automation": ["patched_camera"]}, "patched_camera"),
        ({"user-agent": CHROME}, {"bot_kind": "electron"}, "bot_detected"),
    ],
)
def test_automation_is_seen(headers: dict[str, str], report: dict[str, object] | None, name: str) -> None:
    assert name in read_device(headers, report).automation


def test_a_page_cannot_invent_names_of_traces() -> None:
    assert read(automation=["<b>", "selenium", 4]).automation == ("selenium",)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"webgl_renderer": "Google SwiftShader"}, "software_rendering"),
        ({"webgl_renderer": "llvmpipe (LLVM 15.0.7, 256 bits)"}, "software_rendering"),
        ({"webgl_renderer": "VMware SVGA3D"}, "virtual_machine"),
        ({"webgl_renderer": "Android Emulator OpenGL ES Translator"}, "emulator"),
        ({"source": "android", "is_emulator": True}, "reported_by_app"),
    ],
)
def test_emulators_and_virtual_machines_are_seen(changes: Mapping[str, Any], name: str) -> None:
    assert name in read(**changes).emulation


def test_a_phone_with_the_parts_of_a_desktop_is_an_emulator() -> None:
    facts = read({"user-agent": PIXEL}, user_agent=PIXEL, navigator_platform="Linux x86_64", touch_points=5)
    assert facts.emulation == ("desktop_graphics", "desktop_processor")
    real = read(
        {"user-agent": PIXEL},
        user_agent=PIXEL,
        navigator_platform="Linux armv81",
        touch_points=5,
        webgl_renderer="Mali-G715",
        webgl_vendor="ARM",
        hints={},
    )
    assert (real.emulation, real.tampering, real.model, real.brand) == ((), (), None, None)


def test_the_sdk_image_of_android_is_an_emulator() -> None:
    agent = PIXEL.replace("; K)", "; sdk_gphone64_x86_64)")
    assert read_device({"user-agent": agent}, None).emulation == ("emulator",)


@pytest.mark.parametrize(
    ("headers", "changes", "name"),
    [
        ({}, {"user_agent": PIXEL}, "user_agent_differs"),
        ({}, {"navigator_platform": "Linux x86_64"}, "platform_contradicts_system"),
        ({"sec-ch-ua-platform": '"Linux"'}, {}, "client_hints_contradict_user_agent"),
        ({"sec-ch-ua-platform": '"Linux"'}, {}, "client_hints_differ"),
        ({"sec-ch-ua-mobile": "?1"}, {}, "desktop_claims_mobile"),
        ({"user-agent": IPHONE}, {"user_agent": IPHONE, "touch_points": 0}, "mobile_without_touch"),
        ({"user-agent": MAC, "sec-ch-ua": '"Chromium"'}, {"user_agent": MAC}, "client_hints_without_chromium"),
        ({}, {"vendor": "Apple Computer, Inc."}, "vendor_contradicts_browser"),
        ({"user-agent": IPHONE}, {"user_agent": IPHONE}, "vendor_contradicts_browser"),
        ({"accept-language": "ru"}, {}, "languages_differ"),
        ({}, {"available_width": 4000}, "impossible_screen"),
        ({}, {"screen_width": 0}, "impossible_screen"),
        ({}, {"webgl_renderer": "Apple M2"}, "graphics_contradict_system"),
    ],
)
def test_claims_that_contradict_each_other_are_named(
    headers: dict[str, str], changes: Mapping[str, Any], name: str
) -> None:
    assert name in read({**HEADERS, **headers}, **changes).tampering


def test_an_ipad_that_asks_for_desktop_pages_is_an_ipad() -> None:
    facts = read_device(
        {"user-agent": MAC},
        {"user_agent": MAC, "touch_points": 5, "navigator_platform": "MacIntel", "vendor": "Apple Computer, Inc."},
    )
    assert (facts.system, facts.platform, facts.tampering) == ("iOS", "tablet", ())


@pytest.mark.parametrize(
    "agent",
    [
        IPHONE.replace(" Version/17.4", "").replace(" Safari/604.1", ""),
        PIXEL.replace("; K)", "; Pixel 8; wv)"),
        f"{IPHONE} [FBAN/FBIOS;FBAV/450.0]",
    ],
)
def test_pages_inside_apps_are_seen(agent: str) -> None:
    assert read_device({"user-agent": agent}, None).is_webview is True


def test_an_app_tells_what_a_page_cannot() -> None:
    told = {"is_rooted": True, "is_hooked": False, "has_attestation": True, "model": "SM-S918B", "brand": "Samsung"}
    facts = read_device({"user-agent": "okhttp/4.12"}, {"source": "android", **told})
    assert (facts.is_rooted, facts.is_hooked, facts.is_debugged, facts.has_attestation) == (True, False, None, True)
    assert (facts.brand, facts.model, facts.automation) == ("Samsung", "SM-S918B", ())
    assert read(is_rooted=True).is_rooted is None


def test_details_carry_what_else_was_told_under_fixed_names() -> None:
    details = read(cookies=True, made_up="x", bot_kind="b").details
    assert details["cookies"] is True
    assert details["may_camera"] == "prompt"
    assert details["hint_architecture"] == "x86"
    assert details["accepted_languages"] == ["de-DE", "de", "en"]
    assert "made_up" not in details


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([*DESKTOP, "automation", "webview", "source"]), _anything),
    st.dictionaries(st.sampled_from([*HEADERS, "sec-ch-ua", "x-didit-pid"]), st.text(max_size=60)),
)
def test_no_report_and_no_header_can_break_the_reader(report: dict[str, Any], headers: dict[str, str]) -> None:
    facts = read_device(headers, report)
    assert all(len(value) <= 128 for value in facts.components.values())

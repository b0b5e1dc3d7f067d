"""Traces of automation, of emulators and of claims that contradict each other, each by a stable name.

A name says what was seen, not what follows from it: remote desktops draw without a graphics card, and privacy tools
contradict themselves on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ipse.intelligence.device_agent import DESKTOP_SYSTEMS, MOBILE_SYSTEMS, Agent
from ipse.intelligence.device_claims import Claims

_AGENT_WORDS: Final = {
    "headlesschrome": "headless",
    "headless": "headless",
    "phantomjs": "phantom",
    "selenium": "selenium",
    "puppeteer": "puppeteer",
    "playwright": "playwright",
    "cypress": "cypress",
    "webdriver": "webdriver",
    "slimerjs": "slimer",
    "python-requests": "http_library",
    "python-httpx": "http_library",
    "aiohttp": "http_library",
    "curl/": "http_library",
    "wget/": "http_library",
    "go-http-client": "http_library",
    "okhttp": "http_library",
    "java/": "http_library",
    "node-fetch": "http_library",
    "axios/": "http_library",
}
_KNOWN_TRACES: Final = frozenset(
    {
        "playwright",
        "puppeteer",
        "selenium",
        "chromedriver",
        "phantom",
        "nightmare",
        "dom_automation",
        "cypress",
        "headless",
        "patched_camera",
        "patched_functions",
        "no_plugins",
        "no_languages",
    }
)
"""Names a page may report; others are not repeated, so that nobody can write into a rule's input."""

_SOFTWARE: Final = re.compile(r"swiftshader|llvmpipe|softpipe|software rasterizer|basic render|apple software", re.I)
_MACHINES: Final = re.compile(r"virtualbox|vmware|parallels|svga3d|virgl|qxl|hyper-v|virtio|qemu", re.I)
_EMULATED: Final = re.compile(r"android emulator|bluestacks|genymotion|nox|ldplayer|memu|koplayer|goldfish", re.I)
_EMULATED_AGENT: Final = re.compile(
    r"sdk_gphone|android sdk built for|goldfish|ranchu|generic_x86|google_sdk|genymotion|bluestacks|vbox86", re.I
)
_MOBILE_GPU: Final = re.compile(r"adreno|mali|powervr|apple gpu|xclipse|immortalis|vivante|tegra|maleoon", re.I)
_DESKTOP_GPU: Final = re.compile(r"geforce|radeon|nvidia|intel\(r\)|iris|quadro|direct3d", re.I)


def automation(claims: Claims) -> tuple[str, ...]:
    """Names of what drives the browser from outside, as far as it shows; sorted, each once."""
    found = {name for name in claims.texts("automation", 16, 32) if name in _KNOWN_TRACES}
    agent = f"{claims.user_agent} {claims.text('user_agent', 1024) or ''}".lower()
    found |= {name for word, name in _AGENT_WORDS.items() if word in agent}
    if claims.from_app or agent.strip().startswith("mozilla/"):
        found.discard("http_library")  # apps are built on such libraries and name themselves with them
    if claims.flag("webdriver"):
        found.add("webdriver")
    if claims.text("bot_kind", 32) is not None:
        found.add("bot_detected")
    if "headless" in (claims.header("sec-ch-ua") or "").lower():
        found.add("headless")
    return tuple(sorted(found))


def emulation(claims: Claims, agent: Agent) -> tuple[str, ...]:
    """Names of traces of an emulator, a virtual machine or drawing in software; sorted."""
    return tuple(sorted(set(_emulation(claims, agent))))


def tampering(claims: Claims, agent: Agent) -> tuple[str, ...]:
    """Names of pairs of claims that cannot both be true; sorted."""
    return tuple(sorted(set(_tampering(claims, agent))))


def _emulation(claims: Claims, agent: Agent) -> Iterator[str]:
    graphics = f"{claims.text('webgl_vendor', 128) or ''} {claims.text('webgl_renderer', 256) or ''}"
    described = f"{claims.user_agent} {claims.hint('model', 'sec-ch-ua-model') or ''} {agent.model or ''}"
    is_mobile = agent.system in MOBILE_SYSTEMS
    if _SOFTWARE.search(graphics):
        yield "software_rendering"
    if _MACHINES.search(graphics):
        yield "virtual_machine"
    if _EMULATED.search(graphics) or _EMULATED_AGENT.search(described):
        yield "emulator"
    if is_mobile and _DESKTOP_GPU.search(graphics) and not _MOBILE_GPU.search(graphics):
        yield "desktop_graphics"
    if is_mobile and _is_desktop_processor(claims.text("navigator_platform", 64) or ""):
        yield "desktop_processor"
    if claims.flag("is_emulator"):
        yield "reported_by_app"


def _is_desktop_processor(platform: str) -> bool:
    return platform.startswith("Win") or bool(re.search(r"x86_64|i[3-6]86", platform))


def _tampering(claims: Claims, agent: Agent) -> Iterator[str]:
    told, sent = claims.text("user_agent", 1024), claims.user_agent
    if told is not None and sent and told != sent[:1024].strip() and not claims.from_app:
        yield "user_agent_differs"
    platform = claims.text("navigator_platform", 64) or ""
    if platform and not claims.from_app and not _may_be(agent.system, platform):
        yield "platform_contradicts_system"
    yield from _hint_contradictions(claims, agent)
    touches = claims.whole("touch_points")
    if touches == 0 and agent.platform in {"mobile", "tablet"}:
        yield "mobile_without_touch"
    vendor = claims.text("vendor", 64)
    if vendor is not None and not _vendor_fits(vendor, agent):
        yield "vendor_contradicts_browser"
    accepted, languages = claims.accepted_languages(), claims.texts("languages", 16, 35)
    if accepted and languages and accepted[0].lower().split("-")[0] != languages[0].lower().split("-")[0]:
        yield "languages_differ"
    if _is_impossible_screen(claims):
        yield "impossible_screen"
    graphics = claims.text("webgl_renderer", 256) or ""
    if agent.system in {"Windows", "Linux", "Ubuntu"} and re.search(r"apple (m\d|gpu)|metal", graphics, re.I):
        yield "graphics_contradict_system"


def _hint_contradictions(claims: Claims, agent: Agent) -> Iterator[str]:
    hinted = claims.hint("platform", "sec-ch-ua-platform")
    if hinted is not None and agent.system is not None and not _same_system(hinted, agent.system):
        yield "client_hints_contradict_user_agent"
    asked, header = claims.mapping("hints").get("platform"), claims.header("sec-ch-ua-platform")
    if isinstance(asked, str) and asked and header is not None and asked.strip() != header:
        yield "client_hints_differ"
    mobile = claims.header("sec-ch-ua-mobile")
    if mobile == "?1" and agent.system in DESKTOP_SYSTEMS:
        yield "desktop_claims_mobile"
    if agent.browser in {"Firefox", "Firefox Mobile", "Safari", "Mobile Safari"} and claims.header("sec-ch-ua"):
        yield "client_hints_without_chromium"


def _same_system(hinted: str, system: str) -> bool:
    names = {
        "windows": {"Windows"},
        "macos": {"Mac OS X", "iOS"},
        "linux": {"Linux", "Ubuntu", "Fedora", "Debian"},
        "android": {"Android"},
        "chrome os": {"Chrome OS"},
        "chromium os": {"Chrome OS"},
        "ios": {"iOS"},
    }
    expected = names.get(hinted.lower())
    return expected is None or system in expected


def _may_be(system: str | None, platform: str) -> bool:
    """Whether ``navigator.platform`` may be that of the system; unknown systems and texts are no contradiction."""
    patterns = {
        "Windows": r"^Win",
        "Mac OS X": r"^Mac",
        "iOS": r"^(iPhone|iPad|iPod|Mac)",
        "Android": r"^(Linux|Android|arm|aarch|null)",
        "Linux": r"^(Linux|X11|FreeBSD|armv|aarch)",
        "Ubuntu": r"^(Linux|X11)",
        "Chrome OS": r"^(Linux|CrOS)",
    }
    pattern = patterns.get(system or "")
    return pattern is None or re.match(pattern, platform, re.I) is not None


def _vendor_fits(vendor: str, agent: Agent) -> bool:
    """``navigator.vendor`` is fixed by the engine: Google's in Chromium, Apple's in WebKit, empty in Gecko."""
    browser = (agent.browser or "").lower()
    if agent.system == "iOS" or "safari" in browser:
        return vendor.startswith("Apple")
    if browser.startswith(("chrome", "edge", "opera", "samsung")):
        return vendor.startswith("Google")
    return True


def _is_impossible_screen(claims: Claims) -> bool:
    names = ("screen_width", "screen_height", "available_width", "available_height")
    width, height, available_width, available_height = (claims.whole(name) for name in names)
    if width is None or height is None:
        return False
    larger = (available_width or 0) > max(width, height) or (available_height or 0) > max(width, height)
    return width <= 0 or height <= 0 or larger

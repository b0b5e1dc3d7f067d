"""Brand, browser, system and kind of device, from user agent, client hints and what the page measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ua_parser import OS, Result, UserAgent, parse

from ipse.intelligence.device_claims import Claims

MOBILE_SYSTEMS: Final = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "HarmonyOS", "BlackBerry OS"})
DESKTOP_SYSTEMS: Final = frozenset(
    {"Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "Debian", "FreeBSD"}
)
_TABLETS: Final = ("ipad", "tablet")
_NO_BRANDS: Final = frozenset({"Generic", "Generic_Android", "Spider"})
_HINTED_SYSTEMS: Final = {"macos": "Mac OS X", "chromium os": "Chrome OS", "chrome os": "Chrome OS"}
_WEBVIEW: Final = re.compile(
    r"; wv\)|\bWebView\b|FBAN/|FBAV/|FB_IAB|Instagram|\bLine/|MicroMessenger|BytedanceWebview|musical_ly|Snapchat|"
    r"Pinterest/|LinkedInApp|Twitter for|\bGSA/"
)
_IOS_APP: Final = re.compile(r"\((?:iPhone|iPad|iPod)(?=.*AppleWebKit)(?!.*(?:Safari|CriOS|FxiOS|EdgiOS|OPiOS)/)")


@dataclass(frozen=True, slots=True)
class Agent:
    """The device as it names itself; ``platform`` is ``mobile``, ``tablet`` or ``desktop``."""

    brand: str | None
    model: str | None
    browser: str | None
    browser_version: str | None
    system: str | None
    system_version: str | None
    platform: str | None


def warm_up() -> None:
    """Compile the patterns of the user-agent parser (0.36 s), so that no request waits for them."""
    parse("Mozilla/5.0")


def read_agent(claims: Claims) -> Agent:
    """Read what user agent and client hints say. Hints win: a frozen user agent names no model and no version."""
    text = claims.user_agent or claims.text("user_agent", 1024) or ""
    parsed = parse(text)
    system, system_version = _system(claims, parsed)
    brand = parsed.device.brand if parsed.device else None
    named = parsed.device.model if parsed.device else None
    model = claims.hint("model", "sec-ch-ua-model") or claims.text("model", 128) or named
    return Agent(
        brand=claims.text("brand", 64) or (None if brand in _NO_BRANDS else brand),
        model=None if model == "K" else model,  # what Chrome writes instead of the model since it hides it
        browser=parsed.user_agent.family if parsed.user_agent else None,
        browser_version=claims.hint("full_version", "sec-ch-ua-full-version") or _version(parsed.user_agent),
        system=system,
        system_version=system_version,
        platform=_platform(claims, text, system, model),
    )


def is_webview(claims: Claims) -> bool | None:
    """Whether the page runs inside another app; None without any user agent."""
    told = claims.flag("webview")
    text = claims.user_agent
    if not text:
        return told
    return bool(told) or _WEBVIEW.search(text) is not None or _IOS_APP.search(text) is not None


def _system(claims: Claims, parsed: Result) -> tuple[str | None, str | None]:
    family = parsed.os.family if parsed.os and parsed.os.family != "Other" else None
    hinted = claims.hint("platform", "sec-ch-ua-platform")
    if family is None and hinted is not None:
        family = _HINTED_SYSTEMS.get(hinted.lower(), hinted)
    touches = claims.whole("touch_points") or 0
    if family == "Mac OS X" and touches > 1:
        return "iOS", None  # an iPad that asks for desktop pages; no Mac has a touch screen
    version = claims.hint("platform_version", "sec-ch-ua-platform-version") or _version(parsed.os)
    return family, version


def _version(part: OS | UserAgent | None) -> str | None:
    if part is None or part.major is None:
        return None
    return part.major if part.minor is None else f"{part.major}.{part.minor}"


def _platform(claims: Claims, text: str, system: str | None, model: str | None) -> str | None:
    described = f"{text} {model or ''}".lower()
    if any(word in described for word in _TABLETS) or ("android" in described and "mobile" not in described):
        return "tablet"
    if system == "iOS" and "macintosh" in described:
        return "tablet"
    if claims.header("sec-ch-ua-mobile") == "?1" or system in MOBILE_SYSTEMS:
        return "mobile"
    return "desktop" if system in DESKTOP_SYSTEMS else None

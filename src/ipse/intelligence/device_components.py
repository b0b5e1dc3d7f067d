"""What tells one device from another: components, the fingerprint over the stable ones, and every further value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from ipse.intelligence.device_agent import Agent
from ipse.intelligence.device_claims import Claims

STABLE: Final = (
    "audio",
    "canvas",
    "colour_depth",
    "colour_gamut",
    "cores",
    "fonts",
    "math",
    "memory",
    "model",
    "platform",
    "screen",
    "system",
    "touch_points",
    "vendor",
    "webgl",
)
"""Components of the fingerprint: they survive updates of the browser, journeys and a change of language."""
FEWEST_STABLE: Final = 7
"""With fewer stable components a fingerprint would be that of a whole class of devices, so there is none."""

_DIGESTS: Final = (
    "audio",
    "canvas",
    "fonts",
    "font_preferences",
    "math",
    "plugins",
    "webgl_extensions",
    "vendor_flavours",
)
"""Names under which a report sends digests; further ones are ignored."""

_WHOLE: Final = (
    "screen_width",
    "screen_height",
    "available_width",
    "available_height",
    "window_width",
    "window_height",
    "outer_width",
    "outer_height",
    "colour_depth",
    "cores",
    "touch_points",
    "plugins_count",
    "cameras",
    "microphones",
    "speakers",
    "monochrome_bits",
    "persistent_stores",
)
_NUMBERS: Final = ("pixel_ratio", "memory_gb", "collected_ms", "audio_latency")
_FLAGS: Final = (
    "cookies",
    "local_storage",
    "session_storage",
    "indexed_db",
    "pdf_viewer",
    "do_not_track",
    "global_privacy_control",
    "reduced_motion",
    "reduced_transparency",
    "forced_colours",
    "inverted_colours",
    "hdr",
    "apple_pay",
    "webdriver",
    "framed",
    "persistent_healed",
    "secure_context",
)
_TEXTS: Final = {
    "source": 16,
    "vendor": 64,
    "navigator_platform": 64,
    "webgl_vendor": 128,
    "webgl_renderer": 256,
    "colour_scheme": 16,
    "colour_gamut": 16,
    "contrast": 16,
    "locale": 35,
    "bot_kind": 32,
    "app_version": 32,
}
_HINTS: Final = ("architecture", "bitness", "platform", "platform_version", "model", "full_version")
_PERMISSIONS: Final = ("camera", "microphone", "geolocation", "notifications")


def components_of(claims: Claims, agent: Agent) -> dict[str, str]:
    """Return name -> value or digest of at most 128 characters, for what was told. Empty without a report."""
    if not claims.report:
        return {}
    return {name: value[:128] for name, value in _components(claims, agent) if value}


def fingerprint_of(components: Mapping[str, str]) -> str | None:
    """SHA-256 over the :data:`STABLE` components, 64 hexadecimal digits; None with fewer than seven of them."""
    told = [(name, components[name]) for name in STABLE if name in components]
    if len(told) < FEWEST_STABLE:
        return None
    return hashlib.sha256("\n".join(f"{name}={value}" for name, value in told).encode()).hexdigest()


def details_of(claims: Claims) -> dict[str, object]:
    """Every further value under the name it was reported with; hints and permissions are ``hint_…``, ``may_…``."""
    readers: tuple[tuple[Iterable[str], Callable[[str], object]], ...] = (
        (_WHOLE, claims.whole),
        (_NUMBERS, claims.number),
        (_FLAGS, claims.flag),
        (_TEXTS, lambda name: claims.text(name, _TEXTS[name])),
    )
    details = {name: value for names, read in readers for name in names if (value := read(name)) is not None}
    hints, permissions = claims.mapping("hints"), claims.mapping("permissions")
    details |= {f"hint_{name}": told[:128] for name in _HINTS if isinstance(told := hints.get(name), str) and told}
    details |= {f"may_{name}": told[:16] for name in _PERMISSIONS if isinstance(told := permissions.get(name), str)}
    accepted = claims.accepted_languages()
    if accepted:
        details["accepted_languages"] = list(accepted[:16])
    if claims.user_agent:
        details["has_user_agent"] = True
    if claims.header("sec-ch-ua") is not None:
        details["has_client_hints"] = True
    return details


def _components(claims: Claims, agent: Agent) -> Iterator[tuple[str, str]]:
    digests = claims.mapping("digests")
    for name in _DIGESTS:
        value = digests.get(name)
        if isinstance(value, str):
            yield name, value
    yield "webgl", "|".join(filter(None, (claims.text("webgl_vendor", 64), claims.text("webgl_renderer", 200))))
    width, height = claims.whole("screen_width"), claims.whole("screen_height")
    if width and height:
        yield "screen", f"{min(width, height)}x{max(width, height)}"  # turning a phone changes nothing
    for name in ("colour_depth", "cores", "touch_points"):
        yield name, _number(claims.whole(name))
    yield "memory", _number(claims.number("memory_gb"))
    yield "pixel_ratio", _number(claims.number("pixel_ratio"))
    yield "audio_latency", _number(claims.number("audio_latency"))
    for name in ("vendor", "colour_gamut", "time_zone", "contrast", "colour_scheme", "locale"):
        yield name, claims.text(name, 64) or ""
    yield "platform", claims.text("navigator_platform", 64) or ""
    yield "languages", ",".join(claims.texts("languages", 16, 35))
    yield "system", agent.system or ""
    yield "browser", agent.browser or ""
    yield "model", agent.model or ""
    for name in ("hdr", "reduced_motion", "do_not_track", "apple_pay"):
        flag = claims.flag(name)
        yield name, "" if flag is None else str(flag).lower()
    yield "architecture", claims.hint("architecture", "sec-ch-ua-arch") or ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"

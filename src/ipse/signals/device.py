"""Signals of a device, from what its headers and its own report say. All are claims; see docs/devices.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ipse.decision.values import JsonValue, as_number
from ipse.intelligence.facts import DeviceFacts
from ipse.signals.paths import known

_COPIED: Final = {
    "device.has_cookies": "cookies",
    "device.has_local_storage": "local_storage",
    "device.has_indexed_db": "indexed_db",
    "device.has_pdf_viewer": "pdf_viewer",
    "device.has_apple_pay": "apple_pay",
    "device.has_do_not_track": "do_not_track",
    "device.has_privacy_control": "global_privacy_control",
    "device.has_reduced_motion": "reduced_motion",
    "device.has_forced_colours": "forced_colours",
    "device.has_hdr": "hdr",
    "device.is_framed": "framed",
    "device.is_id_healed": "persistent_healed",
    "device.id_stores": "persistent_stores",
    "device.architecture": "hint_architecture",
    "device.colour_gamut": "colour_gamut",
    "device.colour_depth_bits": "colour_depth",
    "device.cores": "cores",
    "device.memory_gb": "memory_gb",
    "device.touch_points": "touch_points",
    "device.cameras": "cameras",
    "device.microphones": "microphones",
    "device.speakers": "speakers",
    "device.plugins": "plugins_count",
    "device.pixel_ratio": "pixel_ratio",
    "device.graphics": "webgl_renderer",
    "device.camera_permission": "may_camera",
    "device.bot_kind": "bot_kind",
    "device.collecting_ms": "collected_ms",
}
"""Signals that are a detail of the report as it is."""

_CONTRADICTIONS: Final = {
    "device.has_false_user_agent": ("user_agent_differs",),
    "device.has_false_system": (
        "platform_contradicts_system",
        "client_hints_contradict_user_agent",
        "graphics_contradict_system",
    ),
    "device.has_false_browser": ("vendor_contradicts_browser", "client_hints_without_chromium"),
    "device.has_false_form": ("mobile_without_touch", "desktop_claims_mobile"),
    "device.has_false_languages": ("languages_differ",),
    "device.has_false_screen": ("impossible_screen",),
}
_EMULATION: Final = {
    "device.is_virtual_machine": ("virtual_machine",),
    "device.is_software_rendered": ("software_rendering",),
    "device.is_emulator": ("emulator", "desktop_graphics", "desktop_processor", "reported_by_app"),
}
_AUTOMATION: Final = {
    "device.is_webdriver": ("webdriver",),
    "device.is_headless": ("headless", "phantom"),
    "device.is_http_library": ("http_library",),
    "device.has_patched_functions": ("patched_functions", "patched_camera"),
}


def of_device(device: DeviceFacts) -> dict[str, JsonValue]:
    """Every signal of a device. That a trace is absent is only told of a device that reported."""
    details = device.details
    return known(
        {
            "device.brand": device.brand,
            "device.model": device.model,
            "device.browser": device.browser,
            "device.browser_major": _major(device.browser_version),
            "device.system": device.system,
            "device.system_major": _major(device.system_version),
            "device.form": device.platform,
            "device.has_report": device.reported,
            "device.has_fingerprint": device.fingerprint is not None,
            "device.has_id": device.persistent_id is not None,
            "device.components": len(device.components) if device.reported else None,
            "device.language": device.languages[0] if device.languages else None,
            "device.languages": len(device.languages) or None,
            "device.time_zone": device.time_zone,
            "device.utc_offset_minutes": device.utc_offset_minutes,
            "device.is_webview": device.is_webview,
            "device.is_rooted": device.is_rooted,
            "device.is_hooked": device.is_hooked,
            "device.is_debugged": device.is_debugged,
            "device.is_app_tampered": device.is_app_tampered,
            "device.has_attestation": device.has_attestation,
            "device.automation": list(device.automation),
            "device.contradictions": len(device.tampering) if device.reported else None,
            **_found(_AUTOMATION, device.automation, device),
            **_found(_EMULATION, device.emulation, device),
            **_found(_CONTRADICTIONS, device.tampering, device),
            **{code: _plain(details.get(name)) for code, name in _COPIED.items()},
            **_screen(details),
        }
    )


def _found(groups: Mapping[str, tuple[str, ...]], traces: tuple[str, ...], device: DeviceFacts) -> dict[str, JsonValue]:
    """True for a group of which a trace was found; false only of a device that reported."""
    seen = set(traces)
    return {
        code: True if seen.intersection(names) else (False if device.reported else None)
        for code, names in groups.items()
    }


def _screen(details: Mapping[str, object]) -> dict[str, JsonValue]:
    width, height = (as_number(_plain(details.get(name))) for name in ("screen_width", "screen_height"))
    inner, outer = (as_number(_plain(details.get(name))) for name in ("window_width", "outer_width"))
    depth = as_number(_plain(details.get("available_height")))
    return {
        "device.screen_short_px": min(width, height) if width is not None and height is not None else None,
        "device.screen_long_px": max(width, height) if width is not None and height is not None else None,
        "device.has_no_window_frame": outer == 0 if outer is not None else None,
        "device.window_share": round(min(1.0, inner / width), 3) if inner is not None and width else None,
        "device.has_task_bar": depth < height if depth is not None and height is not None else None,
    }


def _plain(value: object) -> JsonValue:
    return value if isinstance(value, bool | int | float | str) else None


def _major(version: str | None) -> int | None:
    head = (version or "").partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 7 else None

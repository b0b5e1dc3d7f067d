"""What a device says of itself, brought into one form: the headers of a request, and the report of a page or an app.

Everything here is a claim. Contradictions between claims, and traces of tools that make them, are named and left to
the rules; nothing is decided. Fields of the report and of ``details`` are listed in docs/devices.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ipse.intelligence import device_agent, device_components, device_traces
from ipse.intelligence.device_claims import Claims
from ipse.intelligence.facts import DeviceFacts

_PERSISTENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_FINGERPRINT: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_MOST_LANGUAGES: Final = 16
_APP_FLAGS: Final = ("is_rooted", "is_hooked", "is_debugged", "is_app_tampered", "has_attestation")

Headers = Mapping[str, str]
Report = Mapping[str, object]


def read_device(headers: Headers, report: Report | None) -> DeviceFacts:
    """Read a device from lower-case header names and the page's or app's report (None: there is no report yet).

    Never raises: a value of another type than documented counts as not told.
    """
    claims = Claims(headers, report or {})
    agent = device_agent.read_agent(claims)
    components = device_components.components_of(claims, agent)
    from_app = claims.from_app
    flags = {name: claims.flag(name) if from_app else None for name in _APP_FLAGS}
    return DeviceFacts(
        brand=agent.brand,
        model=agent.model,
        browser=agent.browser,
        browser_version=agent.browser_version,
        system=agent.system,
        system_version=agent.system_version,
        platform=agent.platform,
        fingerprint=device_components.fingerprint_of(components) or _sent_fingerprint(claims),
        persistent_id=_persistent_id(claims),
        components=components,
        languages=_languages(claims),
        time_zone=claims.text("time_zone", 64),
        utc_offset_minutes=claims.whole("utc_offset_minutes"),
        automation=device_traces.automation(claims),
        emulation=device_traces.emulation(claims, agent),
        tampering=device_traces.tampering(claims, agent),
        is_webview=device_agent.is_webview(claims),
        reported=bool(report),
        details=device_components.details_of(claims),
        **flags,
    )


def _persistent_id(claims: Claims) -> str | None:
    """The id in the device's keeping: from the report, else from the contract's header ``x-didit-pid``."""
    text = claims.text("persistent_id", 65) or claims.header("x-didit-pid", 65)
    return text if text is not None and _PERSISTENT_ID.fullmatch(text) else None


def _sent_fingerprint(claims: Claims) -> str | None:
    """A fingerprint that an SDK computed; headers alone make none, for a user agent tells no device from another."""
    text = claims.header("x-didit-fp-hash", 65)
    return text if text is not None and _FINGERPRINT.fullmatch(text) else None


def _languages(claims: Claims) -> tuple[str, ...]:
    """The reported languages, else those of ``Accept-Language`` in the order of preference."""
    return claims.texts("languages", _MOST_LANGUAGES, 35) or claims.accepted_languages()[:_MOST_LANGUAGES]

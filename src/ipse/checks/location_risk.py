"""The risk score of an IP_ANALYSIS report: the address's own, and what device and history add to it.

Points are our judgement: nobody publishes labelled data to fit them to. They are additive and named so that a reader
can disagree with one of them. 0 is safe, 100 is the end of the scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ipse.checks import time_zones
from ipse.checks.history import History
from ipse.checks.travel import flipped_country, travel
from ipse.decision.values import JsonValue
from ipse.intelligence.facts import DeviceFacts, NetworkFacts, Risk, RiskPart
from ipse.intelligence.ip_risk import level_of

MANY: Final = 3
"""Other persons from whom on a shared device or address counts more: a household is smaller. Our choice."""
SILENT_CONFIDENCE: Final = 0.8
"""Confidence is multiplied by this when the page reported nothing about the device."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A reason that may apply, with its points."""

    code: str
    points: float
    meaning: str
    applies: bool


def assess_risk(network: NetworkFacts, device: DeviceFacts, history: History, now: datetime) -> Risk | None:
    """Add the parts of device and history to those of the address; None where nothing is known of the address."""
    if network.risk is None:
        return None
    own = tuple(RiskPart(part.code, part.points, part.meaning) for part in _parts(network, device, history, now))
    parts = (*network.risk.parts, *own)
    base = network.risk.score if not network.risk.parts else 0.0
    score = min(100.0, max(0.0, base + sum(part.points for part in parts)))
    confidence = network.risk.confidence * (1.0 if device.reported else SILENT_CONFIDENCE)
    return Risk(round(score, 2), level_of(score), parts, round(confidence, 3))


def risk_to_json(risk: Risk | None) -> JsonValue:
    """The score with its parts, as reports show it."""
    if risk is None:
        return None
    return {
        "score": risk.score,
        "level": risk.level.value,
        "confidence": risk.confidence,
        "parts": [{"code": part.code, "points": part.points, "meaning": part.meaning} for part in risk.parts],
    }


def _parts(network: NetworkFacts, device: DeviceFacts, history: History, now: datetime) -> Iterator[_Part]:
    candidates = (*_of_device(device), *_of_history(history), *_of_place(network, device, history, now))
    return (part for part in candidates if part.applies)


def _of_device(device: DeviceFacts) -> tuple[_Part, ...]:
    return (
        _Part("device_automated", 35, "A program drives the browser.", bool(device.automation)),
        _Part("device_emulated", 25, "The device is an emulator or a virtual machine.", bool(device.emulation)),
        _Part("device_spoofed", 20, "What the device says contradicts itself.", bool(device.tampering)),
        _Part("device_rooted", 15, "The device is rooted or jailbroken.", device.is_rooted is True),
        _Part("device_hooked", 30, "A tool changes the running application.", device.is_hooked is True),
        _Part("device_debugged", 15, "A debugger is attached.", device.is_debugged is True),
        _Part("device_app_tampered", 30, "The application is not the published one.", device.is_app_tampered is True),
        _Part("device_silent", 10, "The page told nothing about the device.", not device.reported),
    )


def _of_history(history: History) -> tuple[_Part, ...]:
    is_new = history.sightings > 0 and history.is_known_device is False and history.is_trusted_device is not True
    on_block = {kind for kind, lists in history.listed.items() if "blocklist" in lists}
    return (
        _Part("address_blocklisted", 100, "The address is on the blocklist.", "ip_address" in on_block),
        _Part("device_blocklisted", 100, "The device is on the blocklist.", "device_fingerprint" in on_block),
        _Part("device_shared", 20, "Another person used the device.", 0 < history.device_users < MANY),
        _Part("device_shared_by_many", 40, "Several others used the device.", history.device_users >= MANY),
        _Part("address_shared_by_many", 10, "Several others used the address.", history.address_users >= MANY),
        _Part("new_device_and_network", 25, "Known person, new device, new network.", is_new_everywhere(history)),
        _Part("new_device", 10, "Known person, new device.", is_new and not is_new_everywhere(history)),
        _Part("trusted_device", -15, "A face was approved on the device.", history.is_trusted_device is True),
        _Part("known_network", -5, "The person was seen in this network before.", history.is_known_network is True),
    )


def _of_place(network: NetworkFacts, device: DeviceFacts, history: History, now: datetime) -> tuple[_Part, ...]:
    way = travel(history.last_place, network, now)
    gap = time_zones.gap(network, device, now)
    impossible = way is not None and way.is_impossible
    flipped = flipped_country(history.last_place, network) is True
    wrong_zone = gap is not None and abs(gap) > time_zones.TOLERANCE
    return (
        _Part("impossible_travel", 40, "No airliner covers the way from the last place.", impossible),
        _Part("country_flip", 15, "Last seen in another country.", flipped and not impossible),
        _Part("time_zone_mismatch", 15, "The device's clock is of another time zone than the address.", wrong_zone),
    )


def is_new_everywhere(history: History) -> bool:
    """Whether a person who was seen before comes on a new device *and* from a new network.

    A device that the integrator vouches for is not new, even before anything ended well on it.
    """
    new_device = history.is_known_device is False and history.is_trusted_device is not True
    return history.sightings > 0 and new_device and history.is_known_network is False

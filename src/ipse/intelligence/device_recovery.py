"""Recognising a device whose persistent id is gone: how alike two devices are, and how likely that is a coincidence.

    similarity = weight of the equal components / weight of the components known of both
    bits       = min(ceiling of the system, EVIDENCE x weight of the equal - weight of the different ones)
    confidence = 1 - others x 2^-bits, not below 0

``others`` is the number of other devices that could be confused with this one. A weight is the surprise of an equal
value, in bits, were components independent. They are not: two phones of one model agree in nearly all. ``EVIDENCE``
discounts for that, and the ceiling says how much a whole system can tell at most. The numbers are ours, set on
synthetic populations by ``bench/device_recovery.py``; no real population was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "canvas": 6.0,
        "fonts": 6.0,
        "webgl": 5.0,
        "webgl_extensions": 3.0,
        "model": 4.0,
        "screen": 4.0,
        "audio": 3.0,
        "languages": 3.0,
        "font_preferences": 3.0,
        "time_zone": 2.5,
        "cores": 2.0,
        "pixel_ratio": 2.0,
        "locale": 1.5,
        "browser": 1.5,
        "memory": 1.5,
        "math": 1.0,
        "plugins": 1.0,
        "platform": 1.0,
        "system": 1.0,
        "architecture": 1.0,
        "audio_latency": 1.0,
        "vendor_flavours": 0.5,
        "colour_depth": 0.5,
        "colour_gamut": 0.5,
        "touch_points": 0.5,
        "vendor": 0.5,
        "colour_scheme": 0.5,
        "reduced_motion": 0.5,
        "contrast": 0.25,
        "hdr": 0.25,
        "do_not_track": 0.25,
        "apple_pay": 0.25,
    }
)
"""Component -> bits. The order follows published studies of browser fingerprints (canvas, fonts and graphics tell
most, preferences least); the values are rounded and our own."""

EVIDENCE: Final = 0.4
"""Share of the equal components' weight that counts: they are not independent."""
_CEILINGS: Final = MappingProxyType({"iOS": 7.0, "Android": 11.0})
"""Bits that components of a system can tell at most: every iPhone of a model and language looks the same."""
_CEILING: Final = 17.0
CERTAIN: Final = 0.95
"""From this confidence on, with :data:`ALIKE`, a device counts as recognised."""
ALIKE: Final = 0.9
WORTH_TELLING: Final = 0.6
"""Less similar devices are not mentioned at all."""
FEWEST_COMPARED: Final = 8


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How alike two devices are. ``gate_reason`` says why it is not certain, or None where it is."""

    similarity: float
    confidence: float
    gate_reason: str | None


def resemblance(known: Mapping[str, str], seen: Mapping[str, str], *, others: int) -> Resemblance:
    """Compare components of a stored device with those of the present one; ``others`` as in the module's formula."""
    compared = [name for name in WEIGHTS if name in known and name in seen]
    equal = sum(WEIGHTS[name] for name in compared if known[name] == seen[name])
    different = sum(WEIGHTS[name] for name in compared if known[name] != seen[name])
    similarity = equal / (equal + different) if compared else 0.0
    system = seen.get("system", "")
    evidence = EVIDENCE * equal - different
    bits = max(0.0, min(evidence, _CEILINGS.get(system, _CEILING)))
    confidence = max(0.0, 1.0 - max(1, others) * 2.0**-bits)
    reason = _gate(known, seen, len(compared), similarity, confidence, capped=system in _CEILINGS and evidence > bits)
    return Resemblance(round(similarity, 4), round(confidence, 4), reason)


def _gate(
    known: Mapping[str, str],
    seen: Mapping[str, str],
    compared: int,
    similarity: float,
    confidence: float,
    *,
    capped: bool,
) -> str | None:
    """The first reason against certainty: ``few_components``, ``other_system``, ``low_similarity``,
    ``uniform_devices`` (the ceiling of the system keeps the confidence down) or ``low_confidence``.
    """
    if compared < FEWEST_COMPARED:
        return "few_components"
    if any(known.get(name) != seen.get(name) for name in ("system", "browser")):
        return "other_system"
    if similarity < ALIKE:
        return "low_similarity"
    if confidence < CERTAIN:
        return "uniform_devices" if capped else "low_confidence"
    return None

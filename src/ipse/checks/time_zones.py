"""Does the clock of a device run in the time zone of its address?"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ipse.intelligence.facts import DeviceFacts, NetworkFacts

TOLERANCE: Final = timedelta(minutes=60)
"""Neighbouring zones are one hour apart: a border region, or a city that the data put on its wrong side."""
_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})")


def offset_of_address(network: NetworkFacts, now: datetime) -> timedelta | None:
    """The offset from UTC at the address, at ``now``; None where the data do not tell."""
    if network.time_zone is not None:
        return _at(network.time_zone, now)
    parts = _OFFSET.fullmatch(network.utc_offset or "")
    if parts is None:
        return None
    offset = timedelta(hours=int(parts[2]), minutes=int(parts[3]))
    return -offset if parts[1] == "-" else offset


def offset_of_device(device: DeviceFacts, now: datetime) -> timedelta | None:
    """The offset from UTC of the device's clock: as reported, else that of the zone it names."""
    if device.utc_offset_minutes is not None:
        return timedelta(minutes=device.utc_offset_minutes)
    return None if device.time_zone is None else _at(device.time_zone, now)


def gap(network: NetworkFacts, device: DeviceFacts, now: datetime) -> timedelta | None:
    """By how much the device is ahead of its address; negative behind it, None where either is unknown."""
    there, here = offset_of_address(network, now), offset_of_device(device, now)
    return None if there is None or here is None else here - there


def _at(zone: str, now: datetime) -> timedelta | None:
    try:
        return now.astimezone(ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a device may name anything, also "../etc" or a folder
        return None

"""The time zone of a place, from the zone table of the tz database.

A country whose zones agree on the day has that zone. Otherwise the zone of the state (``data/region_zones.tsv``, for
the wide federal countries), otherwise the nearest city of the zone table. Without a place inside such a country the
zone is not known.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from ipse.intelligence.datasets import Dataset

_VERSION: Final = version("tzdata")
COUNTRY: Final = Dataset("tzdata: zone of the country", _VERSION, None)
REGION: Final = Dataset("tzdata: zone of the state", _VERSION, None)
NEAREST: Final = Dataset("tzdata: nearest zone city", _VERSION, None)

_EAST_WEST: Final = 4
"""Zones follow the sun: Portland is nearer to Boise than to Los Angeles. Measured in docs/intelligence.md."""
_NOON: Final = time(12)
_COORDINATES: Final = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?([+-])(\d{3})(\d{2})(?:\d{2})?")


@dataclass(frozen=True, slots=True)
class _Zone:
    name: str
    latitude: float
    longitude: float


def zone_of(
    country: str, *, region: str | None, latitude: float | None, longitude: float | None, on: date
) -> tuple[str, Dataset] | None:
    """Return the zone of a place and how it was found, or None where the table does not decide."""
    zones = _zones().get(country, ())
    if not zones:
        return None
    if _agree(country, on):
        return zones[0].name, COUNTRY
    of_region = _region_zones().get((country, (region or "").casefold()))
    if of_region is not None:
        return of_region, REGION
    if latitude is None or longitude is None:
        return None
    nearest = min(zones, key=lambda zone: _distance(latitude, longitude, zone))
    # Of zones that keep the same time the most populous one: Zamora is nearer to Ceuta's meridian than to Madrid's.
    same = next(zone for zone in zones if _keep_the_same_time(zone.name, nearest.name, on))
    return same.name, NEAREST


@lru_cache(1024)
def offset_of(zone: str, on: date) -> str | None:
    """The offset from UTC at noon of the day, like ``+0200``; None for a zone that does not exist."""
    try:
        return datetime.combine(on, _NOON, ZoneInfo(zone)).strftime("%z")
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError; names of folders are OSErrors
        return None


@lru_cache(1024)
def _agree(country: str, on: date) -> bool:
    """Whether all zones of the country have the same offset, in winter and in summer of the year."""
    first, *others = _zones()[country]
    return all(_keep_the_same_time(first.name, zone.name, on) for zone in others)


@lru_cache(4096)
def _keep_the_same_time(a: str, b: str, on: date) -> bool:
    days = (on, date(on.year, 1, 15), date(on.year, 7, 15))
    return all(offset_of(a, day) == offset_of(b, day) for day in days)


@cache
def _zones() -> Mapping[str, tuple[_Zone, ...]]:
    """Country -> its zones, the most populous first as the table has them."""
    zones: dict[str, tuple[_Zone, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        country, coordinates, name = line.split("\t")[:3]
        found = _COORDINATES.fullmatch(coordinates)
        if found is not None:
            zone = _Zone(name, _degrees(*found.group(1, 2, 3)), _degrees(*found.group(4, 5, 6)))
            zones[country] = (*zones.get(country, ()), zone)
    return zones


@cache
def _region_zones() -> Mapping[tuple[str, str], str]:
    lines = (files("ipse.intelligence") / "data/region_zones.tsv").read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t")
    return {(row["country"], row["region"].casefold()): row["zone"] for row in rows}


def _degrees(sign: str, degrees: str, minutes: str) -> float:
    return (-1 if sign == "-" else 1) * (int(degrees) + int(minutes) / 60)


def _distance(latitude: float, longitude: float, zone: _Zone) -> float:
    """How far a zone's city is, in degrees, with east-west ways :data:`_EAST_WEST` times as long."""
    across = (zone.longitude - longitude + 180) % 360 - 180
    across *= _EAST_WEST * math.cos(math.radians((latitude + zone.latitude) / 2))
    return math.hypot(zone.latitude - latitude, across)

"""MMDB files: DB-IP as it comes from the package registry, and the operator's own (MaxMind, IP2Location, IPinfo)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import maxminddb

from ipse.intelligence.addresses import Address
from ipse.intelligence.countries import is_country
from ipse.intelligence.facts import Connection

Found = dict[str, object]
"""Fact name, as in ``NetworkFacts`` -> value. What is not told is not in it."""

_CONNECTIONS: Final[Mapping[str, Connection]] = {
    "cable/dsl": Connection.RESIDENTIAL,
    "residential": Connection.RESIDENTIAL,
    "cellular": Connection.MOBILE,
    "mobile": Connection.MOBILE,
    "corporate": Connection.BUSINESS,
    "business": Connection.BUSINESS,
    "hosting": Connection.HOSTING,
    "content_delivery_network": Connection.HOSTING,
}
"""``connection_type`` and ``user_type`` of MaxMind, and the same words elsewhere."""
_CONNECTION_FIELDS: Final = frozenset({"connection_type", "user_type"})
_FLAGS: Final[Mapping[str, str]] = {
    "is_anonymous_vpn": "is_vpn",
    "is_vpn": "is_vpn",
    "vpn": "is_vpn",
    "is_public_proxy": "is_proxy",
    "is_residential_proxy": "is_proxy",
    "proxy": "is_proxy",
    "is_tor_exit_node": "is_tor",
    "tor": "is_tor",
    "is_hosting_provider": "is_datacenter",
    "hosting": "is_datacenter",
    "relay": "is_relay",
}


class GeoFile:
    """One data set of one or two MMDB files (some publishers split the families)."""

    def __init__(self, paths: list[Path]) -> None:
        """Map the files. Raises OSError or ``maxminddb.InvalidDatabaseError``."""
        self._readers = [maxminddb.open_database(path, maxminddb.MODE_AUTO) for path in paths]
        self._by_version = {
            version: reader
            for reader in self._readers
            for version in ((4,) if reader.metadata().ip_version == 4 else (6,))
        }
        # A file of the sixth family holds the fourth, too, unless a file of its own does.
        self._by_version.setdefault(4, self._by_version.get(6, self._readers[0]))

    @property
    def build_epoch(self) -> int:
        """When the newest file was built, in seconds since 1970."""
        return max(reader.metadata().build_epoch for reader in self._readers)

    @property
    def database_type(self) -> str:
        """What the publisher calls it."""
        return self._readers[0].metadata().database_type

    def find(self, address: Address) -> Found:
        """Return what the file tells. Raises ``maxminddb.InvalidDatabaseError`` where it is damaged."""
        reader = self._by_version.get(address.version)
        try:
            record = reader.get(address) if reader is not None else None
        except (UnicodeDecodeError, ValueError) as error:  # damaged bytes surface in several ways
            raise maxminddb.InvalidDatabaseError(str(error)) from error
        return facts_of(record) if isinstance(record, dict) else {}


def facts_of(record: dict[str, object]) -> Found:
    """Read one record of any of the known schemas."""
    found: Found = {}
    country = _at(record, "country", "iso_code") or record.get("country_code") or record.get("country")
    if isinstance(country, str) and is_country(country.upper()):
        found["country"] = country.upper()
    _keep_text(
        found, "region", _at(record, "subdivisions", 0, "names", "en"), record.get("state1"), record.get("region")
    )
    _keep_text(found, "city", _at(record, "city", "names", "en"), record.get("city"))
    zone = (_at(record, "location", "time_zone"), record.get("timezone"), record.get("time_zone"))
    _keep_text(found, "time_zone", *zone)
    found.update(_coordinates(record))
    found.update(_operator(record))
    found.update(_traits(record))
    return found


def _coordinates(record: dict[str, object]) -> Found:
    """Both or neither, and only on the globe. 0, 0 is how publishers write "nowhere"."""
    location = record.get("location")
    place = location if isinstance(location, dict) else record
    try:
        latitude, longitude = float(_at(place, "latitude")), float(_at(place, "longitude"))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return {}
    if not (abs(latitude) <= 90 and abs(longitude) <= 180) or (latitude == 0 and longitude == 0):
        return {}
    # Five decimals are a metre: more are noise of single precision.
    return {"latitude": round(latitude, 5), "longitude": round(longitude, 5)}


def _operator(record: dict[str, object]) -> Found:
    found: Found = {}
    number = (
        record.get("autonomous_system_number") or record.get("asn") or _at(record, "traits", "autonomous_system_number")
    )
    digits = str(number or "").upper().removeprefix("AS")
    if digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**32:
        found["asn"] = int(digits)
    names = ("autonomous_system_organization", "as_name", "as_organization", "isp", "organization")
    _keep_text(found, "operator", *(record.get(name) for name in names))
    return found


def _traits(record: dict[str, object]) -> Found:
    found: Found = {}
    traits = record.get("traits")
    for source in (record, traits) if isinstance(traits, dict) else (record,):
        found.update({_FLAGS[name]: True for name in _FLAGS.keys() & source.keys() if source[name] is True})
        for name in _CONNECTION_FIELDS & source.keys():
            connection = _CONNECTIONS.get(str(source[name]).lower())
            if connection is not None:
                found["connection"] = connection
    return found


def _keep_text(found: Found, name: str, *candidates: object) -> None:
    for text in candidates:
        if isinstance(text, str) and text.strip():
            found[name] = text.strip()[:256]
            return


def _at(value: object, *path: str | int) -> object:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value

"""The operator's own files, in ``own/`` of the data folder. They are believed before everything that is shipped.

| file | holds |
|---|---|
| ``vpn.txt``, ``proxy.txt``, ``tor.txt``, ``relay.txt``, ``datacenter.txt`` | a network or ``first-last`` a line |
| ``residential.txt``, ``mobile.txt``, ``business.txt`` | the same; they say how the address is connected |
| ``*.csv`` | with a header: ``network`` or ``start,end``, then any facts; without: IP2Location's columns |
| ``*.mmdb`` | MaxMind, IP2Location, IPinfo or DB-IP |

A file with one line that cannot be read is not used at all: half a list would be taken for the whole.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final

from ipse.intelligence.addresses import Address
from ipse.intelligence.datasets import OWN_FOLDER, STALE_GEO_DAYS, STALE_RANGES_DAYS, Dataset
from ipse.intelligence.facts import Connection
from ipse.intelligence.geo import Found, GeoFile, facts_of
from ipse.intelligence.ranges import Ranges, Row
from ipse.intelligence.snapshot import Layer

LISTS: Final[Mapping[str, Found]] = {
    "vpn.txt": {"is_vpn": True},
    "proxy.txt": {"is_proxy": True},
    "tor.txt": {"is_tor": True},
    "relay.txt": {"is_relay": True},
    "datacenter.txt": {"is_datacenter": True, "connection": Connection.HOSTING},
    "residential.txt": {"is_datacenter": False, "connection": Connection.RESIDENTIAL},
    "mobile.txt": {"is_datacenter": False, "connection": Connection.MOBILE},
    "business.txt": {"is_datacenter": False, "connection": Connection.BUSINESS},
}
"""What it means to stand on a list."""

_FLAGS: Final = ("is_vpn", "is_proxy", "is_tor", "is_relay", "is_datacenter")
_TEXTS: Final = ("operator", "provider")
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_IP2LOCATION: Final = ("start", "end", "country", "country_name", "region", "city", "latitude", "longitude")
_MAPPED: Final = 0xFFFF << 32
_MAX_V4: Final = 2**32 - 1


class OwnFileUnreadable(ValueError):
    """A file that is not used; the text says why, with the number of the line."""


def own_files(folder: Path) -> list[Path]:
    """The files in ``own/``, in the order in which they are believed: lists, CSV, MMDB, each by name."""
    rank = {".txt": 0, ".csv": 1, ".mmdb": 2}
    try:
        files = [path for path in (folder / OWN_FOLDER).iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError:  # there is no such folder, or it is not ours to read
        return []
    return sorted(files, key=lambda path: (rank.get(path.suffix.lower(), 3), path.name))


def open_own(path: Path) -> Layer:
    """Load one file. Raises :class:`OwnFileUnreadable`, OSError or ``maxminddb.InvalidDatabaseError``."""
    match path.suffix.lower():
        case ".mmdb":
            reader = GeoFile([path])
            built = datetime.fromtimestamp(reader.build_epoch, UTC).date()
            return Layer(Dataset(_name(path), reader.database_type, built, STALE_GEO_DAYS), reader.find)
        case ".csv":
            return _layer_of_table(path)
        case _ if path.name in LISTS:
            return _layer_of_list(path)
        case _:
            raise OwnFileUnreadable(f"is none of {', '.join(LISTS)}, *.csv and *.mmdb.")


def _layer_of_list(path: Path) -> Layer:
    meaning = LISTS[path.name]
    data = path.read_bytes()
    v4, v6 = _split(_rows_of_list(_lines(data)))
    table = Ranges.build(v4, v6)
    denies = frozenset(name for name, value in meaning.items() if value is True)
    dataset = _dataset(path, data, STALE_RANGES_DAYS)
    return Layer(dataset, lambda address: meaning if table.find(address) is not None else {}, denies)


def _layer_of_table(path: Path) -> Layer:
    data = path.read_bytes()
    meanings: list[Found] = []
    v4, v6 = _split(_rows_of_table(_lines(data), meanings))
    table = Ranges.build(v4, v6)

    def find(address: Address) -> Found:
        label = table.find(address)
        return {} if label is None else meanings[label]

    return Layer(_dataset(path, data, STALE_GEO_DAYS), find)


def _dataset(path: Path, data: bytes, stale_after_days: int) -> Dataset:
    changed: date = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
    return Dataset(_name(path), hashlib.sha256(data).hexdigest()[:12], changed, stale_after_days)


def _name(path: Path) -> str:
    return f"{OWN_FOLDER}/{path.name}"


def _lines(data: bytes) -> list[str]:
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise OwnFileUnreadable("is not UTF-8 text.") from error


def _rows_of_list(lines: Sequence[str]) -> Iterator[tuple[Address, Address, int]]:
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            yield *_range(text, number), 0


def _rows_of_table(lines: Sequence[str], meanings: list[Found]) -> Iterator[tuple[Address, Address, int]]:
    """Rows with labels into ``meanings``, which is filled on the way; equal facts share one."""
    labels: dict[tuple[tuple[str, object], ...], int] = {}
    header: Sequence[str] | None = None
    for number, cells in enumerate(csv.reader(lines), 1):
        if not cells or cells[0].startswith("#"):
            continue
        if header is None:
            named = not cells[0][:1].isdigit() and ":" not in cells[0]
            header = [cell.strip().lower() for cell in cells] if named else _IP2LOCATION
            if named:
                continue
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip() not in ("", "-")}
        first, last = _range_of_row(row, number)
        found = _facts_of_row(row, number)
        key = tuple(found.items())
        if key not in labels:
            labels[key] = len(meanings)
            meanings.append(found)
        yield first, last, labels[key]


def _range_of_row(row: Mapping[str, str], number: int) -> tuple[Address, Address]:
    if "network" in row:
        return _range(row["network"], number)
    if "start" in row and "end" in row:
        return _ordered(_address(row["start"], number), _address(row["end"], number), number)
    raise OwnFileUnreadable(f"line {number}: there is neither a network nor start and end.")


def _facts_of_row(row: Mapping[str, str], number: int) -> Found:
    found = facts_of({**row, "autonomous_system_number": row.get("asn"), "isp": row.get("operator")})
    for name in _FLAGS:
        if name in row:
            if row[name].lower() not in _BOOLEANS:
                raise OwnFileUnreadable(f"line {number}: {name} is {row[name]!r}, neither true nor false.")
            found[name] = _BOOLEANS[row[name].lower()]
    found.update({name: row[name] for name in _TEXTS if name in row})
    if "connection" in row:
        try:
            found["connection"] = Connection(row["connection"].lower())
        except ValueError as error:
            allowed = ", ".join(Connection)
            raise OwnFileUnreadable(
                f"line {number}: connection is {row['connection']!r}, none of {allowed}."
            ) from error
    return found


def _range(text: str, number: int) -> tuple[Address, Address]:
    """Read an address, a network, or ``first-last``."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash:
        return _ordered(_address(first, number), _address(last, number), number)
    try:
        network = ip_network(first, strict=False)
    except ValueError as error:
        raise OwnFileUnreadable(f"line {number}: {text!r} is neither an address nor a network.") from error
    return _plain(network.network_address), _plain(network.broadcast_address)


def _address(text: str, number: int) -> Address:
    """Read an address, or one written as a number."""
    try:
        if not text.isdigit():
            address = ip_address(text)
        else:
            address = IPv4Address(int(text)) if int(text) <= _MAX_V4 else IPv6Address(int(text))
    except ValueError as error:
        raise OwnFileUnreadable(f"line {number}: {text!r} is not an address.") from error
    return _plain(address)


def _plain(address: Address) -> Address:
    """IPv4 inside IPv6 becomes IPv4, as in every look-up."""
    mapped = address.version == 6 and int(address) >> 32 << 32 == _MAPPED
    return IPv4Address(int(address) & _MAX_V4) if mapped else address


def _ordered(first: Address, last: Address, number: int) -> tuple[Address, Address]:
    if first.version != last.version or int(first) > int(last):
        raise OwnFileUnreadable(f"line {number}: {first} - {last} is not a range.")
    return first, last


def _split(rows: Iterator[tuple[Address, Address, int]]) -> tuple[list[Row], list[Row]]:
    """Part the rows by family; addresses become numbers."""
    v4: list[Row] = []
    v6: list[Row] = []
    for first, last, label in rows:
        (v4 if first.version == 4 else v6).append((int(first), int(last), label))
    return v4, v6

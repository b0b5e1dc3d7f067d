"""Small data sets in the form in which they are published, and a folder in which they are installed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from ipse.intelligence import acquisition, packages
from ipse.intelligence.datasets import LEDGER, Member, Pinned
from tests.services.mmdb import write_mmdb

_GOOGLE: Final = {"8.8.8.0/24": "US", "2001:4860:4860::/48": "US", "193.0.6.0/24": "NL"}
COUNTRIES: Final[Mapping[str, Mapping[str, object]]] = {
    **{network: {"country_code": code} for network, code in _GOOGLE.items()},
    "5.1.0.0/16": {"country_code": "DE"},
    "5.2.0.0/16": {"country_code": "XK"},
    "5.3.0.0/16": {"country_code": "EU"},
    "5.4.0.0/16": {"country_code": "ZZ"},
    "5.5.0.0/16": {"country_code": "US"},
    "2a00:1::/32": {"country_code": "DE"},
}
"""Network -> record of the country data."""
CITIES: Final[Mapping[str, Mapping[str, object]]] = {
    **{network: {"country_code": code} for network, code in _GOOGLE.items()},
    "5.1.7.0/24": {
        "country_code": "DE",
        "state1": "Bavaria",
        "city": "München",
        "latitude": 48.1371,
        "longitude": 11.5754,
        "timezone": "",
    },
    "5.5.1.0/24": {"country_code": "US", "state1": "Texas", "city": "Houston", "latitude": 29.76, "longitude": -95.37},
    "5.5.2.0/24": {"country_code": "US", "city": "Portland", "latitude": 45.5, "longitude": -122.7},
    "5.6.0.0/24": {"country_code": "FR", "city": "", "latitude": 0.0, "longitude": 0.0, "timezone": "Europe/Atlantis"},
}
"""Network -> record of the city data."""
OPERATORS_V4: Final = """\
{google},15169,Google LLC
{ripe},3333,RIPE NCC
{home},3320,Deutsche Telekom AG
{unheard},64500,Unheard Networks
{hoster},64501,"Rack, Stack and Hosting Ltd."
"""
OPERATORS_V6: Final = "42541956123769884636017138956568100864,42541956123771093561836753585742807039,15169,Google LLC\n"


def published_files(folder: Path) -> dict[str, list[Path]]:
    """Write the files of every data set as their publisher has them: name of the data set -> files."""
    folder.mkdir(parents=True, exist_ok=True)
    v4 = folder / "asn-ipv4-num.csv"
    networks = {"google": (8, 8, 8), "ripe": (193, 0, 6), "home": (5, 1, 7), "unheard": (5, 5, 1), "hoster": (5, 5, 2)}
    starts = {name: int.from_bytes(bytes((*parts, 0)), "big") for name, parts in networks.items()}
    v4.write_text(OPERATORS_V4.format(**{name: f"{start},{start + 255}" for name, start in starts.items()}), "utf-8")
    v6 = folder / "asn-ipv6-num.csv"
    v6.write_text(OPERATORS_V6, "utf-8")
    return {
        "dbip-country": [write_mmdb(folder / "dbip-country.mmdb", COUNTRIES, kind="country")],
        "asn": [v4, v6],
        "dbip-city": [
            write_mmdb(folder / "dbip-city-ipv4.mmdb", CITIES, kind="city"),
            write_mmdb(folder / "dbip-city-ipv6.mmdb", CITIES, kind="city"),
        ],
    }


def pinned(name: str, files: list[Path]) -> Pinned:
    """An entry of a ledger that pins these files."""
    like = next(entry for entry in LEDGER if entry.name == name)
    members = tuple(
        Member(f"package/{path.name}", hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in files
    )
    return Pinned(
        name, like.group, like.purpose, like.package, "2.3.2026060120", date(2026, 6, 1), 1, "CC-BY-4.0", "", members
    )


def packed(folder: Path, entry: Pinned, files: list[Path], *, version: str | None = None) -> Path:
    """Pack files as ``npm pack`` does."""
    version = version or entry.version
    path = folder / f"{packages.archive_name(entry.package)}-{version}.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for file in files:
            archive.add(file, f"package/{file.name}")
        text = json.dumps({"name": entry.package, "version": version}).encode()
        facts = tarfile.TarInfo("package/package.json")
        facts.size = len(text)
        archive.addfile(facts, io.BytesIO(text))
    return path


def install(folder: Path, work: Path, *names: str) -> Path:
    """Install the small data sets (all, or those named) into ``folder``; return it."""
    for name, files in published_files(work).items():
        if not names or name in names:
            acquisition.obtain(folder, pinned(name, files), from_dir=work)
    return folder

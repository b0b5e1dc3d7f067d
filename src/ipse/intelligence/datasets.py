"""The data sets: what is pinned, what is installed, and how old it is.

``data/ledger.json`` pins version and SHA-256 of every published file. ``manifest.json`` in the data folder says which
files are in force; it is replaced in one step, after its files are in place, so that a reader sees the old set or the
new one. Files carry the version in their name and are never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from ipse.intelligence.facts import Source

Group = Literal["required", "city"]
State = Literal["ok", "missing", "changed", "broken"]

MANIFEST: Final = "manifest.json"
OWN_FOLDER: Final = "own"
STALE_GEO_DAYS: Final = 180
"""Places and operators move slowly: DB-IP publishes monthly, and half a year of it is still mostly right."""
STALE_RANGES_DAYS: Final = 60
"""Clouds, VPN and Tor exits move quickly: the ranges are published monthly, and two missed issues are too old."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set in force. ``stale_after_days`` None: it does not age (a registry, a rule table)."""

    name: str
    version: str
    published: date | None
    stale_after_days: int | None = None
    licence: str = ""

    def source(self, on: date) -> Source:
        """What to name as the source of a fact on the day ``on``. A clock behind the data makes no negative age."""
        age = max(0, (on - self.published).days) if self.published is not None else None
        # Without a date nothing shows that the data are fresh.
        stale = self.stale_after_days is not None and (age is None or age > self.stale_after_days)
        return Source(self.name, self.version, self.published, age, stale)


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a package."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Pinned:
    """One data set of the ledger: an npm package and the files of it that are used."""

    name: str
    group: Group
    purpose: str
    package: str
    version: str
    published: date
    packed_bytes: int
    licence: str
    attribution: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Installed:
    """One data set of the manifest. ``files``: name in the folder -> SHA-256."""

    name: str
    version: str
    published: date | None
    files: Mapping[str, str]
    sizes: Mapping[str, int]

    def dataset(self) -> Dataset:
        """The data set as a source of facts."""
        licence = next((pinned.licence for pinned in LEDGER if pinned.name == self.name), "")
        return Dataset(self.name, self.version, self.published, STALE_GEO_DAYS, licence)

    def to_json(self) -> dict[str, Any]:
        """The entry of the manifest."""
        return {
            "version": self.version,
            "published": self.published.isoformat() if self.published else None,
            "files": {name: {"sha256": sha, "bytes": self.sizes[name]} for name, sha in self.files.items()},
        }


def _pinned(entry: Mapping[str, Any]) -> Pinned:
    fields = dict(entry)
    members = tuple(Member(**member) for member in fields.pop("members"))
    return Pinned(members=members, published=date.fromisoformat(fields.pop("published")), **fields)


LEDGER: Final[tuple[Pinned, ...]] = tuple(
    _pinned(entry)
    for entry in json.loads((files("ipse.intelligence") / "data/ledger.json").read_text("utf-8"))["datasets"]
)


def read_manifest(folder: Path) -> dict[str, Installed]:
    """What is in force in ``folder``: empty where nothing was pulled. Raises ValueError for a broken manifest."""
    try:
        text = (folder / MANIFEST).read_text("utf-8")
    except FileNotFoundError:
        return {}
    try:
        return {name: _installed(name, entry) for name, entry in json.loads(text)["datasets"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{folder / MANIFEST} cannot be read: {error}") from error


def _installed(name: str, entry: Mapping[str, Any]) -> Installed:
    return Installed(
        name=name,
        version=str(entry["version"]),
        published=date.fromisoformat(entry["published"]) if entry["published"] else None,
        files={Path(file).name: str(facts["sha256"]) for file, facts in entry["files"].items()},
        sizes={Path(file).name: int(facts["bytes"]) for file, facts in entry["files"].items()},
    )


def state_of(folder: Path, installed: Installed | None) -> State:
    """Hash the files of one data set: ``ok``, ``missing`` or ``changed``."""
    if installed is None:
        return "missing"
    for file, sha256 in installed.files.items():
        try:
            with (folder / file).open("rb") as opened:
                if hashlib.file_digest(opened, "sha256").hexdigest() != sha256:
                    return "changed"
        except OSError:
            return "missing"
    return "ok"

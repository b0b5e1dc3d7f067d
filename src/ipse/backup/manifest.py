"""What a backup consists of, and the digests by which it is known to be whole.

A backup is a folder: ``database/`` (see ``databases``), ``blobs/`` (one file for each image, under its key),
``SHA256SUMS`` in the format of ``sha256sum -c``, and ``manifest.json``, which is written last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ipse.backup.errors import BackupDamaged, NotABackup

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
FORMAT: Final = 1
NOT_INCLUDED: Final = (
    "The ordinary and the biometric master key. WITHOUT THEM NOTHING IN THIS BACKUP CAN BE READ. "
    "Keep a copy of each elsewhere, apart from this folder.",
    "Models and address data: `ipse models pull` and `ipse data pull` fetch them again.",
    "The pgvector index: `ipse faces index build` makes it again.",
    "Settings (IPSE_* variables), certificates and the reverse proxy's configuration.",
)


@dataclass(frozen=True, slots=True)
class WrappedRing:
    """A key ring as stored, useless without its master key; here so that a restore can try the keys first."""

    ring: str
    version: int
    wrapped: str
    """Base64."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was written when a backup was finished."""

    format: int
    version: str
    """Of Ipse."""
    created_at: str
    """The database is as it was at this instant, ISO 8601 in UTC."""
    engine: str
    """``sqlite`` or ``postgresql``."""
    revision: str
    """Of the schema."""
    tables: Mapping[str, Sequence[str]]
    """Columns of each table, in the order in which they were written."""
    blobs: int
    erased_meanwhile: Sequence[str]
    """Keys of images that were erased between the copy of the database and that of the blobs."""
    rings: Sequence[WrappedRing]
    sums: str
    """SHA-256 of ``SHA256SUMS``, in hex."""
    not_included: Sequence[str] = NOT_INCLUDED


def write_sums(folder: Path) -> str:
    """Write the digest of every file of the folder; return that of the list itself."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    lines = (f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in sorted(files))
    text = "".join(lines)
    (folder / SUMS).write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def write(folder: Path, manifest: Manifest) -> None:
    """Finish a backup."""
    unfinished = folder / f".{MANIFEST}"
    unfinished.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    unfinished.rename(folder / MANIFEST)


def read(folder: Path) -> Manifest:
    """Return the manifest of a finished backup.

    Raises:
        NotABackup: there is none, or it is of a later format.
    """
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise NotABackup(f"{folder} is a backup of format {found['format']}; this release reads {FORMAT}.")
        return Manifest(**{**found, "rings": [WrappedRing(**ring) for ring in found["rings"]]})
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotABackup(f"{folder} holds no finished backup: {MANIFEST} is missing.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotABackup(f"{folder / MANIFEST} cannot be read.") from error


def check_files(folder: Path, manifest: Manifest) -> int:
    """Compare every file with its digest; return how many there are.

    Raises:
        BackupDamaged: names the first file that is missing, changed or not listed.
    """
    listed = _listed(folder, manifest)
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file():
            raise BackupDamaged(f"{name} is missing.")
        if sha256_of(path) != digest:
            raise BackupDamaged(f"{name} was changed.")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    strangers = sorted(present - listed.keys() - {MANIFEST, SUMS})
    if strangers:
        raise BackupDamaged(f"{strangers[0]} is not part of the backup.")
    return len(listed)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listed(folder: Path, manifest: Manifest) -> dict[str, str]:
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BackupDamaged(f"{SUMS} is missing.") from error
    if hashlib.sha256(text.encode()).hexdigest() != manifest.sums:
        raise BackupDamaged(f"{SUMS} was changed.")
    pairs = (line.split("  ", 1) for line in text.splitlines())
    return {name: digest for digest, name in pairs}

"""The evidence pack: a zip of canonical JSON files, a manifest with their digests, and one signature over the manifest.

Nothing is ever unpacked to disk, and nothing larger than the manifest may say is held: a pack comes from strangers.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipse.evidence.errors import EvidenceError
from ipse.evidence.record import canonical, digest

FORMAT: Final = "ipse-evidence"
SCHEMA: Final = 1
SIGNATURE_TYPE: Final = "ipse-evidence+jwt"
"""Explicit typing (RFC 8725, section 3.11) of the statement about the manifest."""

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature.jwt"
REQUIRED: Final = (
    "audit.json",
    "decision.json",
    "images.json",
    "input.json",
    "keys.json",
    "models.json",
    "reports.json",
    "session.json",
    "signals.json",
    "verdicts.json",
    "webhooks.json",
    "workflow.json",
)
VERDICT: Final = "verdict.jwt"
"""There when the session has a verdict that can be used no more."""

MOST_FILES: Final = 256
LARGEST_FILE: Final = 32 * 2**20
"""Bytes; an image as received has at most 16 MiB."""
LARGEST_PACK: Final = 256 * 2**20

_IMAGE: Final = re.compile(r"images/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Of every member: equal contents make equal packs."""


class UnreadablePack(EvidenceError):
    """Not a pack, or one that is larger than any pack, or with files that no pack has."""


@dataclass(frozen=True, slots=True)
class Pack:
    """The files of a pack by name, as they are."""

    files: Mapping[str, bytes]

    def json(self, name: str) -> Any:
        """A parsed file. Raises :class:`UnreadablePack`."""
        if name not in self.files:
            raise UnreadablePack(f"{name} is missing.")
        try:
            return json.loads(self.files[name])
        except (ValueError, RecursionError) as error:
            raise UnreadablePack(f"{name} is not JSON.") from error


def is_known(name: str) -> bool:
    """Whether a pack of this schema may have such a file."""
    return name in (*REQUIRED, MANIFEST, SIGNATURE, VERDICT) or _IMAGE.fullmatch(name) is not None


def manifest_of(files: Mapping[str, bytes], facts: Mapping[str, Any]) -> bytes:
    """The manifest: ``facts`` (session, application, time, …) and digest and size of every file."""
    listed = {name: {"sha256": digest(content), "size": len(content)} for name, content in files.items()}
    return canonical({"format": FORMAT, "schema": SCHEMA, **facts, "files": listed})


def write(files: Mapping[str, bytes]) -> bytes:
    """The zip: members in the order of their names, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            kind = zipfile.ZIP_STORED if name.startswith("images/") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, _DATE), files[name], compress_type=kind)
    return buffer.getvalue()


def read(content: bytes) -> Pack:
    """Read a pack into memory.

    Raises:
        UnreadablePack: not a zip, too many or too large files, a name twice, or a name that no pack has (an absolute
            path or one with ``..`` among them).
    """
    if len(content) > LARGEST_PACK:
        raise UnreadablePack(f"The file is larger than {LARGEST_PACK // 2**20} MiB.")
    files: dict[str, bytes] = {}
    held = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MOST_FILES:
                raise UnreadablePack(f"The pack has {len(members)} files; {MOST_FILES} is the most.")
            for member in members:
                name = member.filename
                if not is_known(name):
                    raise UnreadablePack(f"{name!r} is no file of a pack.")
                if name in files:
                    raise UnreadablePack(f"{name} is there twice.")
                files[name] = _bounded(archive, member)
                held += len(files[name])
                if held > LARGEST_PACK:
                    raise UnreadablePack("The files together are larger than any pack.")
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise UnreadablePack("This is not an evidence pack: the zip cannot be read.") from error
    return Pack(files)


def _bounded(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member, read no further than it may be long, whatever its header claims."""
    with archive.open(member) as opened:
        content = opened.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise UnreadablePack(f"{member.filename} is larger than {LARGEST_FILE // 2**20} MiB.")
    return content

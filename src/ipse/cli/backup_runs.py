"""What ``ipse backup`` does: copy an installation while it serves, check a copy, restore one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ipse.app import build_services, close_services
from ipse.backup import later_erasures, service
from ipse.backup.errors import BackupError
from ipse.backup.later_erasures import Returned
from ipse.backup.manifest import Manifest
from ipse.cli import logs, output
from ipse.cli.failure import CommandError
from ipse.clock import SystemClock
from ipse.media.service import erasures_finished
from ipse.security.keyring import KeyRingError
from ipse.settings import Settings


def create(folder: Path, *, as_json: bool) -> None:
    """Write a backup into an empty folder."""
    try:
        made = asyncio.run(service.create(_settings(), folder, SystemClock()))
    except BackupError as error:
        raise CommandError(str(error)) from error
    _show(folder, made, as_json=as_json)


def verify(folder: Path, *, as_json: bool) -> None:
    """Compare every file of a backup with its digest, and try the master keys at hand."""
    try:
        found, files = asyncio.run(service.verify(folder))
    except BackupError as error:
        raise CommandError(str(error)) from error
    keys = _keys(found)
    if as_json:
        output.print_json({"whole": True, "files": files, "created_at": found.created_at, "keys": keys})
        return
    output.say(f"The backup of {found.created_at} is whole: {files} files, each as its digest says.")
    output.say(f"Master keys: {keys}")


def restore(folder: Path, receipts: Path | None, *, as_json: bool) -> None:
    """Fill an empty installation, then erase again what the receipts say was erased since."""
    lines = receipts.read_text(encoding="utf-8").splitlines() if receipts else []
    try:
        found, again = asyncio.run(_restore(folder, lines))
    except BackupError as error:
        raise CommandError(str(error)) from error
    if as_json:
        facts = [{"kind": one.kind.value, "receipt": one.receipt_id, "erased_at": one.erased_at} for one in again]
        output.print_json({"created_at": found.created_at, "blobs": found.blobs, "erased_again": facts})
        return
    output.say(f"Restored as it was at {found.created_at}, with {found.blobs} images.")
    for one in again:
        output.say(f"Erased again: {one.kind.value} of receipt {one.receipt_id}, erased {one.erased_at.isoformat()}")
    if receipts is None:
        output.note(
            "Whatever was erased after that moment is back. Run the restore with --receipts FILE, or erase it again."
        )


async def _restore(folder: Path, lines: list[str]) -> tuple[Manifest, list[Returned]]:
    settings = _settings()
    found = await service.restore(settings, folder)
    services = await build_services(settings, load_faces=False)  # brings an older schema up to date, too
    try:
        again = await later_erasures.find(services, lines)
        await later_erasures.erase_again(services, again)
        await erasures_finished()
    finally:
        await close_services(services)
    return found, again


def _keys(found: Manifest) -> str:
    try:
        service.try_keys(_settings(), found)
    except KeyRingError as error:
        return f"those at hand do not open it. {error}"
    return "those at hand open it. Keep copies of them apart from it."


def _show(folder: Path, made: Manifest, *, as_json: bool) -> None:
    if as_json:
        facts = {"folder": str(folder), "created_at": made.created_at, "blobs": made.blobs}
        output.print_json({**facts, "not_included": list(made.not_included)})
        return
    output.say(f"{folder}: the {made.engine} database as of {made.created_at}, and {made.blobs} images.")
    if made.erased_meanwhile:
        output.say(f"{len(made.erased_meanwhile)} images were erased meanwhile and are not in it.")
    output.note("NOT in this backup:")
    for sentence in made.not_included:
        output.note(f"  - {sentence}")


def _settings() -> Settings:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    return settings

"""``ipse evidence export``."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.cli.failure import CommandError
from ipse.edge.errors import NotFound
from ipse.evidence import exporting, service
from ipse.evidence.errors import EvidenceError
from ipse.evidence.record import digest
from ipse.settings import Settings


def export(session_id: str, out: Path | None, *, with_images: bool, as_json: bool) -> None:
    """Write the pack of one session; the file is readable by its owner only."""
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    try:
        content = asyncio.run(_export(settings, session_id, with_images))
    except (EvidenceError, NotFound) as error:
        raise CommandError(str(error) or f"There is no session {session_id}.") from error
    file = out or Path(f"evidence-{session_id}.zip")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
    if as_json:
        output.print_json({"file": str(file), "bytes": len(content), "sha256": digest(content)})
        return
    output.say(f"{file} ({len(content)} bytes). `ipse evidence verify {file}` checks it.")


async def _export(settings: Settings, session_id: str, with_images: bool) -> bytes:
    services = await build_services(settings, load_faces=False)
    try:
        async with service.scope_of(services, session_id, writing=True) as scope:
            return await exporting.export(scope, session_id, with_images=with_images)
    finally:
        await close_services(services)

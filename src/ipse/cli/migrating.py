"""``ipse migrate``: bring the database to the schema of this release, and end."""

from __future__ import annotations

import asyncio

from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.settings import Settings
from ipse.storage import migrate
from ipse.storage.database import Database


def bring_up(*, as_json: bool) -> None:
    """Apply what is missing; say from which revision to which."""
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    before, after = asyncio.run(_bring_up(settings))
    if as_json:
        output.print_json({"before": before, "after": after})
    elif before == after:
        output.say(f"The database is at revision {after}; nothing was missing.")
    else:
        output.say(f"The database went from revision {before or 'none'} to {after}.")


async def _bring_up(settings: Settings) -> tuple[str | None, str]:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.resolved_database_url)
    try:
        before = await migrate.current_revision(database.engine)
    finally:
        await database.close()
    # Some migrations seal what was in clear: the services bring the keys along.
    await close_services(await build_services(settings, load_faces=False))
    return before, migrate.head_revision()

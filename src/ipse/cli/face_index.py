"""``ipse faces index``: the vector index in PostgreSQL for 1:N search (``IPSE_FACE_INDEX=pgvector``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rich.progress import MofNCompleteColumn

from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.cli.bars import Bars
from ipse.cli.failure import CommandError
from ipse.faces import index_building
from ipse.faces.index_building import IndexStatus, IndexUnavailable
from ipse.runtime.services import Services
from ipse.settings import Settings

T = TypeVar("T")


def build(*, as_json: bool) -> None:
    """Make the table and the graphs, and store what is missing; then show the status."""

    async def work(services: Services) -> IndexStatus:
        with Bars(MofNCompleteColumn(), visible=not as_json) as bars:
            await index_building.build(services, progress=bars.report)
        return await index_building.status(services)

    try:
        found = asyncio.run(_with_services(work))
    except IndexUnavailable as error:
        raise CommandError(str(error)) from error
    _show(found, as_json=as_json)


def status(*, as_json: bool) -> None:
    """Show what there is and what is missing."""
    _show(asyncio.run(_with_services(index_building.status)), as_json=as_json)


def drop(*, as_json: bool) -> None:
    """Remove the table and the rotations."""
    asyncio.run(_with_services(index_building.drop))
    if as_json:
        output.print_json({"dropped": True})
    else:
        output.say("The index is gone. Searches run in memory; every process should have IPSE_FACE_INDEX=memory.")


async def _with_services(work: Callable[[Services], Awaitable[T]]) -> T:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    services = await build_services(settings, load_faces=False)
    try:
        return await work(services)
    finally:
        await close_services(services)


def _show(found: IndexStatus, *, as_json: bool) -> None:
    facts = {
        "setting": Settings().face_index,
        "extension": found.extension,
        "built": found.exists,
        "applications": {
            name: {
                "searchable": one.searchable,
                "stored": one.stored,
                "missing": one.missing,
                "graph": one.with_graph,
            }
            for name, one in found.coverage.items()
        },
    }
    if as_json:
        output.print_json(facts)
        return
    output.print_facts(
        [
            ("setting", str(facts["setting"])),
            ("extension", found.extension or "not installed on this server"),
            ("built", "yes" if found.exists else "no"),
            *(
                (name, f"{one.stored} of {one.searchable} faces{', graph' if one.with_graph else ''}")
                for name, one in found.coverage.items()
            ),
        ]
    )

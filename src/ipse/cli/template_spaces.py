"""Renewing and revoking the template spaces of an application (``ipse templates``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from rich.progress import MofNCompleteColumn

from ipse.accounts import first_run
from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.cli.bars import Bars
from ipse.cli.failure import CommandError
from ipse.faces import renewal
from ipse.faces.renewal import Renewal, Status
from ipse.runtime.application import Application
from ipse.runtime.services import Services
from ipse.settings import Settings

T = TypeVar("T")


def status(*, as_json: bool) -> None:
    """Show the spaces of every application and how many faces stand in them."""

    async def work(services: Services) -> list[tuple[str, Status]]:
        rows = await first_run.local_applications(services)
        return [(row.id, await renewal.status(services, Application.of(row))) for row in rows]

    found = asyncio.run(_with_services(work))
    if as_json:
        output.print_json([_facts(application, one) for application, one in found])
        return
    for application, one in found:
        output.print_facts(
            [
                ("application", application),
                *((f"space {space.version}", f"{space.state}, {space.faces} faces") for space in one.spaces),
                ("unprotected", f"{one.unprotected} faces" + (": run ipse templates renew" if one.unprotected else "")),
                ("behind", f"{one.behind} faces, {one.renewable} of them renewable without the person"),
            ]
        )
        output.say()


def renew(application: str, *, resume: bool, as_json: bool) -> None:
    """Make a new space, or go on with the newest, and renew what can be."""

    async def work(services: Services) -> Renewal:
        with Bars(MofNCompleteColumn(), visible=not as_json) as bars:
            return await renewal.renew(
                services, await _named(services, application), resume=resume, progress=bars.report
            )

    done = asyncio.run(_with_services(work, load_faces=True))
    if as_json:
        output.print_json(
            {
                "space": done.version,
                "renewed": done.renewed,
                "waiting": done.waiting,
                "destroyed": list(done.destroyed),
            }
        )
        return
    output.say(f"Space {done.version} protects templates now; {done.renewed} faces were renewed.")
    if done.waiting:
        output.say(f"{done.waiting} faces have no portrait that shows them: they wait for their person's next success.")
    _say_destroyed(done.destroyed)


def revoke(application: str, *, now: bool, as_json: bool) -> None:
    """Destroy secrets and say what that costs."""

    async def work(services: Services) -> tuple[tuple[int, ...], int]:
        return await renewal.revoke(services, await _named(services, application), needed_too=now)

    gone, lost = asyncio.run(_with_services(work))
    if as_json:
        output.print_json({"destroyed": list(gone), "faces_to_enrol_again": lost})
        return
    _say_destroyed(gone)
    if lost:
        output.say(f"{lost} faces cannot be compared any more: their people must enrol again.")
    if not gone:
        output.say("Nothing was destroyed: no earlier space has a secret that nobody needs.")


async def _named(services: Services, application: str) -> Application:
    for row in await first_run.local_applications(services):
        if application in (row.id, row.mode):
            return Application.of(row)
    raise CommandError(f"No application of the local organisation has this id or mode: {application}.")


async def _with_services(work: Callable[[Services], Awaitable[T]], *, load_faces: bool = False) -> T:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    services = await build_services(settings, load_faces=load_faces)
    try:
        return await work(services)
    finally:
        await close_services(services)


def _facts(application: str, one: Status) -> dict[str, Any]:
    return {
        "application": application,
        "spaces": [{"version": space.version, "state": space.state, "faces": space.faces} for space in one.spaces],
        "unprotected": one.unprotected,
        "behind": one.behind,
        "renewable": one.renewable,
    }


def _say_destroyed(versions: tuple[int, ...]) -> None:
    for version in versions:
        output.say(f"The secret of space {version} is destroyed.")

"""What the privacy commands do."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import typer
from joserfc.jwk import KeySet
from sqlalchemy import select

from ipse.accounts import first_run
from ipse.app import build_services, close_services
from ipse.audit import service as audit
from ipse.audit.statements import StatementInvalid
from ipse.cli import logs, output
from ipse.cli.failure import EXIT_NO, EXIT_USAGE, CommandError
from ipse.edge.errors import ApiError
from ipse.media import service as media
from ipse.privacy import erasure, receipts
from ipse.privacy import export as exports
from ipse.privacy import retention as runs
from ipse.runtime.application import Application
from ipse.runtime.scope import Actor, Scope
from ipse.runtime.services import Services
from ipse.sessions import deletion
from ipse.settings import Settings
from ipse.storage.tables import ApplicationRow, ErasureReceiptRow, RetentionRunRow

OPERATOR = Actor("OPERATOR", "Command line")


def erase(
    named: str, session: str | None, person: str | None, *, everything: bool, lift_blocks: bool, yes: bool
) -> None:
    """Erase what was named, and print the receipt."""
    if [session is not None, person is not None, everything].count(True) != 1:
        raise CommandError("Name one of --session, --person and --everything.", EXIT_USAGE)
    what = f"session {session}" if session else f"person {person}" if person else f"the whole application {named}"
    if not yes and not typer.confirm(f"Destroy {what} for good?"):
        raise CommandError("Nothing was erased.")
    row = asyncio.run(_erase(named, session, person, lift_blocks=lift_blocks))
    if row is None:
        raise CommandError("Nothing is stored about this person.")
    output.note(", ".join(f"{name} {count}" for name, count in row.destroyed.items()))
    output.say(row.signed)


def export(person: str, file: Path, named: str, *, images: bool) -> None:
    """Write the archive of a person; only the owner of the file may read it."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        try:
            asyncio.run(_export(person, target, named, images=images))
        except ApiError as error:
            file.unlink()
            raise CommandError("Nothing is stored about this person.") from error
    output.say(f"{file}: {file.stat().st_size} bytes")


def run_retention(named: str | None, *, dry: bool, as_json: bool) -> None:
    """Run the retention of one application, or of all, and print what it did or would do."""
    reports = asyncio.run(_run(named, dry=dry))
    if as_json:
        output.print_json(reports)
    elif not reports:
        output.say("Nothing is due.")
    else:
        rows = [(one["application"], name, str(count)) for one in reports for name, count in one["report"].items()]
        output.print_table(("application", "kind", "due" if dry else "erased"), rows)


def show_retention(named: str, *, as_json: bool) -> None:
    """Print the limit of an application and its latest runs."""
    days, found = asyncio.run(_runs(named))
    if as_json:
        output.print_json({"retention_days": days, "runs": [_facts(run) for run in found]})
        return
    output.say("Everything is kept." if days is None else f"Sessions are erased after {days} days.")
    rows = [
        (
            f"{run.started_at:%Y-%m-%d %H:%M}",
            "dry" if run.is_dry else "finished" if run.finished_at else "interrupted",
            ", ".join(f"{name} {count}" for name, count in run.report.items() if count),
        )
        for run in found
    ]
    if rows:
        output.print_table(("started (UTC)", "run", "what"), rows)


def verify_receipt(file: Path, keys: Path | None, *, as_json: bool) -> None:
    """Check a receipt, given as JWS or as the API's answer."""
    try:
        receipt = receipts.read(_jws(file.read_text("utf-8")), None if keys is None else _thumbprints(keys))
    except StatementInvalid as error:
        raise CommandError(str(error), EXIT_NO) from error
    if as_json:
        output.print_json(asdict(receipt))
        return
    facts = [(name.replace("_", " "), str(value)) for name, value in asdict(receipt).items() if name != "blobs"]
    output.print_facts(facts)
    if keys is None:
        output.note("The signature holds. Whose it is, only --keys can tell.")


def _jws(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith("{"):
        return stripped
    try:
        return str(json.loads(stripped)["receipt"])
    except (ValueError, KeyError) as error:
        raise CommandError("The file is neither a receipt nor an answer of the API that holds one.") from error


def _thumbprints(file: Path) -> frozenset[str]:
    try:
        return frozenset(key.thumbprint() for key in KeySet.import_key_set(json.loads(file.read_text("utf-8"))).keys)
    except (ValueError, TypeError, KeyError) as error:
        raise CommandError(f"{file} is no JWKS.", EXIT_USAGE) from error


async def _erase(named: str, session: str | None, person: str | None, *, lift_blocks: bool) -> ErasureReceiptRow | None:
    async with _services() as services:
        application = await _application(services, named)
        async with services.database.writing() as tx:
            scope = Scope(tx, application, services, OPERATOR)
            if session is not None:
                try:
                    row: ErasureReceiptRow | None = await deletion.delete_one(scope, session)
                except ApiError as error:
                    raise CommandError("There is no such session.") from error
            elif person is not None:
                row = await erasure.erase_user(scope, person, keep_blocks=not lift_blocks)
            else:
                row = await erasure.erase_application(scope)
        await media.erasures_finished()
        await services.database.scrub()
        return row


async def _export(person: str, target: BinaryIO, named: str, *, images: bool) -> None:
    async with _services() as services:
        application = await _application(services, named)
        async with services.database.writing() as tx:
            scope = Scope(tx, application, services, OPERATOR)
            await exports.require_known(scope, person)
            await audit.record(
                scope,
                "user.exported",
                object_type="user",
                object_id=person,
                vendor_data=person,
                details={"images": images},
            )
        async for piece in exports.archive(services, application, person, images=images):
            target.write(piece)


async def _run(named: str | None, *, dry: bool) -> list[dict[str, Any]]:
    async with _services() as services:
        if named is not None:
            ids: Sequence[str] = [(await _application(services, named)).id]
        else:
            async with services.database.reading() as tx:
                ids = (await tx.scalars(select(ApplicationRow.id).order_by(ApplicationRow.id))).all()
        reports = []
        for application_id in ids:
            done = await runs.run(services, application_id, dry=dry)
            if done is not None:
                reports.append(_facts(done))
        await media.erasures_finished()
        await services.database.scrub()
        return reports


async def _runs(named: str) -> tuple[int | None, Sequence[RetentionRunRow]]:
    async with _services() as services:
        application = await _application(services, named)
        async with services.database.reading() as tx:
            return application.retention_days, await runs.runs(tx, application.id)


def _facts(run: RetentionRunRow) -> dict[str, Any]:
    return {
        "application": run.application_id,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "dry": run.is_dry,
        "report": dict(run.report),
    }


async def _application(services: Services, named: str) -> Application:
    async with services.database.reading() as tx:
        row = await tx.get(ApplicationRow, named) if len(named) == 36 else None
    for local in [] if row is not None else await first_run.local_applications(services):
        if local.mode == named:
            row = local
            break
    if row is None:
        raise CommandError("No application has this id or mode.")
    return Application.of(row)


@asynccontextmanager
async def _services() -> AsyncIterator[Services]:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    services = await build_services(settings, load_faces=False)
    try:
        yield services
    finally:
        await close_services(services)

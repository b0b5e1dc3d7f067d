"""What ``ipse audit`` does and prints."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.progress import MofNCompleteColumn

from ipse.accounts import first_run
from ipse.app import build_services, close_services
from ipse.audit import linking, reading, verification
from ipse.audit.chain import INSTALLATION, Fault
from ipse.audit.reading import Query
from ipse.audit.service import record_installation
from ipse.audit.statements import StatementInvalid
from ipse.audit.verification import Report
from ipse.cli import logs, output
from ipse.cli.bars import Bars
from ipse.cli.failure import EXIT_NO, EXIT_USAGE, CommandError
from ipse.runtime.services import Services
from ipse.settings import Settings

_MEANING = {
    Fault.CHANGED_ENTRY: "the entry was changed",
    Fault.CHANGED_CONTENT: "the content of the entry was exchanged",
    Fault.MISSING_ENTRY: "the entry is missing",
    Fault.REORDERED: "another entry stands here; the one that belongs here stands further on",
    Fault.BROKEN_LINK: "the entry does not follow from the one before: one was removed, or the link was changed",
    Fault.CUT: "the chain ends before this place, yet a checkpoint was signed further on",
    Fault.REWRITTEN: "the entry is not the one that a checkpoint was signed for",
    Fault.FORGED_CHECKPOINT: "the checkpoint was not signed by this installation, or was changed",
}


def show(
    application: str | None,
    *,
    act: str | None,
    about: str | None,
    person: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the latest entries."""
    object_type, _, object_id = (about or "").partition(":")
    query = Query(None, act, object_type or None, object_id or None, person, since, until)
    found = asyncio.run(_latest(application, query, limit))
    if as_json:
        output.print_json(found)
        return
    for entry in found:
        output.say(_line(entry))


def verify(chain: str | None, files: Sequence[Path], *, as_json: bool) -> None:
    """Verify one chain or all of them."""
    outside = [line for file in files for line in file.read_text().split()]
    try:
        reports = asyncio.run(_verify(chain, outside, visible=not as_json))
    except StatementInvalid as error:
        raise CommandError(f"A line of the checkpoint file is not a checkpoint. {error}", EXIT_USAGE) from error
    if as_json:
        output.print_json([_facts(report) for report in reports])
    else:
        for report in reports:
            output.say(_sentence(report))
    if any(report.verified.contradiction is not None for report in reports):
        sys.exit(EXIT_NO)


def export(application: str | None, *, with_content: bool) -> None:
    """Print one or all chains as JSON lines."""
    asyncio.run(_export(application, with_content=with_content))


def checkpoint(*, as_json: bool) -> None:
    """Sign and print the end of every chain."""
    made = asyncio.run(_checkpoint())
    if as_json:
        output.print_json(made)
        return
    for one in made:
        output.note(f"{one['chain']}: {one['position']} entries")
        output.say(one["signed"])


async def _latest(application: str | None, query: Query, limit: int) -> Sequence[dict[str, Any]]:
    async with _services() as services:
        chain = None if application is None else await _chain(services, application)
        wanted = Query(
            chain, query.act, query.object_type, query.object_id, query.vendor_data, query.since, query.until
        )
        try:
            return await reading.latest(services, wanted, limit)
        except ValueError as error:
            raise CommandError(str(error), EXIT_USAGE) from error


async def _verify(chain: str | None, outside: Sequence[str], *, visible: bool) -> list[Report]:
    async with _services() as services:
        chains = [chain] if chain is not None else await verification.chain_names(services, outside)
        with Bars(MofNCompleteColumn(), visible=visible) as bars:
            return [
                await verification.verify_chain(services, one, outside=outside, progress=bars.report) for one in chains
            ]


async def _export(application: str | None, *, with_content: bool) -> None:
    async with _services() as services:
        if application is None:
            chains = await verification.chain_names(services)
        else:
            chains = [await _chain(services, application)]
        for chain in chains:
            await reading.export(services, chain, _write_line, with_content=with_content)
        async with services.database.writing() as tx:
            await record_installation(
                services,
                tx,
                "audit.exported",
                object_type="audit",
                object_id=None,
                details={"chains": list(chains), "with_content": with_content},
            )


async def _checkpoint() -> list[dict[str, Any]]:
    made = []
    async with _services() as services:
        await linking.checkpoint_grown(services)
        for chain in await verification.chain_names(services):
            async with services.database.writing() as tx:
                row = await linking.checkpoint_now(tx, services, chain)
                if row is not None:
                    made.append({"chain": chain, "position": row.position, "signed": row.signed})
    return made


async def _chain(services: Services, named: str) -> str:
    if named == INSTALLATION:
        return named
    for row in await first_run.local_applications(services):
        if named in (row.id, row.mode):
            return row.id
    return named


@asynccontextmanager
async def _services() -> AsyncIterator[Services]:
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    if not settings.database_url and not (settings.data_dir / "ipse.sqlite3").exists():
        raise CommandError(f"There is no installation in {settings.data_dir}. Run `ipse init` first.")
    services = await build_services(settings, load_faces=False)
    try:
        yield services
    finally:
        await close_services(services)


def _write_line(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _line(entry: dict[str, Any]) -> str:
    content = entry["content"] or {}
    actor = content.get("actor", {}).get("display") or entry["actor_type"]
    about = f"{entry['object_type']} {content.get('object_id') or ''}".strip()
    said = [f"{name}={value}" for name, value in content.get("details", {}).items() if value not in (None, [], "")]
    details = ", ".join(said) if entry["content"] is not None else "(erased)"
    return f"{entry['occurred_at'][:19]}Z  {entry['act']:<24} {actor:<28} {about}  {details}".rstrip()


def _sentence(report: Report) -> str:
    found, wrong = report.verified, report.verified.contradiction
    if wrong is not None:
        entry = f" (entry {wrong.entry_id})" if wrong.entry_id else ""
        return f"{found.chain}: contradiction at place {wrong.position}{entry}: {_MEANING[wrong.fault]}."
    return (
        f"{found.chain}: {found.entries} entries verified, {report.checkpoints} checkpoints agree; "
        f"{report.erased} erased, {report.waiting} waiting for their place."
    )


def _facts(report: Report) -> dict[str, Any]:
    found, wrong = report.verified, report.verified.contradiction
    return {
        "chain": found.chain,
        "entries": found.entries,
        "head": found.head,
        "checkpoints": report.checkpoints,
        "erased": report.erased,
        "waiting": report.waiting,
        "contradiction": None
        if wrong is None
        else {"fault": wrong.fault.value, "position": wrong.position, "entry_id": wrong.entry_id},
    }

"""``ipse audit``: the commands. Their bodies are imported when they run (``ipse.cli.audit_reports``)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

audit = typer.Typer(no_args_is_help=True, help="The audit log.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Application = Annotated[
    str | None, typer.Option(help="An id, or sandbox or live for the first of that mode, or installation.")
]


@audit.command("list")
def list_entries(
    application: Application = None,
    act: Annotated[str | None, typer.Option(help="Such as session.decided, or session for all of them.")] = None,
    about: Annotated[
        str | None, typer.Option("--object", metavar="TYPE[:ID]", help="Such as session:ID; an id needs --application.")
    ] = None,
    person: Annotated[str | None, typer.Option(help="A vendor_data; needs --application.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From this moment on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this moment (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The latest so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the latest entries."""
    from ipse.cli import audit_reports as reports

    reports.show(
        application,
        act=act,
        about=about,
        person=person,
        since=_utc(since),
        until=_utc(until),
        limit=limit,
        as_json=as_json,
    )


@audit.command("verify")
def verify(
    chain: Annotated[
        str | None, typer.Option(help="One chain only: the id of an application, or installation.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Checkpoints that were kept elsewhere, one a line."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Follow every chain from its first entry.

    Exit code 1 at a contradiction; its place and kind are printed.
    """
    from ipse.cli import audit_reports as reports

    reports.verify(chain, checkpoint or [], as_json=as_json)


@audit.command("export")
def export(
    application: Application = None,
    content: Annotated[
        bool, typer.Option("--content/--no-content", help="--no-content leaves out what identifies anybody.")
    ] = True,
) -> None:
    """Print entries and checkpoints as JSON lines."""
    from ipse.cli import audit_reports as reports

    reports.export(application, with_content=content)


@audit.command("checkpoint")
def checkpoint(as_json: Json = False) -> None:
    """Sign how far every chain has grown, and print it.

    What is printed is what `ipse audit verify --checkpoint` reads.
    """
    from ipse.cli import audit_reports as reports

    reports.checkpoint(as_json=as_json)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)

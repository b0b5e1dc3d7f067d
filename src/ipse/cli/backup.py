"""``ipse backup``: the commands. Their bodies are imported when they run (``ipse.cli.backup_runs``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

backup = typer.Typer(no_args_is_help=True, help="Copies of the whole installation.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")]
New = Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A new or empty folder.")]
Made = Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="A backup.")]


@backup.command("create")
def create(folder: New, as_json: Json = False) -> None:
    """Copy database and images, also while the service runs.

    The master keys are not in it: keep copies of them elsewhere.
    """
    from ipse.cli import backup_runs as runs

    runs.create(folder, as_json=as_json)


@backup.command("verify")
def verify(folder: Made, as_json: Json = False) -> None:
    """Compare every file with its digest, and try the master keys.

    Exit code 1 when something is missing or changed.
    """
    from ipse.cli import backup_runs as runs

    runs.verify(folder, as_json=as_json)


@backup.command("restore")
def restore(
    folder: Made,
    receipts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Erasure receipts, one a line: erase again what they name."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fill an empty installation from a backup.

    Refuses when database or blob store hold anything, or the master keys do not open the backup.
    """
    from ipse.cli import backup_runs as runs

    runs.restore(folder, receipts, as_json=as_json)

"""``ipse erase``, ``ipse retention``, ``ipse export-subject`` and ``ipse receipt``: the commands.

Their bodies are imported when they run (``ipse.cli.privacy_work``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

retention = typer.Typer(no_args_is_help=True, help="What is kept too long.")
receipt = typer.Typer(no_args_is_help=True, help="Receipts of erasures.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Application = Annotated[str, typer.Option(help="An id, or sandbox or live for the first of that mode.")]


def erase(
    application: Application,
    session: Annotated[str | None, typer.Option(help="The id of a session.")] = None,
    person: Annotated[str | None, typer.Option(help="A vendor_data: the person with every session.")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="The whole application.")] = False,
    lift_blocks: Annotated[
        bool, typer.Option("--lift-blocks", help="Take the person off blocklists, too; without, blocks stay.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy a session, a person or an application for good.

    Prints the signed receipt; keep it.
    """
    from ipse.cli import privacy_work as work

    work.erase(application, session, person, everything=everything, lift_blocks=lift_blocks, yes=yes)


def export_subject(
    person: Annotated[str, typer.Argument(metavar="VENDOR_DATA", help="The person.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The ZIP archive to write.")],
    application: Application,
    images: Annotated[bool, typer.Option("--images", help="Add the images, decrypted.")] = False,
) -> None:
    """Write what is stored about a person to a ZIP archive."""
    from ipse.cli import privacy_work as work

    work.export(person, file, application, images=images)


@retention.command("run")
def retention_run(
    application: Annotated[
        str | None, typer.Option(help="An id, sandbox or live; default: every application with a limit.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much is due.")] = False,
    as_json: Json = False,
) -> None:
    """Erase what is older than its application keeps it.

    The worker does it every hour. The limit: `ipse applications set APPLICATION retention_days=90`.
    """
    from ipse.cli import privacy_work as work

    work.run_retention(application, dry=dry_run, as_json=as_json)


@retention.command("show")
def retention_show(application: Application, as_json: Json = False) -> None:
    """Show the limit of an application and its latest runs."""
    from ipse.cli import privacy_work as work

    work.show_retention(application, as_json=as_json)


@receipt.command("verify")
def receipt_verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The receipt.")],
    keys: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A JWKS with the keys that you trust.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a receipt without database or network.

    Exit code 1 if it does not hold. Without --keys it only proves that nothing was changed since it was signed.
    """
    from ipse.cli import privacy_work as work

    work.verify_receipt(file, keys, as_json=as_json)

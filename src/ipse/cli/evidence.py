"""``ipse evidence`` and ``ipse replay``: the commands. Their bodies are imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

evidence = typer.Typer(no_args_is_help=True, help="The evidence packs.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Session = Annotated[str, typer.Argument(metavar="SESSION", help="The id of a session.")]


@evidence.command("export")
def export(
    session: Session,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", dir_okay=False, help="File; default evidence-SESSION.zip.")
    ] = None,
    with_images: Annotated[bool, typer.Option("--with-images", help="Put the images themselves in.")] = False,
    as_json: Json = False,
) -> None:
    """Write the signed evidence pack of a session.

    It is verified without this installation. The export is written down in the audit log.
    """
    from ipse.cli import evidence_packs as packs

    packs.export(session, out, with_images=with_images, as_json=as_json)


@evidence.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A pack.")],
    jwks: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Key set of the installation, kept from /.well-known/jwks.json."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a pack, step by step, with nothing but the pack.

    Needs no server, database or configuration. Exit code 1 when a check fails.
    """
    from ipse.cli import evidence_verification as verification

    verification.verify(file, jwks, as_json=as_json)


def replay(
    session: Session,
    workflow: Annotated[
        str | None, typer.Option(help="What this would have decided: a version's number or id, or a file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide a session again from what is stored.

    Exit code 0: the same decision, byte for byte; 1: the difference is printed.
    """
    from ipse.cli import replay as replaying

    replaying.replay(session, workflow, as_json=as_json)

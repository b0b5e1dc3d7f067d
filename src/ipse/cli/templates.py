"""``ipse templates``: the commands. Their bodies are imported when they run (``ipse.cli.template_spaces``)."""

from __future__ import annotations

from typing import Annotated

import typer

templates = typer.Typer(no_args_is_help=True, help="The protection of the stored faces.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Application = Annotated[str, typer.Argument(help="An id, or sandbox or live for the first of that mode.")]


@templates.command("status")
def status(as_json: Json = False) -> None:
    """Show how the templates of each application are protected."""
    from ipse.cli import template_spaces as spaces

    spaces.status(as_json=as_json)


@templates.command("renew")
def renew(
    application: Application,
    resume: Annotated[bool, typer.Option("--resume", help="Finish a renewal that was interrupted.")] = False,
    as_json: Json = False,
) -> None:
    """Protect every template with a new secret.

    Faces with a kept portrait are renewed now, the others when their person succeeds the next time. Safe beside running
    servers.
    """
    from ipse.cli import template_spaces as spaces

    spaces.renew(application, resume=resume, as_json=as_json)


@templates.command("revoke")
def revoke(
    application: Application,
    now: Annotated[bool, typer.Option("--now", help="Also the secrets of templates that are not renewed yet.")] = False,
    as_json: Json = False,
) -> None:
    """Destroy the secrets of earlier spaces.

    Without --now only those that no template needs. With it, whoever was not renewed yet must enrol again.
    """
    from ipse.cli import template_spaces as spaces

    spaces.revoke(application, now=now, as_json=as_json)

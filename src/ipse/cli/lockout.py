"""``ipse lockout``: the commands. Their bodies are imported when they run (``ipse.cli.lockout_runs``)."""

from __future__ import annotations

from typing import Annotated

import typer

lockout = typer.Typer(no_args_is_help=True, help="Persons whose face was refused too often.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Person = Annotated[str, typer.Argument(metavar="VENDOR_DATA", help="The integrator's own name for the person.")]
Application = Annotated[str, typer.Option(help="An id, or sandbox or live for the first of that mode.")]


@lockout.command("show")
def show(vendor_data: Person, application: Application = "live", as_json: Json = False) -> None:
    """Show where a person must wait, and for how long."""
    from ipse.cli import lockout_runs as runs

    runs.show(vendor_data, application, as_json=as_json)


@lockout.command("lift")
def lift(vendor_data: Person, application: Application = "live", as_json: Json = False) -> None:
    """Let a person try again on every device.

    Make sure by another factor that it is them: whoever guessed before may guess again as well.
    """
    from ipse.cli import lockout_runs as runs

    runs.lift(vendor_data, application, as_json=as_json)

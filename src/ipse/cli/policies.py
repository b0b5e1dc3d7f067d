"""``ipse policy``: the commands. Their bodies are imported when they run (``ipse.cli.policy``)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

policy = typer.Typer(no_args_is_help=True, help="The step-up policies.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A policy, as JSON.")]


@policy.command("check")
def check(file: PolicyFile, as_json: Json = False) -> None:
    """Say everything that is wrong with a policy.

    Exit code 1 when something is. Workflows and lists are looked up when the policy is published.
    """
    from ipse.cli import policy as policies

    policies.check(file, as_json=as_json)


@policy.command("test")
def run_tests(
    file: PolicyFile,
    cases: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Table tests; default FILE with .cases.json.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the table tests of a policy.

    Exit code 1 when an answer is not the expected one.
    """
    from ipse.cli import policy as policies

    policies.test(file, cases, as_json=as_json)


@policy.command("backtest")
def backtest(
    file: PolicyFile,
    application: Annotated[str, typer.Option(help="An id, or sandbox or live for the first of that mode.")],
    since: Annotated[datetime | None, typer.Option(help="Only evaluations from this moment on (UTC).")] = None,
    current: Annotated[
        bool, typer.Option("--current", help="Compare with what the policy in force answers, not with what it did.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, help="The latest so many evaluations.")] = 10_000,
    as_json: Json = False,
) -> None:
    """Try a policy on recorded evaluations.

    Shows what it would have answered otherwise; nothing is changed.
    """
    from ipse.cli import policy as policies

    moment = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    policies.backtest(file, application, moment, against_current=current, most=most, as_json=as_json)

"""``ipse demo``: play the main job and show what came out."""

from __future__ import annotations

import asyncio

from rich.console import Console

from ipse.biometrics.errors import ModelUnobtainable
from ipse.cli import logs, output
from ipse.cli.failure import EXIT_NO, CommandError
from ipse.demo.calls import DemoFailed
from ipse.demo.run import obtain_models, run
from ipse.demo.table import answers, milliseconds, verdicts
from ipse.demo.table import as_json as facts
from ipse.settings import Settings

_WIDTH = 140


def demo(*, as_json: bool) -> None:
    """Exit code 0 when every scene and every question ended as it must, 1 otherwise."""
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "ERROR", "log_format": "console"}))
    show = output.note
    try:
        obtain_models(settings.models_dir, show)
        played, asked = asyncio.run(run(settings, show))
    except (ModelUnobtainable, DemoFailed) as error:
        raise CommandError(f"The demo could not be played. {error}") from error
    if as_json:
        output.print_json(facts(played, asked))
    else:
        # A pipe has no width of its own, and a narrow terminal would cut the words.
        console = Console(width=max(Console().width, _WIDTH))
        for table in (verdicts(played), milliseconds(played), answers(asked)):
            console.print("\n", table, sep="")
    good, right = sum(one.as_expected for one in played), sum(one.as_expected for one in asked)
    output.note(
        f"{good} of {len(played)} scenes ended as expected, {right} of {len(asked)} questions were answered so."
    )
    if (good, right) != (len(played), len(asked)):
        raise SystemExit(EXIT_NO)

"""``ipse models``: the ledger and the files it describes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

from rich.progress import DownloadColumn

from ipse.biometrics import acquisition, ledger
from ipse.biometrics.acquisition import Obtained, Which
from ipse.biometrics.errors import ModelUnlisted, ModelUnobtainable
from ipse.cli import output
from ipse.cli.bars import Bars
from ipse.cli.failure import EXIT_NO, CommandError
from ipse.settings import Settings

_BYTES_PER_MIB = 2**20


def show(*, as_json: bool) -> None:
    """List the ledger."""
    folder = Settings().models_dir
    states = ledger.installed(folder)
    if as_json:
        output.print_json(
            {"folder": str(folder), "models": [_facts(model, states[model.name]) for model in ledger.LEDGER]}
        )
        return
    output.print_table(
        ("model", "state", "needed", "MiB", "licence", "purpose"),
        [
            (
                model.name,
                states[model.name],
                "yes" if model.required else "no",
                f"{model.bytes / _BYTES_PER_MIB:.1f}",
                model.licence,
                model.purpose,
            )
            for model in ledger.LEDGER
        ],
    )
    output.say(f"Folder: {folder}")


def pull(which: str, from_dir: Path | None, *, as_json: bool) -> None:
    """Obtain models, group by group; the optional group may fail."""
    folder = Settings().models_dir
    groups = ("registry", "liveness") if which == "all" else (which,)
    obtained: list[Obtained] = []
    problems: dict[str, str] = {}
    with Bars(DownloadColumn(), visible=not as_json) as bars:
        for group in groups:
            try:
                obtained += acquisition.obtain(
                    folder, from_dir=from_dir, progress=bars.report, which=cast(Which, group)
                )
            except ModelUnobtainable as error:
                problems[group] = str(error)
    if as_json:
        output.print_json(
            {
                "folder": str(folder),
                "obtained": [{"name": one.name, "path": str(one.path), "source": one.source} for one in obtained],
                "problems": problems,
            }
        )
    else:
        output.print_table(("model", "from"), [(one.name, one.source) for one in obtained])
    if "registry" in problems:
        raise CommandError(f"A required model could not be obtained. {problems['registry']}")
    if "liveness" in problems:
        output.note(
            f"The liveness networks could not be obtained: {problems['liveness']}\n"
            "Basic replay screening runs instead; live applications answer In Review on passive evidence alone. "
            "Repeat `ipse models pull --which liveness`, or copy the files and use `--from DIR`."
        )
        if which == "liveness":
            sys.exit(EXIT_NO)


def verify(*, as_json: bool) -> None:
    """Hash every file and refuse unlisted ones."""
    folder = Settings().models_dir
    states = ledger.installed(folder)
    unlisted = None
    try:
        ledger.refuse_unlisted(folder)
    except ModelUnlisted as error:
        unlisted = str(error)
    bad = [
        model.name
        for model in ledger.LEDGER
        if states[model.name] == "changed" or (model.required and states[model.name] == "missing")
    ]
    if as_json:
        output.print_json(
            {"folder": str(folder), "states": dict(states), "unlisted": unlisted, "good": not bad and not unlisted}
        )
    else:
        output.print_table(("model", "state"), list(states.items()))
    if unlisted is not None:
        raise CommandError(unlisted)
    if bad:
        raise CommandError(f"Not usable: {', '.join(bad)}. Run `ipse models pull`.")


def _facts(model: ledger.ModelFile, state: str) -> dict[str, object]:
    return {
        "name": model.name,
        "state": state,
        "purpose": model.purpose,
        "required": model.required,
        "file": model.file,
        "bytes": model.bytes,
        "sha256": model.sha256,
        "licence": model.licence,
        "origin": vars(model.origin),
        "source_sha256": model.source_sha256,
        "input": model.input,
        "output": model.output,
        "trained_on": model.trained_on,
    }

"""The model files and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator

from ipse.biometrics import ledger
from ipse.biometrics.errors import ModelUnlisted
from ipse.cli.examinations.finding import Finding, fail, ok, warn
from ipse.settings import Settings


def examine(settings: Settings) -> Iterator[Finding]:
    """Hash every file; say which liveness engine will run."""
    folder = settings.models_dir
    states = ledger.installed(folder)
    changed = [name for name, state in states.items() if state == "changed"]
    missing = [model.name for model in ledger.LEDGER if model.required and states[model.name] == "missing"]
    try:
        ledger.refuse_unlisted(folder)
    except ModelUnlisted as error:
        yield fail("models", str(error), "Remove the file; only listed models are loaded.")
        return
    if changed:
        yield fail("models", f"changed: {', '.join(changed)}", f"Delete them in {folder} and run `ipse models pull`.")
    elif missing:
        yield fail("models", f"missing: {', '.join(missing)}", "Run `ipse models pull`.")
    else:
        count = sum(state == "ok" for state in states.values())
        yield ok("models", f"{count} of {len(ledger.LEDGER)} in {folder}, every SHA-256 right")
    yield _liveness([states[model.name] for model in ledger.LEDGER if not model.required])


def _liveness(states: list[str]) -> Finding:
    if all(state == "ok" for state in states):
        return ok("liveness engine", "MiniFASNet pair (not certified by an independent laboratory)")
    return warn(
        "liveness engine",
        "basic replay screening: weak, and live applications answer In Review on passive evidence alone",
        "Run `ipse models pull --which liveness`; without a network copy the files and add `--from DIR`.",
    )

"""The web pages that ``make web`` builds."""

from __future__ import annotations

from pathlib import Path

from ipse.cli.examinations.finding import Finding, fail, ok
from ipse.hosted.files import STATIC


def examine(folder: Path = STATIC) -> Finding:
    """Whether the page behind a session's link and the browser SDK are there to be served."""
    wanted = (folder / "capture" / "index.html", folder / "sdk" / "ipse.js")
    missing = [str(path.relative_to(folder)) for path in wanted if not path.is_file()]
    if missing:
        return fail("hosted page", f"not built: {', '.join(missing)} in {folder}", "Run `make web`.")
    return ok("hosted page", f"built, in {folder}")

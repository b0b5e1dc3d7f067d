"""Chromium as the tests drive it: found on this machine, with a camera that plays a file, and silent on the network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SWITCHES: Final = (
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PHONE: Final = (390, 844)
"""CSS pixels of a common phone held upright."""
LAPTOP: Final = (1280, 800)


class BrowserMissing(AssertionError):
    """There is no Chromium to drive."""


def executable() -> str:
    """The browser's program: ``IPSE_CHROMIUM``, or the first known name on the path. Raises ``BrowserMissing``."""
    chosen = os.environ.get("IPSE_CHROMIUM")
    if chosen:
        if not Path(chosen).is_file():
            raise BrowserMissing(f"IPSE_CHROMIUM names {chosen}, which is not there. Run make browser, or unset it.")
        return chosen
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise BrowserMissing(
            "There is no Chromium on this machine. Run make browser, or set IPSE_CHROMIUM=/path/to/it."
        )
    return found


def launch(playwright: Playwright, camera: Path | None) -> Browser:
    """Start Chromium whose only camera plays ``camera``; with None it has no camera.

    The permission is asked for as in real life: a context without ``camera`` in its permissions is denied.
    """
    switches = [*_SWITCHES]
    if camera is not None:
        switches += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    return playwright.chromium.launch(executable_path=executable(), headless=True, args=switches)


def device(
    browser: Browser,
    *,
    size: tuple[int, int] = PHONE,
    camera: bool = True,
    language: str = "en-US",
    dark: bool = False,
    still: bool = False,
) -> BrowserContext:
    """A device of its own: storage, window size in CSS pixels, language, colours; ``still``: reduced motion."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=language,
        permissions=["camera"] if camera else ["notifications"],
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce" if still else "no-preference",
    )
    context.set_default_timeout(60_000)
    return context

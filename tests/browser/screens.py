"""Photographs every screen of the hosted page into ``docs/screens``: ``python -m tests.browser.screens [SETTING …]``.

Run it after a change of the page and look at each picture. The camera shows a drawn person; nobody's face is stored.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PIL import Image
from playwright.sync_api import sync_playwright

from ipse.biometrics.engine import FaceEngine
from ipse.settings import Settings
from tests.browser.camera import LiveCamera
from tests.browser.chromium import LAPTOP, PHONE, device, launch
from tests.browser.site import Site, opened_site
from tests.browser.tour import Tour
from tests.services.databases import running_databases
from tests.services.receiver import running_receiver
from tests.services.server import running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screens"
_COLOURS: Final = 128
"""Enough for flat surfaces and small enough to keep in a repository."""

_ALL: Final = ()
SETTINGS: Final[Mapping[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "phone": ({"size": PHONE}, _ALL),
    "laptop": ({"size": LAPTOP}, ("purpose", "framing", "challenge-turn", "handoff", "result-approved")),
    "phone-dark": ({"size": PHONE, "dark": True}, ("purpose", "framing", "result-approved")),
    "phone-ar": (
        {"size": PHONE, "language": "ar"},
        ("purpose", "ready", "challenge-turn", "handoff", "result-approved"),
    ),
}
"""By name: the device, and which screens are kept of it."""


def main() -> None:
    settings = sys.argv[1:] or list(SETTINGS)
    FOLDER.mkdir(exist_ok=True)
    with _stage() as (site, camera, browser):
        for setting in settings:
            options, wanted = SETTINGS[setting]
            _photograph(site, camera, browser, setting, set(wanted), **options)


def _photograph(
    site: Site, camera: LiveCamera, browser: Browser, setting: str, wanted: set[str], **options: Any
) -> None:
    contexts: list[BrowserContext] = []

    def make(**more: Any) -> BrowserContext:
        contexts.append(device(browser, **{**options, **more}))
        return contexts[-1]

    for name, page in Tour(site, camera, make, language=options.get("language", "en")).stops():
        if wanted and name not in wanted:
            continue
        target = FOLDER / f"{name}.{setting}.png"
        target.write_bytes(_small(page.screenshot()))
        print(f"{target.relative_to(FOLDER.parents[1])}  {target.stat().st_size / 1024:.0f} kB", flush=True)
    for context in contexts:
        context.close()


def _small(png: bytes) -> bytes:
    picture = Image.open(BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    target = BytesIO()
    picture.save(target, "PNG", optimize=True)
    return target.getvalue()


@contextmanager
def _stage() -> Iterator[tuple[Site, LiveCamera, Browser]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ipse-screens-")))
        url = stack.enter_context(stack.enter_context(running_databases("sqlite", folder)).fresh(folder / "data"))
        settings = Settings(data_dir=folder / "data", database_url=url, log_level="WARNING")
        server = stack.enter_context(running_server(settings, FaceEngine.load(settings.models_dir)))
        site = opened_site(server, stack.enter_context(running_receiver()))
        camera = stack.enter_context(LiveCamera(folder / "camera.y4m"))
        browser = launch(stack.enter_context(sync_playwright()), camera.path)
        stack.callback(browser.close)
        yield site, camera, browser


if __name__ == "__main__":
    main()

"""What a person does on the hosted page with their hands: open the link, press buttons by the words on them."""

from __future__ import annotations

import json
import re
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image

from tests.browser.person import PATIENCE_S, Person, View, on

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_LOCALES: Final = Path(__file__).parents[2] / "web" / "capture" / "src" / "locales"
START: Final = {"PASSIVE": "ready.start", "ACTIVE_3D": "ready.start", "FLASHING": "ready.start_light"}


@cache
def words(language: str) -> dict[str, str]:
    """The page's texts in ``language``, by key; places for names and numbers are left open."""
    texts: dict[str, str] = json.loads((_LOCALES / f"{language}.json").read_text())
    return texts


def saying(key: str, language: str = "en") -> re.Pattern[str]:
    """Matches the text of ``key`` whatever stands in its places for names and numbers."""
    parts = re.split(r"\{\w+\}", words(language)[key])
    return re.compile(".+".join(re.escape(part) for part in parts))


class Visitor:
    """Somebody who uses one browser window."""

    def __init__(self, page: Page, *, language: str = "en") -> None:
        self.page = page
        self.language = language

    def open(self, url: str) -> Visitor:
        """Open a link; the page has read the session when this returns."""
        self.page.goto(url)
        self.sees("purpose", "ready", "handoff-number", "error", "result", "offline", "continue-elsewhere")
        return self

    def press(self, key: str) -> Visitor:
        """Press the button with the text of ``key``, in the dialog where one is open."""
        dialog = self.page.locator("dialog[open]")
        around = dialog if dialog.count() else self.page.locator("body")
        around.get_by_role("button", name=saying(key, self.language)).click()
        return self

    def go_on(self, method: str = "PASSIVE") -> Visitor:
        """From the purpose to the camera."""
        self.sees("purpose")
        self.press("common.continue")
        self.sees("ready")
        return self.press(START[method])

    def sees(self, *screens: str, timeout_s: float = PATIENCE_S) -> str:
        """Wait for one of these screens; return which one came."""
        wanted = ", ".join(f'main[data-screen="{screen}"]' for screen in screens)
        self.page.wait_for_selector(wanted, state="attached", timeout=timeout_s * 1000)
        return self.page.locator(wanted).get_attribute("data-screen") or ""

    def text(self, key: str) -> Locator:
        """Where the text of ``key`` is shown on the screen."""
        return self.page.locator("main").get_by_text(saying(key, self.language))

    def scan(self) -> str:
        """What a phone reads from the code on the screen."""
        shown = self.page.get_by_role("img", name=saying("handoff.qr", self.language)).screenshot()
        # Chromium's rounding may cut a row of the quiet zone; the display around it is bright.
        picture = np.pad(np.asarray(Image.open(BytesIO(shown)).convert("L")), 40, constant_values=255)
        read, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
        assert read, "the code cannot be read"
        return str(read)

    def done(self, person: Person, *, timeout_s: float = PATIENCE_S) -> View:
        """Let ``person`` act until the result is there; a second try or an error fails with the page's words."""
        view = person.watch(self.page, on("result", "retry", "error", "camera-problem"), timeout_s=timeout_s)
        assert view.screen == "result", self.page.locator("main").inner_text()
        return view

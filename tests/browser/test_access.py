"""Everybody can use every screen: no fault that axe knows, nothing cut off, by keyboard, without motion, in Arabic."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import LAPTOP, PHONE
from tests.browser.person import Person, on
from tests.browser.tour import Tour
from tests.browser.visitor import START, Visitor, saying

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Page

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn

pytestmark = pytest.mark.models

SCREENS = {
    "loading", "purpose", "ready", "camera-problem", "framing", "challenge", "uploading", "checking", "retry", "result",
    "handoff", "handoff-waiting", "handoff-number", "continue-elsewhere", "cancelled", "error", "offline",
}  # fmt: skip
SMALLEST = (320, 568)
"""CSS pixels: the narrowest phone in use, and a laptop at 400 % zoom (WCAG 1.4.10)."""

_AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_FAULTS = """
async () => {
  const found = await axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } });
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}`
    + ` ${node.failureSummary}`));
}
"""
_CUT_OFF = """
() => {
  const wide = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
  const outside = [...document.querySelectorAll("h1, h2, p, button, input, .panel")].filter((element) => {
    const box = element.getBoundingClientRect();
    const beyond = box.left < -0.5 || box.right > innerWidth + 0.5 || element.scrollWidth > element.clientWidth + 1;
    return box.width > 1 && beyond;
  });
  const small = [...document.querySelectorAll("button, select")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.height > 0 && (box.height < 47.5 || box.width < 47.5);
  });
  return [...wide, ...outside.map((one) => `outside: ${one.outerHTML.slice(0, 160)}`),
          ...small.map((one) => `small: ${one.outerHTML.slice(0, 160)}`)];
}
"""
_MOVING = """
() => document.getAnimations().filter((one) => one.playState === "running")
  .map((one) => one.animationName ?? one.transitionProperty)
"""


@pytest.mark.parametrize(
    ("language", "size", "dark"), [("en", PHONE, False), ("ar", SMALLEST, True)], ids=["English, light", "Arabic, dark"]
)
def test_axe_finds_nothing_and_nothing_is_cut_off_on_any_screen(
    site: Site, device: MakeDevice, camera: LiveCamera, language: str, size: tuple[int, int], dark: bool
) -> None:
    make = partial(device, size=size, dark=dark, language=language)
    faults: dict[str, list[str]] = {}
    seen = set()
    for name, page in Tour(site, camera, make, language).stops():
        seen.add(page.locator("main").get_attribute("data-screen"))
        faults[name] = [*_axe_faults(page), *page.evaluate(_CUT_OFF)]
        facing = page.evaluate("[document.documentElement.lang, document.documentElement.dir || 'ltr']")
        if name != "loading":  # the language is known with the session
            assert facing == [language, "rtl" if language == "ar" else "ltr"], name
    assert {name: found for name, found in faults.items() if found} == {}
    assert seen == SCREENS


def test_arrow_points_where_the_person_shall_turn_in_every_language(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    page = device(language="ar").new_page()
    visitor = Visitor(page, language="ar")
    visitor.open(site.step_up(portraits["obama_2"], method="ACTIVE_3D").url).go_on("ACTIVE_3D")
    with Person(camera, obama) as person:
        view = person.watch(page, lambda view: (view.phase or "").startswith("turn"))
        oval = page.locator(".oval").bounding_box()
        arrow = page.locator(".arrow").bounding_box()
    assert oval is not None
    assert arrow is not None
    aside = arrow["x"] + arrow["width"] / 2 - (oval["x"] + oval["width"] / 2)
    below = arrow["y"] + arrow["height"] / 2 - (oval["y"] + oval["height"] / 2)
    # As in a mirror: the person's own left is on the left.
    pointing = {"turn-left": aside < 0, "turn-right": aside > 0, "turn-up": below < 0, "turn-down": below > 0}
    assert pointing[view.phase or ""], (view.phase, aside, below)


def test_keyboard_alone_completes_a_step_up(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    page = device(size=LAPTOP).new_page()
    visitor = Visitor(page).open(site.step_up(portraits["obama_2"]).url)
    for screen, key in (("purpose", "common.continue"), ("ready", START["PASSIVE"])):
        visitor.sees(screen)
        _tab_to(page, key)
        page.keyboard.press("Enter")
    with Person(camera, obama) as person:
        assert visitor.done(person).result == "approved"
    assert page.evaluate("document.activeElement.tagName") == "H1", "the result is read out"


def test_dialog_keeps_the_focus_inside_and_escape_closes_it(
    site: Site, device: MakeDevice, portraits: Mapping[str, bytes]
) -> None:
    page = device(size=LAPTOP).new_page()
    Visitor(page).open(site.step_up(portraits["obama_2"]).url)
    _tab_to(page, "purpose.not_me")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent").strip() == saying("purpose.not_me").pattern.replace(
        "\\", ""
    )


def test_nothing_moves_for_people_who_asked_for_less_motion(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    page = device(still=True).new_page()
    visitor = Visitor(page).open(site.step_up(portraits["obama_2"], method="ACTIVE_3D").url).go_on("ACTIVE_3D")
    moving: dict[str, list[str]] = {}
    with Person(camera, obama) as person:
        for screen in ("framing", "challenge", "uploading", "result"):
            person.watch(page, on(screen, "checking", "result"))
            moving[screen] = page.evaluate(_MOVING)
        assert visitor.done(person).result is not None
    assert {screen: names for screen, names in moving.items() if names} == {}


@cache
def _axe() -> str:
    return _AXE.read_text()


def _axe_faults(page: Page) -> list[Any]:
    page.evaluate(_axe())
    found: list[Any] = page.evaluate(_FAULTS)
    return found


def _tab_to(page: Page, key: str) -> None:
    """Press Tab until the button with the text of ``key`` has the focus."""
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.textContent.trim()")
        if focused.startswith("BUTTON") and saying(key).search(focused):
            return
    raise AssertionError(f"no way to {key} by Tab")

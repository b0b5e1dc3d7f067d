"""The page talks to its own server and to nobody else, and leaves only a random id behind (docs/devices.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.browser import chromium
from tests.browser.person import Person
from tests.browser.visitor import Visitor
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn

pytestmark = pytest.mark.models

_LEFT_BEHIND = """
async () => [...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie,
  ...(await indexedDB.databases()).map((one) => one.name), ...(await caches.keys())].filter(Boolean)
"""


def test_step_up_asks_our_own_server_alone_and_leaves_nothing_but_the_id_of_the_device(
    site: Site, device: MakeDevice, watch: Watch, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    context = device()
    visitor = Visitor(context.new_page()).open(site.step_up(portraits["obama_2"]).url).go_on()
    with Person(camera, obama) as person:
        visitor.done(person)
    asked = [urlsplit(url) for url in watch.requests if not url.startswith(("blob:", "data:"))]
    assert {f"{url.scheme}://{url.netloc}" for url in asked} == {site.url}
    assert any(url.path.startswith("/hosted/capture/guidance/models/") for url in asked), "the guidance is ours too"
    assert visitor.page.evaluate(_LEFT_BEHIND) == ["ipse.device"] * 2, "in localStorage and in IndexedDB"
    assert context.cookies() == []


def test_policy_stops_a_script_that_would_talk_to_others_and_the_watch_sees_it(
    site: Site, browser: Browser, portraits: Mapping[str, bytes]
) -> None:
    watching = Watch({site.url})
    context = chromium.device(browser)
    watching.over(context)
    page = context.new_page()
    Visitor(page).open(site.step_up(portraits["obama_2"]).url)
    watching.check()
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        refused = page.evaluate("fetch('https://example.org/').then(() => false, () => true)")
    assert refused
    with pytest.raises(AssertionError, match=r"Content-Security-Policy"):
        watching.check()
    context.close()

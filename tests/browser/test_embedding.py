"""The page inside another site: the messages of the contract (file 80, section 3), in the right order, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.browser.embedder import running_embedder
from tests.browser.person import Person, on
from tests.browser.site import Opened
from tests.browser.visitor import START, saying

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Frame, Page, Route

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn
    from tests.browser.watch import Watch

pytestmark = pytest.mark.models

_EARLIER = (
    "didit:ready",
    "didit:started",
    "didit:media_started",
    "didit:media_captured",
    "didit:verification_submitted",
)


@pytest.fixture
def shop(watch: Watch) -> Iterator[str]:
    """The address of a site that embeds the page."""
    with running_embedder() as url:
        watch.allowed.add(url)
        yield url


def test_embedded_page_completes_exactly_once_before_it_leaves(
    site: Site, device: MakeDevice, shop: str, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"], callback=f"{shop}/done?order=7&sig=a%2Fb")
    page = device().new_page()
    leaving: list[Route] = []
    page.route(f"{shop}/done*", lambda route: leaving.append(route))
    inside = _embedded(shop, page, session)
    inside.get_by_role("button", name=saying("common.continue")).click()
    inside.get_by_role("button", name=saying(START["PASSIVE"])).click()
    with Person(camera, obama) as person, page.expect_request(f"{shop}/done*"):
        person.watch(inside, on("result"))

    # The redirect waits for an answer: what the page around has heard by now came before it.
    heard: list[dict[str, Any]] = page.evaluate("window.heard")
    kinds = [message["type"] for message in heard]
    assert kinds.count("didit:completed") == 1
    completed = heard[kinds.index("didit:completed")]
    assert completed["data"] == {"sessionId": session.session_id, "status": "Approved"}
    for earlier in _EARLIER:
        assert kinds.index(earlier) < kinds.index("didit:completed"), kinds
    assert {message["origin"] for message in heard} == {site.url}

    left_for = leaving[0].request.url
    assert left_for.startswith(f"{shop}/done?order=7&sig=a%2Fb&"), "the integrator's own query stays as it is"
    query = parse_qs(urlsplit(left_for).query)
    assert (query["verificationSessionId"], query["status"]) == ([session.session_id], ["Approved"])
    leaving[0].fulfill(content_type="text/html", body="<!doctype html><title>Done</title><h1>Thank you</h1>")
    page.frame_locator("#ipse").get_by_role("heading", name="Thank you").wait_for()
    assert [message["type"] for message in page.evaluate("window.heard")].count("didit:completed") == 1
    assert page.url.startswith(f"{shop}/?show="), "the page around is not navigated"


def test_person_who_leaves_an_embedded_page_is_told_as_cancelled(
    site: Site, device: MakeDevice, shop: str, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"])
    page = device().new_page()
    inside = _embedded(shop, page, session)
    inside.get_by_role("button", name=saying("purpose.not_me")).click()
    inside.get_by_role("button", name=saying("not_me.confirm")).click()
    inside.wait_for_selector('main[data-screen="cancelled"]')
    page.wait_for_function("() => window.heard.some((message) => message.type === 'didit:cancelled')")
    cancelled = [message for message in page.evaluate("window.heard") if message["type"] == "didit:cancelled"]
    assert [message["data"]["sessionId"] for message in cancelled] == [session.session_id]


def test_unknown_link_in_a_frame_is_told_as_an_error(site: Site, device: MakeDevice, shop: str) -> None:
    page = device().new_page()
    _embedded(shop, page, Opened("", "AAAAAAAAAAAA", f"{site.url}/session/AAAAAAAAAAAA"))
    page.wait_for_function("() => window.heard.some((message) => message.type === 'didit:error')")


def _embedded(shop: str, page: Page, session: Opened) -> Frame:
    """Open the shop with the session's page in a frame; return the frame."""
    page.goto(f"{shop}/?{urlencode({'show': session.url})}")
    inside = page.frame(url=session.url)
    assert inside is not None, [frame.url for frame in page.frames]
    return inside

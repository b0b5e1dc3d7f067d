"""The SDK on somebody else's site: opens the page over it, hears how it ended once, cleans up, tells a device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import LAPTOP
from tests.browser.person import Person, on
from tests.browser.visitor import START, saying

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Frame, Page

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Opened, Site
    from tests.browser.subjects import Drawn
    from tests.browser.watch import Watch

pytestmark = pytest.mark.models

_PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<button id="pay">Pay</button><div id="inline"></div>
<script src="{site}/sdk/ipse.iife.js"></script>
<script nonce="n">
window.heard = []; window.results = [];
const sdk = Ipse.DiditSdk.shared;
sdk.onEvent = (event) => window.heard.push(event.type);
sdk.onComplete = (result) => window.results.push(result);
document.getElementById("pay").onclick = () =>
  sdk.startVerification({{ url: "{url}", configuration: {{ mode: "{mode}", embeddedContainerId: "inline" }} }});
</script>"""

_COLLECT = {
    "ipse.iife.js": "(async () => [...await Promise.all([sdk.device(), Ipse.IpseSdk.device()]), await sdk.device()])()",
    "ipse.js": "import('{site}/sdk/ipse.js').then(async ({{ IpseSdk }}) =>"
    " [...await Promise.all([IpseSdk.device(), IpseSdk.shared.device()]), await IpseSdk.device()])",
}
"""For each build: two calls side by side, then a third."""

Shop = Callable[[str, str, str], str]
"""Address of the site, address of a session and mode in; address of a page of the shop out."""


@pytest.fixture
def shop(watch: Watch) -> Iterator[Shop]:
    """A shop with another host name and port than the page's, and a policy that allows nothing inline."""
    served: dict[str, tuple[str, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, policy = served.get(self.path, ("", "default-src 'none'"))
            self.send_response(200 if body else 204)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-security-policy", policy)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://localhost:{server.server_port}"
        watch.allowed.add(address)

        def page(site: str, url: str, mode: str) -> str:
            policy = f"default-src 'none'; script-src {site} 'nonce-n'; frame-src {site}"
            served["/"] = (_PAGE.format(site=site, url=url, mode=mode), policy)
            return f"{address}/"

        yield page
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("mode", ["modal", "inline"])
def test_verification_in_the_sdk_ends_with_one_result_under_a_strict_policy_of_the_site(
    site: Site, device: MakeDevice, shop: Shop, camera: LiveCamera, obama: Drawn,
    portraits: Mapping[str, bytes], mode: str,
) -> None:  # fmt: skip
    session = site.step_up(portraits["obama_2"])
    page = device().new_page()
    inside = _opened(page, shop, site, session, mode)
    inside.get_by_role("button", name=saying("common.continue")).click()
    inside.get_by_role("button", name=saying(START["PASSIVE"])).click()
    with Person(camera, obama) as person:
        person.watch(inside, on("result"))
    page.wait_for_function("() => window.results.length > 0")
    if mode == "modal":
        page.get_by_role("button", name="Close", exact=True).click()
        page.locator("iframe").wait_for(state="detached")
        assert page.evaluate("document.activeElement.id") == "pay", "the focus is back where it was"
        assert page.evaluate("document.documentElement.style.overflow") == ""
    assert page.evaluate("window.results") == [
        {"type": "completed", "session": {"sessionId": session.session_id, "status": "Approved"}}
    ]
    heard: list[str] = page.evaluate("window.heard")
    assert heard.index("didit:ready") < heard.index("didit:verification_submitted") < heard.index("didit:completed")


def test_leaving_the_modal_is_asked_about_and_then_reported_as_cancelled(
    site: Site, device: MakeDevice, shop: Shop, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"])
    page = device(language="de-DE").new_page()
    _opened(page, shop, site, session, "modal").locator('main[data-screen="purpose"]').wait_for()
    question = page.get_by_role("alertdialog", name="Prüfung verlassen?")
    page.get_by_role("button", name="Schließen", exact=True).click()
    question.wait_for()
    page.keyboard.press("Escape")
    question.wait_for(state="detached")
    # Chromium closes a dialog for good on the second Escape unless the key itself is held back.
    page.keyboard.press("Escape")
    question.wait_for()
    assert page.evaluate("window.results") == []
    page.get_by_role("button", name="Verlassen", exact=True).click()
    page.locator("iframe").wait_for(state="detached")
    results: list[dict[str, Any]] = page.evaluate("window.results")
    assert [(one["type"], one["session"]["sessionId"]) for one in results] == [("cancelled", session.session_id)]


def test_page_behind_the_modal_cannot_be_reached(
    site: Site, device: MakeDevice, shop: Shop, portraits: Mapping[str, bytes]
) -> None:
    page = device().new_page()
    _opened(page, shop, site, site.step_up(portraits["obama_2"]), "modal")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") != "pay"
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"


@pytest.mark.parametrize("build", ["ipse.iife.js", "ipse.js"])
def test_the_device_of_a_page_of_another_origin_is_told_and_asked_about_before_a_face(
    site: Site, device: MakeDevice, shop: Shop, watch: Watch, build: str
) -> None:
    page = device(size=LAPTOP).new_page()
    page.goto(shop(site.url, "", "modal"))
    assert f"{site.url}/sdk/device.js" not in watch.requests, "it is loaded when somebody asks"
    collect = _COLLECT[build].format(site=site.url)
    first, beside, again = page.evaluate(collect)
    assert first["persistent_id"] == first["report"]["persistent_id"]
    assert beside["persistent_id"] == again["persistent_id"] == first["persistent_id"]
    assert again["report"]["persistent_stores"] == 2, "kept for the shop's own origin"
    assert first["report"]["digests"]["canvas"], "by the collector of the hosted page"
    page.reload()
    returned = page.evaluate(collect)[0]
    assert returned["persistent_id"] == first["persistent_id"]

    person = f"payer of {build}"
    assert site.client.post("/v3/users/create/", json={"vendor_data": person}).is_success
    for told in (first, returned):
        asked = {
            "action": {"type": "transfer", "amount": "20", "currency": "EUR"},
            "vendor_data": person,
            "device": told,
        }
        answer = site.client.post("/v3/step-up/evaluate/", json=asked)
        assert answer.status_code == 200, answer.text
    known = site.client.get(f"/v3/users/{person}/devices/").json()
    assert [one["times_seen"] for one in known] == [2], "one device, seen twice"


def test_a_page_that_cannot_load_the_collecting_part_has_no_device_and_a_face_is_asked_for(
    site: Site, device: MakeDevice, shop: Shop
) -> None:
    page = device().new_page()
    page.goto(shop(site.url, "", "modal"))
    page.context.route("**/sdk/device.js", lambda route: route.abort())
    told = page.evaluate("sdk.device()")
    assert told is None
    asked = {"action": {"type": "transfer", "amount": "20", "currency": "EUR"}, "vendor_data": "payer", "device": told}
    answer = site.client.post("/v3/step-up/evaluate/", json=asked)
    assert (answer.status_code, answer.json()["answer"]) == (200, "step_up")


def _opened(page: Page, shop: Shop, site: Site, session: Opened, mode: str) -> Frame:
    """Open the shop and press its button; return the frame with the session's page."""
    page.goto(shop(site.url, session.url, mode))
    page.get_by_role("button", name="Pay").click()
    page.wait_for_selector("iframe")
    page.frame_locator("iframe").locator("main").wait_for()
    inside = page.frame(url=session.url)
    assert inside is not None
    return inside

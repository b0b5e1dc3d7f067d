"""The page describes its device in a real browser, and a device is recognised although its storage was cleared."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import LAPTOP
from tests.browser.site import TRANSFER
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Page

    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site

pytestmark = pytest.mark.models

_CLEAR = """
async () => {
  localStorage.clear();
  for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
}
"""


def visit(site: Site, page: Page, person: str, portrait: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Start a session of ``person`` in a page; return what was reported, and the address report of the decision."""
    reference = base64.b64encode(portrait).decode()
    session = site.session("wf_ip_gated_step_up", vendor_data=person, portrait_image=reference, metadata=TRANSFER)
    with page.expect_request(lambda request: request.url.endswith("/v1/capture/start/")) as started:
        Visitor(page).open(session.url).go_on()
    told = json.loads(started.value.post_data or "{}")
    report = site.decision(session)["ip_analyses"][0]
    # An unfinished session would be handed out again.
    ended = site.client.post("/v1/capture/cancel/", headers={"Session-Token": session.token}, json={"reason": "not_me"})
    assert ended.json()["status"] == "Declined", ended.text
    return told["device"], report


def test_a_known_device_is_recognised_after_its_storage_was_cleared(
    site: Site, device: MakeDevice, portraits: Mapping[str, bytes]
) -> None:
    page, face = device(size=LAPTOP).new_page(), portraits["obama_2"]
    first, before = visit(site, page, "returning", face)
    again, _ = visit(site, page, "returning", face)
    assert again["persistent_id"] == first["persistent_id"]
    assert again["persistent_stores"] == 2

    page.evaluate("localStorage.clear()")
    healed, _ = visit(site, page, "returning", face)
    assert healed["persistent_id"] == first["persistent_id"], "IndexedDB had it still"
    assert healed["persistent_healed"] is True

    page.evaluate(_CLEAR)
    cleared, after = visit(site, page, "returning", face)
    assert cleared["persistent_id"] != first["persistent_id"]
    assert after["device_fingerprint"] == before["device_fingerprint"]
    risks = {warning["risk"]: warning for warning in after["warnings"]}
    recovered = risks["DEVICE_RECOVERED_HIGH_CONFIDENCE"]["additional_data"]
    assert recovered["recovery_match_similarity"] >= 0.95


def test_a_driven_browser_without_a_graphics_card_is_seen_for_what_it_is(
    site: Site, device: MakeDevice, portraits: Mapping[str, bytes]
) -> None:
    page = device(size=LAPTOP).new_page()
    told, report = visit(site, page, "robot", portraits["obama_2"])
    assert told["webdriver"] is True
    assert told["time_zone"]
    assert told["digests"]["canvas"]
    assert told["digests"]["fonts"]
    assert told["hints"]["platform"] == "Linux"
    assert "AUTOMATION_FRAMEWORK_DETECTED" in {warning["risk"] for warning in report["warnings"]}
    assert len(json.dumps({"device": told})) < 8_000

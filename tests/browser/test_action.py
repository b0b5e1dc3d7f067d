"""In a real browser: the person reads the whole action, shows their face for it, and reads the code that it earned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.browser.camera import LiveCamera
from tests.browser.person import Person
from tests.browser.site import TRUSTING, Opened, Site
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from tests.browser.conftest import MakeDevice
    from tests.browser.subjects import Drawn

pytestmark = pytest.mark.models

ACTION: Final[dict[str, Any]] = {
    "type": "transfer",
    "amount": "1250.00",
    "currency": "EUR",
    "payee": "ACME GmbH",
    "account": "DE89 3704 0044 0532 3421",
    "reference": "Invoice 7",
    "details": {"Execution": "today"},
}
_AXE: Final = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def post(site: Site, path: str, **body: Any) -> dict[str, Any]:
    answer = site.client.post(f"/v3/{path}", json=body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def faults(visitor: Visitor) -> list[str]:
    """What axe finds wrong with the screen."""
    found: dict[str, Any] = visitor.page.evaluate(_AXE.read_text() + "; axe.run(document)")
    return [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found["violations"]]


def test_the_person_reads_the_action_and_the_code_and_the_code_approves_it_once(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn
) -> None:
    workflow = site.workflow("LIVENESS", **TRUSTING)
    started = post(site, "step-up/otp/start/", vendor_data="otp-1", action=ACTION, workflow=workflow)
    visitor = Visitor(device().new_page()).open(started["url"])
    screen = visitor.page.locator("main")
    for line in ("Confirm transfer", "1,250.00\u00a0EUR", "ACME GmbH", "3421", "Invoice 7", "Execution", "today"):
        assert line in screen.inner_text()
    assert "DE89" not in visitor.page.content(), "the page has the end of the account and no more"
    assert faults(visitor) == []
    visitor.go_on()
    with Person(camera, obama) as person:
        assert visitor.done(person).result == "approved"
    shown = visitor.page.locator(".number.code > [aria-hidden]").inner_text()
    assert faults(visitor) == []
    visitor.page.reload()
    visitor.sees("result")
    assert visitor.page.locator(".number.code > [aria-hidden]").inner_text() == shown, "a reload shows it again"
    checked = post(site, "step-up/otp/check/", id=started["id"], code=shown)
    assert (checked["status"], checked["valid"]) == ("approved", True)
    assert checked["verdict"]["claims"]["act"] == started["action_hash"]
    assert post(site, "step-up/otp/check/", id=started["id"], code=shown)["valid"] is False


def test_an_action_that_changes_before_the_camera_opens_is_shown_before_the_person_goes_on(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn
) -> None:
    workflow = site.workflow("LIVENESS", **TRUSTING)
    session = site.session(workflow, vendor_data="changing-1", action=ACTION)
    visitor = Visitor(device().new_page()).open(session.url)
    changed = post(
        site, "session/", workflow_id=workflow, vendor_data="changing-1", action={**ACTION, "amount": "9900.00"}
    )
    assert changed["session_id"] == session.session_id
    visitor.press("common.continue")
    visitor.page.get_by_text("9,900.00\u00a0EUR").first.wait_for()
    visitor.sees("purpose")
    visitor.go_on()
    with Person(camera, obama) as person:
        assert visitor.done(person).result == "approved"
    approved = Opened(session.session_id, session.token, session.url)
    assert site.decision(approved)["action"]["amount"] == "9900"
    token = post(site, "step-up/verdict/", session_id=session.session_id)["token"]
    refused = site.client.post("/v3/step-up/redeem/", json={"token": token, "action": ACTION})
    assert refused.json()["error_code"] == "ACTION_MISMATCH"
    assert post(site, "step-up/redeem/", token=token, action={**ACTION, "amount": "9900"})["valid"] is True

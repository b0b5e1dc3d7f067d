"""The main job in a real browser: a person enrols, and later confirms an action with their face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ipse.decision.signal_catalogue import problems_of
from tests.browser.camera import LiveCamera
from tests.browser.chromium import launch
from tests.browser.person import TURNS, Person, on
from tests.browser.site import TRANSFER, WARY, risks, told
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from playwright.sync_api import Playwright

    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn

pytestmark = pytest.mark.models


def test_enrolled_person_confirms_a_transfer_and_the_signed_webhook_says_so(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn
) -> None:
    visitor = Visitor(device().new_page())
    with Person(camera, obama) as person:
        enrolment = site.enrolment("customer-1")
        visitor.open(enrolment.url).go_on()
        assert visitor.done(person).result == "approved"
        step_up = site.step_up(person="customer-1")
        visitor.open(step_up.url).go_on()
        assert visitor.done(person).result == "approved"
    for session in (enrolment, step_up):
        webhook = site.receiver.wait_for_status(session.session_id, "Approved")
        assert webhook.signed_by(site.secret)
    decision = site.decision(step_up)
    assert decision["face_matches"][0]["source_image_session_id"] == enrolment.session_id


def test_another_face_is_declined(
    site: Site, device: MakeDevice, camera: LiveCamera, biden: Drawn, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"], face_match_max_attempts=1)
    visitor = Visitor(device().new_page()).open(session.url).go_on()
    with Person(camera, biden) as person:
        assert visitor.done(person).result == "declined"
    assert site.receiver.wait_for_status(session.session_id, "Declined").signed_by(site.secret)
    assert "LOW_FACE_MATCH_SIMILARITY" in risks(site.decision(session))


@pytest.mark.parametrize("method", ["PASSIVE", "ACTIVE_3D", "FLASHING"])
def test_living_person_is_approved_by_each_method(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes], method: str
) -> None:
    session = site.step_up(portraits["obama_2"], method=method, **WARY)
    visitor = Visitor(device().new_page()).open(session.url).go_on(method)
    with Person(camera, obama) as person:
        view = visitor.done(person)
    decision = site.decision(session)
    assert view.result == "approved", told(decision)
    assert decision["liveness_checks"][0]["method"] == method
    assert problems_of(decision["signals"]) == ()
    assert len(decision["signals"]) >= 180, "a public address and contact details would add some seventy"
    shown = {view.phase for view in person.seen if view.phase is not None}
    asked = {"PASSIVE": set(), "ACTIVE_3D": set(TURNS), "FLASHING": {"colours"}}[method]
    assert bool(shown & asked) == bool(asked), shown


def test_purpose_names_the_amount_and_the_payee_and_the_result_shows_no_score(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    visitor = Visitor(device().new_page()).open(site.step_up(portraits["obama_2"]).url)
    shown = visitor.page.locator("main").inner_text()
    for part in ("1,250.00", TRANSFER["payee"], "3421"):
        assert part in shown
    assert "DE89" not in shown
    visitor.go_on()
    with Person(camera, obama) as person:
        person.watch(visitor.page, on("result"))
    assert "%" not in visitor.page.locator("main").inner_text()


@pytest.mark.parametrize(("action", "result"), [(None, "declined"), ("NO_ACTION", "approved")])
def test_virtual_camera_is_told_in_the_report_and_the_workflow_decides_what_follows(
    site: Site,
    device: MakeDevice,
    playwright: Playwright,
    tmp_path: Path,
    obama: Drawn,
    portraits: Mapping[str, bytes],
    action: str | None,
    result: str,
) -> None:
    settings: dict[str, Any] = {"virtual_camera_action": action} if action else {}
    session = site.step_up(portraits["obama_2"], trusting=False, face_liveness_max_attempts=1, **settings)
    with LiveCamera(tmp_path / "OBS Virtual Camera.y4m") as virtual:
        browser = launch(playwright, virtual.path)
        visitor = Visitor(device(browser=browser).new_page()).open(session.url).go_on()
        with Person(virtual, obama) as person:
            assert visitor.done(person).result == result
        browser.close()
    decision = site.decision(session)
    assert "VIRTUAL_CAMERA_DETECTED" in risks(decision)
    signals = decision["liveness_checks"][0]["evidence"]["parts"]["injection"]["signals"]
    assert "virtual_camera" in {signal["name"] for signal in signals}

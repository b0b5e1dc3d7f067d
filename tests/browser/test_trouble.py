"""What goes wrong in real life ends well: no camera, a reload, a lost line, a link that is old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.embedder import running_embedder
from tests.browser.person import Person, on
from tests.browser.visitor import Visitor
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session_blocking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Playwright

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn
    from tests.browser.watch import Watch

pytestmark = pytest.mark.models


def test_denied_camera_shows_how_to_allow_it_and_another_way(
    site: Site, device: MakeDevice, portraits: Mapping[str, bytes]
) -> None:
    visitor = Visitor(device(camera=False).new_page()).open(site.step_up(portraits["obama_2"]).url).go_on()
    visitor.sees("camera-problem")
    assert visitor.text("camera.title.denied").is_visible()
    assert visitor.text("camera.denied.chrome").is_visible()
    visitor.press("common.another_way")
    visitor.page.get_by_role("dialog").wait_for()
    visitor.press("ways.phone").sees("handoff")


def test_computer_without_a_camera_offers_the_phone(
    site: Site, device: MakeDevice, playwright: Playwright, portraits: Mapping[str, bytes]
) -> None:
    from tests.browser.chromium import launch

    bare = launch(playwright, None)
    try:
        visitor = Visitor(device(browser=bare).new_page()).open(site.step_up(portraits["obama_2"]).url).go_on()
        visitor.sees("camera-problem")
        assert visitor.text("camera.title.none").is_visible()
    finally:
        bare.close()


def test_reload_in_the_middle_of_a_challenge_resumes_and_costs_no_try(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"], method="ACTIVE_3D")
    before = site.state(session)["step"]["attempts_left"]
    visitor = Visitor(device().new_page()).open(session.url).go_on("ACTIVE_3D")
    with Person(camera, obama) as person:
        person.watch(visitor.page, lambda view: (view.phase or "").startswith("turn"))
        visitor.page.reload()
        visitor.sees("purpose", "ready")
        assert site.state(session)["step"]["attempts_left"] == before
        visitor.go_on("ACTIVE_3D")
        assert visitor.done(person).result == "approved"


def test_line_lost_after_the_picture_loses_nothing(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"])
    context = device()
    visitor = Visitor(context.new_page()).open(session.url).go_on()
    with Person(camera, obama) as person:
        person.watch(visitor.page, on("framing"))
        context.set_offline(True)
        person.watch(visitor.page, on("uploading"))
        visitor.text("uploading.waiting").wait_for()
        context.set_offline(False)
        assert visitor.done(person).result == "approved"
    assert "framing" not in [view.screen for view in person.seen[_first(person, "uploading") :]]


def test_person_who_says_it_was_not_them_ends_the_action(
    site: Site, device: MakeDevice, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"])
    visitor = Visitor(device().new_page()).open(session.url)
    visitor.press("purpose.not_me").press("not_me.back")
    assert visitor.sees("purpose")
    visitor.press("purpose.not_me").press("not_me.confirm")
    visitor.sees("cancelled")
    assert visitor.text("cancelled.title.not_me").is_visible()
    webhook = site.receiver.wait_for_status(session.session_id, "Declined")
    assert webhook.signed_by(site.secret)
    assert site.decision(session)["status"] == "Declined"


def test_equal_way_without_a_face_is_one_tap_from_a_blocked_camera(
    site: Site, device: MakeDevice, watch: Watch, portraits: Mapping[str, bytes]
) -> None:
    with running_embedder() as elsewhere:
        watch.allowed.add(elsewhere)
        session = site.step_up(portraits["obama_2"], non_biometric_alternative_url=f"{elsewhere}/desk?case=7")
        visitor = Visitor(device(camera=False).new_page()).open(session.url).go_on()
        visitor.sees("camera-problem")
        visitor.press("common.another_way").press("ways.alternative")
        visitor.page.wait_for_url(f"{elsewhere}/desk?case=7&verificationSessionId={session.session_id}&status=*")


def test_unknown_link_says_so_and_finished_session_shows_its_result(site: Site, device: MakeDevice) -> None:
    visitor = Visitor(device().new_page())
    visitor.open(f"{site.url}/session/AAAAAAAAAAAA")
    assert visitor.sees("error")
    assert visitor.text("error.title.unknown_link").is_visible()
    finished = site.scenario(sandbox_scenario="decline_face_match_low_similarity")
    finish_session_blocking(site.client, finished.token, [flat_jpeg()])
    visitor.open(finished.url)
    assert visitor.sees("result")
    assert visitor.text("result.title.declined").is_visible()


def _first(person: Person, screen: str) -> int:
    return next(number for number, view in enumerate(person.seen) if view.screen == screen)

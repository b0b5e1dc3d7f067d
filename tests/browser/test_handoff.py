"""From the desktop to the phone: one link, one number on both screens, and nobody is left waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import LAPTOP
from tests.browser.person import Person
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn

pytestmark = pytest.mark.models


def offered(desktop: Visitor) -> str:
    """Ask for the phone on ``desktop``; the link that its code carries."""
    desktop.press("common.another_way").press("ways.phone").sees("handoff")
    link = desktop.scan()
    assert "/h/" in link
    return link


def test_phone_finishes_what_the_desktop_began_and_both_say_so(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    session = site.step_up(portraits["obama_2"])
    desktop = Visitor(device(size=LAPTOP, camera=False).new_page()).open(session.url)
    phone = Visitor(device().new_page()).open(offered(desktop))
    assert phone.sees("handoff-number")
    desktop.sees("handoff-waiting")
    numbers = {visitor.page.locator(".number").inner_text() for visitor in (desktop, phone)}
    assert len(numbers) == 1, "both screens show the same number"
    phone.press("handoff_number.yes")
    desktop.sees("continue-elsewhere")
    if phone.sees("purpose", "ready") == "purpose":
        phone.press("common.continue")
    phone.press("ready.start")
    with Person(camera, obama) as person:
        assert phone.done(person).result == "approved"
    assert phone.text("result.second_device").is_visible()
    assert desktop.sees("result")
    assert desktop.page.locator("[data-result]").get_attribute("data-result") == "approved"


def test_link_of_a_hand_off_works_once(site: Site, device: MakeDevice, portraits: Mapping[str, bytes]) -> None:
    desktop = Visitor(device(size=LAPTOP).new_page()).open(site.step_up(portraits["obama_2"]).url)
    link = offered(desktop)
    first = Visitor(device().new_page()).open(link)
    assert first.sees("handoff-number")
    second = Visitor(device().new_page()).open(link)
    assert second.sees("error")


def test_wrong_number_gives_the_session_back_to_the_desktop(
    site: Site, device: MakeDevice, portraits: Mapping[str, bytes]
) -> None:
    desktop = Visitor(device(size=LAPTOP).new_page()).open(site.step_up(portraits["obama_2"]).url)
    phone = Visitor(device().new_page()).open(offered(desktop))
    phone.sees("handoff-number")
    phone.press("handoff_number.no")
    phone.sees("continue-elsewhere", "error", "cancelled")
    assert desktop.sees("purpose", "ready")


def test_desktop_can_go_on_by_itself(
    site: Site, device: MakeDevice, camera: LiveCamera, obama: Drawn, portraits: Mapping[str, bytes]
) -> None:
    desktop = Visitor(device(size=LAPTOP).new_page()).open(site.step_up(portraits["obama_2"]).url)
    offered(desktop)
    desktop.press("handoff.here")
    if desktop.sees("purpose", "ready") == "purpose":
        desktop.press("common.continue")
    desktop.press("ready.start")
    with Person(camera, obama) as person:
        assert desktop.done(person).result == "approved"

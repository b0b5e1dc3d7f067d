"""One hint at a time, the right one, and whoever does what it says gets through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.person import Person, hinted, mend
from tests.browser.subjects import FarAway, InTheDark, Nobody, Two
from tests.browser.visitor import Visitor, saying

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn, Subject

pytestmark = pytest.mark.models


@pytest.fixture
def visitor(site: Site, device: MakeDevice, portraits: Mapping[str, bytes]) -> Visitor:
    """Somebody whose camera is starting."""
    return Visitor(device().new_page()).open(site.step_up(portraits["obama_2"]).url).go_on()


def test_empty_room_asks_for_a_face(visitor: Visitor, camera: LiveCamera) -> None:
    with Person(camera, Nobody()) as person:
        person.watch(visitor.page, hinted("no_face"))
    assert visitor.page.locator("[data-hint]").inner_text() == saying("hint.no_face").pattern.replace("\\", "")


def test_second_face_asks_to_be_alone(visitor: Visitor, camera: LiveCamera, obama: Drawn, biden: Drawn) -> None:
    with Person(camera, Two(obama.head, biden.head)) as person:
        person.watch(visitor.page, hinted("several_faces"))


@pytest.mark.parametrize(
    ("surroundings", "hint"), [(FarAway, "too_far"), (InTheDark, "too_dark")], ids=["far away", "in the dark"]
)
def test_person_who_does_what_the_hint_says_is_approved(
    visitor: Visitor, camera: LiveCamera, obama: Drawn, surroundings: type[FarAway] | type[InTheDark], hint: str
) -> None:
    subject: Subject = surroundings(obama)
    with Person(camera, subject, react=mend) as person:
        person.watch(visitor.page, hinted(hint))
        assert visitor.done(person).result == "approved"

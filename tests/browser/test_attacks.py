"""Whoever is not a living person in front of this camera, now, is not approved: three attacks on three methods.

The workflows do not hold signals of the browser against anybody (``TRUSTING``), so that nothing but the pictures can
give an attack away; the living person is approved under the same settings (test_step_up.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ipse.samples.head import Light, Pose
from ipse.samples.photo import Photo
from tests.browser.person import TURNS, Person, View, on, stay
from tests.browser.site import WARY, told
from tests.browser.subjects import HeldPhoto, InjectedStill, recording_of_colours, recording_of_turns
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn, Injected

pytestmark = pytest.mark.models

METHODS = pytest.mark.parametrize("method", ["PASSIVE", "ACTIVE_3D", "FLASHING"])


@pytest.fixture
def decision_on(
    site: Site, device: MakeDevice, portraits: Mapping[str, bytes]
) -> Callable[[str, Person], dict[str, Any]]:
    """Factory: the decision on an attack that had one try at a step-up of the person whose picture it uses."""

    def attempt(method: str, attacker: Person) -> dict[str, Any]:
        session = site.step_up(portraits["obama_2"], method=method, face_liveness_max_attempts=1, **WARY)
        visitor = Visitor(device().new_page()).open(session.url).go_on(method)
        with attacker:
            attacker.watch(visitor.page, on("result", "retry"))
        return site.decision(session)

    return attempt


@METHODS
def test_photo_that_a_hand_moves_as_the_page_asks_is_not_approved(
    decision_on: Callable[[str, Person], dict[str, Any]],
    camera: LiveCamera,
    portraits: Mapping[str, bytes],
    method: str,
) -> None:
    photo = HeldPhoto(Photo.of("obama_1", portraits["obama_1"]), bend=40)
    decision = decision_on(method, Person(camera, photo))
    assert decision["status"] != "Approved", told(decision)


@METHODS
def test_recording_of_another_sequence_is_not_approved(
    decision_on: Callable[[str, Person], dict[str, Any]],
    camera: LiveCamera,
    obama: Drawn,
    portraits: Mapping[str, bytes],
    method: str,
) -> None:
    if method == "PASSIVE":
        display = HeldPhoto(Photo.of("obama_1", portraits["obama_1"], screen=True))
        decision = decision_on(method, Person(camera, display, react=stay))
    else:
        decision = decision_on(method, Person(camera, obama, react=Replay(obama)))
    assert decision["status"] != "Approved", told(decision)


@METHODS
def test_still_picture_fed_to_the_browser_is_not_approved(
    decision_on: Callable[[str, Person], dict[str, Any]], camera: LiveCamera, obama: Drawn, method: str
) -> None:
    still = InjectedStill(obama.frame(Pose(), Light(), seed=1))
    decision = decision_on(method, Person(camera, still, react=stay))
    assert decision["status"] != "Approved", told(decision)


class Replay:
    """Plays, from the first instruction on, a genuine recording of the right person under other instructions.

    Two recordings of turns are at hand, and the one that begins as this page asks is left in the drawer: whether a
    sequence can be guessed is a matter of arithmetic (docs/biometrics/motion.md) and not of this test.
    """

    def __init__(self, person: Drawn) -> None:
        self._turns = {
            first: recording_of_turns(person.head, [TURNS[name] for name in (first, *others)])
            for first, others in {
                "turn-left": ("turn-up", "turn-right"),
                "turn-up": ("turn-right", "turn-down"),
            }.items()
        }
        self._colours = recording_of_colours(
            person.head, [(0.0, 0.0, 1.0), (1.0, 0.2, 0.0), (0.0, 0.6, 0.1), (0.8, 0.0, 0.6)] * 3, seconds_each=0.7
        )
        self._playing: Injected | None = None

    def __call__(self, person: Person, view: View) -> None:
        if self._playing is not None or view.phase in (None, "hold"):
            return
        first = "turn-up" if view.phase == "turn-left" else "turn-left"
        self._playing = self._colours if view.phase == "colours" else self._turns[first]
        person.subject = self._playing

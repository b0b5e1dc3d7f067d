"""Every screen of the page, one after another, in one language, size and colour scheme.

The person in front of the camera is drawn (``figure``). Sessions of a sandbox application that answers by scenario give
the results; the engine's own answer gives the screen of a second try.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ipse.samples.optics import Light, Pose
from tests.browser.figure import Figure
from tests.browser.person import Person, hinted, on, stay
from tests.browser.site import WARY
from tests.browser.subjects import InjectedStill, Nobody
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from tests.browser.camera import LiveCamera
    from tests.browser.site import Site

_STATE: Final = "**/v1/capture/session/"
_SLOW: Final = {"offline": False, "latency": 10_000, "downloadThroughput": -1, "uploadThroughput": -1}
"""Answers take ten seconds to come."""

Stop = tuple[str, "Page"]


@dataclass(frozen=True)
class Tour:
    """``device`` makes a device as it is to be shown; its keyword ``camera`` says whether the camera is allowed."""

    site: Site
    camera: LiveCamera
    device: Callable[..., BrowserContext]
    language: str = "en"

    def stops(self) -> Iterator[Stop]:
        """Name and page of each screen, while it is shown."""
        for part in (self._beginning, self._camera, self._challenges, self._sending, self._results,
                     self._handing_over, self._endings):  # fmt: skip
            yield from part()

    def _beginning(self) -> Iterator[Stop]:
        visitor = self._visitor()
        with _withheld(visitor.page, _STATE):
            visitor.page.goto(self._link())
            visitor.sees("loading")
            yield "loading", visitor.page
        visitor.sees("purpose")
        yield "purpose", visitor.page
        visitor.press("common.another_way")
        yield "another-way", visitor.page
        visitor.press("common.back").press("purpose.not_me")
        yield "not-me", visitor.page
        visitor.press("not_me.back").press("common.continue").sees("ready")
        yield "ready", visitor.page
        visitor.open(self._link("FLASHING")).press("common.continue").sees("ready")
        yield "ready-light", visitor.page
        denied = self._visitor(camera=False).open(self._link()).go_on()
        denied.sees("camera-problem")
        yield "camera-problem", denied.page

    def _camera(self) -> Iterator[Stop]:
        visitor = self._visitor().open(self._link())
        with Person(self.camera, Nobody(), react=stay) as person:
            visitor.go_on()
            person.watch(visitor.page, hinted("no_face"))
            yield "framing-hint", visitor.page

    def _challenges(self) -> Iterator[Stop]:
        visitor = self._visitor()
        with Person(self.camera, Figure()) as person:
            with _withheld(visitor.page, "**/challenge/"):
                visitor.open(self._link("ACTIVE_3D")).go_on("ACTIVE_3D")
                visitor.page.locator(".oval.good").wait_for()
                yield "framing", visitor.page
            person.react = stay
            person.watch(visitor.page, lambda view: (view.phase or "").startswith("turn"))
            yield "challenge-turn", visitor.page
        with Person(self.camera, Figure()) as person:
            visitor.open(self._link("FLASHING")).go_on("FLASHING")
            person.watch(visitor.page, lambda view: view.phase == "colours" and view.colour is not None)
            yield "challenge-colours", visitor.page

    def _sending(self) -> Iterator[Stop]:
        context = self.device()
        visitor = Visitor(context.new_page(), language=self.language)
        with Person(self.camera, Figure()) as person:
            visitor.open(self._link()).go_on()
            person.watch(visitor.page, on("framing"))
            context.set_offline(True)
            person.watch(visitor.page, on("uploading"))
            visitor.text("uploading.waiting").wait_for()
            yield "uploading", visitor.page
            context.set_offline(False)
            person.watch(visitor.page, on("result"))

            visitor.open(self._link()).go_on()
            person.watch(visitor.page, on("framing"))
            network = context.new_cdp_session(visitor.page)
            network.send("Network.enable")
            network.send("Network.emulateNetworkConditions", _SLOW)
            person.watch(visitor.page, on("checking"))
            yield "checking", visitor.page
        still = InjectedStill(Figure().frame(Pose(), Light(), seed=1))
        with Person(self.camera, still, react=stay) as person:
            session = self.site.step_up(Figure().portrait(), **WARY)
            visitor = self._visitor().open(session.url).go_on()
            person.watch(visitor.page, on("retry"))
            yield "retry", visitor.page

    def _results(self) -> Iterator[Stop]:
        scenarios = {
            "approved": "approve",
            "pending": "review_face_match_borderline",
            "declined": "decline_face_match_low_similarity",
        }
        visitor = self._visitor()
        for result, scenario in scenarios.items():
            with Person(self.camera, Figure()) as person:
                visitor.open(self._link(sandbox_scenario=scenario)).go_on()
                assert visitor.done(person).result == result
                yield f"result-{result}", visitor.page

    def _handing_over(self) -> Iterator[Stop]:
        first = self._visitor().open(self._link())
        first.press("common.another_way").press("ways.phone").sees("handoff")
        link = first.scan()
        yield "handoff", first.page
        second = self._visitor().open(link)
        first.sees("handoff-waiting")
        yield "handoff-waiting", first.page
        yield "handoff-number", second.page
        second.press("handoff_number.yes")
        first.sees("continue-elsewhere")
        yield "continue-elsewhere", first.page

    def _endings(self) -> Iterator[Stop]:
        visitor = self._visitor().open(self._link())
        visitor.press("purpose.not_me").press("not_me.confirm").sees("cancelled")
        yield "cancelled", visitor.page
        visitor.open(f"{self.site.url}/session/AAAAAAAAAAAA").sees("error")
        yield "error", visitor.page
        with _withheld(visitor.page, _STATE, abort=True):
            visitor.open(self._link()).sees("offline")
            yield "offline", visitor.page

    def _visitor(self, **options: Any) -> Visitor:
        return Visitor(self.device(**options).new_page(), language=self.language)

    def _link(self, method: str = "PASSIVE", **body: Any) -> str:
        return self.site.scenario(method, **body).url


@contextmanager
def _withheld(page: Page, pattern: str, *, abort: bool = False) -> Iterator[None]:
    """Requests that match are not answered, or fail, while the block runs; then they go through."""
    waiting: list[Any] = []
    page.route(pattern, lambda route: route.abort() if abort else waiting.append(route))
    yield
    for route in waiting:
        route.continue_()
    page.unroute(pattern)

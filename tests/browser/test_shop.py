"""The demo shop as a newcomer meets it: their own camera, sample faces, and the webhook that arrived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.person import Person, on
from tests.browser.site import TRUSTING
from tests.browser.visitor import START, saying
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

    from ipse.biometrics.engine import FaceEngine
    from tests.browser.camera import LiveCamera
    from tests.browser.conftest import MakeDevice
    from tests.browser.subjects import Drawn
    from tests.services.databases import Databases

pytestmark = pytest.mark.models

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def shop(
    databases: Databases, face_engine: FaceEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of an open shop. Its workflows do not hold Chromium's file camera against anybody."""
    from ipse.settings import Settings
    from ipse.shop import service
    from tests.services.server import running_server

    strict = service._workflow
    monkeypatch.setattr(service, "_workflow", lambda method: {**strict(method), **TRUSTING})
    with databases.fresh(tmp_path / "data") as url:
        settings = Settings(
            data_dir=tmp_path / "data", database_url=url, inference_workers=2, log_level="WARNING", demo_shop=True
        )
        with running_server(settings, face_engine) as server:
            yield f"{server.url}/demo"


@pytest.fixture
def visitor(shop: str, browser_device: MakeDevice) -> Iterator[Page]:
    """The shop's page; it must not leave its origin, break its policy or raise."""
    context = browser_device()
    watch = Watch({shop.removesuffix("/demo")})
    watch.over(context)
    page = context.new_page()
    page.goto(shop)
    yield page
    watch.check()


def test_newcomer_enrols_and_confirms_a_transfer_with_their_own_camera(
    visitor: Page, camera: LiveCamera, obama: Drawn
) -> None:
    with Person(camera, obama) as person:
        _through(visitor, "Use my camera", person)
        visitor.get_by_role("heading", name="Your face is enrolled").wait_for()
        _through(visitor, "Confirm with my camera", person)
    visitor.locator("[data-verdict=Approved]").wait_for()
    assert visitor.get_by_text("the canonical JSON verified").count() == 1
    assert '"payee": "ACME GmbH"' in visitor.get_by_role("region", name="Body of the webhook").inner_text()
    assert "$IPSE_KEY" in visitor.get_by_role("region", name="The call as curl").inner_text()
    visitor.reload()
    visitor.get_by_role("heading", name="Your face is enrolled").wait_for()


def test_sample_faces_are_approved_or_declined_and_nothing_in_the_shop_keeps_anybody_out(visitor: Page) -> None:
    _accessible(visitor)
    visitor.get_by_role("button", name="Use a sample face").click()
    visitor.get_by_role("heading", name="A sample face is enrolled").wait_for()
    visitor.get_by_role("button", name="Sample: the same person").click()
    visitor.locator("[data-verdict=Approved]").wait_for()
    visitor.get_by_role("button", name="Sample: somebody else").click()
    visitor.locator("[data-verdict=Declined]").wait_for()
    _accessible(visitor)
    assert visitor.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _through(page: Page, button: str, person: Person) -> None:
    """Press a button of the shop and go through the verification that opens; its result closes by itself."""
    page.get_by_role("button", name=button).click()
    inside = _frame(page)
    inside.get_by_role("button", name=saying("common.continue")).click()
    inside.get_by_role("button", name=saying(START["PASSIVE"])).click()
    assert person.watch(inside, on("result")).result == "approved"
    page.locator("iframe").wait_for(state="detached")


def _frame(page: Page) -> Frame:
    page.frame_locator("iframe").locator("main").wait_for()
    return next(frame for frame in page.frames if "/session/" in frame.url)


def _accessible(page: Page) -> None:
    found: dict[str, Any] = page.evaluate(AXE.read_text() + "; axe.run(document)")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []

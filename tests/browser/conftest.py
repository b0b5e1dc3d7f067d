"""Fixtures of the browser tests: one server, one Chromium and one camera for the folder, a device for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Playwright

    from ipse.biometrics.engine import FaceEngine
    from tests.browser.camera import LiveCamera
    from tests.browser.site import Site
    from tests.browser.subjects import Drawn
    from tests.browser.watch import Watch
    from tests.services.databases import Databases

MakeDevice = Callable[..., "BrowserContext"]


# Of the folder and not of the session: Playwright's blocking form runs an event loop in this thread, beside which
# other suites could not run theirs.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCamera]:
    """The picture in front of ``browser``."""
    from tests.browser.camera import LiveCamera

    with LiveCamera(tmp_path_factory.mktemp("camera") / "camera.y4m") as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright, camera: LiveCamera) -> Iterator[Browser]:
    """Chromium with ``camera``."""
    from tests.browser.chromium import launch

    running = launch(playwright, camera.path)
    yield running
    running.close()


@pytest.fixture(scope="package")
def site(databases: Databases, face_engine: FaceEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service with worker, system clock and face engine, and an integrator's webhook receiver."""
    from ipse.settings import Settings
    from tests.browser.site import opened_site
    from tests.services.receiver import running_receiver
    from tests.services.server import running_server

    folder = tmp_path_factory.mktemp("site") / "data"
    with databases.fresh(folder) as url, running_receiver() as receiver:
        settings = Settings(
            data_dir=folder,
            database_url=url,
            inference_workers=2,
            log_level="WARNING",
            lockout_address_failures_per_5_minutes=1000,  # every attacker of these tests has the same address
        )
        with running_server(settings, face_engine) as server:
            opened = opened_site(server, receiver)
            yield opened
            opened.client.close()


@pytest.fixture(scope="package")
def obama(portraits: Mapping[str, bytes]) -> Drawn:
    """The person who is enrolled in these tests, as a head that can move."""
    from ipse.samples.head import Head
    from tests.browser.subjects import Drawn

    return Drawn(Head.of("obama_1", portraits["obama_1"]))


@pytest.fixture(scope="package")
def biden(portraits: Mapping[str, bytes]) -> Drawn:
    """Somebody else."""
    from ipse.samples.head import Head
    from tests.browser.subjects import Drawn

    return Drawn(Head.of("biden_1", portraits["biden_1"]))


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """What the pages of this test do; checked at its end."""
    from tests.browser.watch import Watch

    watching = Watch({site.url})
    yield watching
    watching.check()


@pytest.fixture
def device(browser: Browser, watch: Watch) -> Iterator[MakeDevice]:
    """Factory of devices (see ``chromium.device``), all of them watched."""
    from tests.browser import chromium

    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = chromium.device(options.pop("browser", browser), **options)
        contexts.append(context)
        watch.over(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def browser_device(browser: Browser) -> Iterator[MakeDevice]:
    """Like ``device``, without a site and unwatched."""
    from tests.browser import chromium

    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        contexts.append(chromium.device(browser, **options))
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()

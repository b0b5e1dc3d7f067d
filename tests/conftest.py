"""Fixtures of every suite. ``IPSE_TEST_DATABASE=postgresql`` runs the same tests on PostgreSQL.

Imports of the product are inside the fixtures: a broken part fails the tests that use it, not the collection.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx2 import AsyncClient

    from ipse.biometrics.engine import FaceEngine
    from ipse.clock import ManualClock
    from ipse.runtime.scope import Scope
    from ipse.runtime.services import Services
    from ipse.settings import Settings
    from tests.services.applications import RegisteredApplication
    from tests.services.databases import Databases
    from tests.services.receiver import WebhookReceiver
    from tests.services.server import RunningServer

MakeApplication = Callable[..., Awaitable["RegisteredApplication"]]
MakeClient = Callable[["RegisteredApplication | None"], "AsyncClient"]

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""Where every manual clock starts."""

_ENGINE = os.environ.get("IPSE_TEST_DATABASE", "sqlite")
_KEPT = ("IPSE_MODELS_DIR", "IPSE_INTELLIGENCE_DIR", "IPSE_TEST_", "IPSE_FUZZ_", "IPSE_CRASH_")
for _name in [name for name in os.environ if name.startswith("IPSE_") and not name.startswith(_KEPT)]:
    del os.environ[_name]  # the settings of the developer's shell are not those of the tests


# Machines are shared and noisy: how long one example takes proves nothing.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """Rich tracebacks with every local variable cost seconds for each logged error."""
    import structlog

    structlog.configure(processors=[structlog.stdlib.add_log_level, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """The database engine of this run."""
    from tests.services.databases import running_databases

    with running_databases(_ENGINE, tmp_path_factory.mktemp("databases")) as running:
        yield running


@pytest.fixture
def database_url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    with databases.fresh(tmp_path / "data") as url:
        yield url


@pytest.fixture(scope="session")
def address_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world of addresses (``tests.services.intelligence``), the same on every machine."""
    from tests.services.intelligence import write_world

    return write_world(tmp_path_factory.mktemp("intelligence"))


@pytest.fixture
def settings(database_url: str, tmp_path: Path, address_data: Path) -> Settings:
    """Settings of a closed installation with nothing running in the background."""
    from pydantic import SecretStr

    from ipse.settings import Settings

    return Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        intelligence_dir=address_data,
        public_url="http://testserver",
        # A public address: live applications are served only with master keys that do not lie beside the data.
        ordinary_master_key=SecretStr("b3JkaW5hcnkgbWFzdGVyIGtleSBvZiB0aGUgdGVzdHM="),
        biometric_master_key=SecretStr("YmlvbWV0cmljIG1hc3RlciBrZXkgb2YgdGhlIHRlc3Q="),
        run_worker=False,
        inference_workers=2,
        log_level="WARNING",
    )


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at :data:`START` until the test moves it."""
    from ipse.clock import ManualClock

    return ManualClock(START)


@pytest.fixture
async def services(settings: Settings, clock: ManualClock) -> AsyncIterator[Services]:
    """The parts of one process on a fresh database and a manual clock, without face models."""
    from ipse.app import build_services, close_services

    built = await build_services(settings, clock=clock, load_faces=False)
    yield built
    await close_services(built)


@pytest.fixture
async def services_with_faces(
    settings: Settings, clock: ManualClock, face_engine: FaceEngine
) -> AsyncIterator[Services]:
    """Like ``services``, with the face engine. Tests that use it carry ``pytest.mark.models``."""
    from ipse.app import build_services, close_services

    built = await build_services(settings, clock=clock, faces=face_engine)
    yield built
    await close_services(built)


@pytest.fixture
def make_application(services: Services) -> MakeApplication:
    """Factory: ``await make_application(mode=Mode.LIVE, engine=SandboxEngine.REAL, reference_source=…)``."""
    from tests.services.applications import register_application

    async def make(**columns: Any) -> RegisteredApplication:
        return await register_application(services, **columns)

    return make


@pytest.fixture
async def application(make_application: MakeApplication) -> RegisteredApplication:
    """A sandbox application that answers by scenario, with a key and the preset workflows."""
    return await make_application()


@pytest.fixture
async def scope(services: Services, application: RegisteredApplication) -> AsyncIterator[Scope]:
    """A writing transaction confined to ``application``. On SQLite nothing else can write while it is open."""
    from ipse.runtime.scope import Scope

    async with services.database.writing() as tx:
        yield Scope(tx, application.application, services)


@pytest.fixture
async def make_client(services: Services) -> AsyncIterator[MakeClient]:
    """Factory of clients on the ASGI application, with the key of the given application or without any."""
    from contextlib import AsyncExitStack

    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    app = build(services.settings, services)
    async with AsyncExitStack() as stack:
        clients: list[AsyncClient] = []

        def make(application: RegisteredApplication | None) -> AsyncClient:
            headers = {"x-api-key": application.key} if application else {}
            client = AsyncClient(transport=ASGITransport(app), base_url="http://testserver", headers=headers)
            stack.push_async_callback(client.aclose)
            clients.append(client)
            return client

        yield make


@pytest.fixture
def client(make_client: MakeClient, application: RegisteredApplication) -> AsyncClient:
    """A client with the key of ``application``."""
    return make_client(application)


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """A webhook receiver on loopback."""
    from tests.services.receiver import running_receiver

    with running_receiver() as running:
        yield running


@pytest.fixture
def server(settings: Settings) -> Iterator[RunningServer]:
    """The application behind a real HTTP server, with worker and system clock, without face models."""
    from tests.services.server import running_server

    with running_server(settings) as running:
        yield running


@pytest.fixture
def server_with_faces(settings: Settings, face_engine: FaceEngine) -> Iterator[RunningServer]:
    """Like ``server``, with the face engine."""
    from tests.services.server import running_server

    with running_server(settings, face_engine) as running:
        yield running


@pytest.fixture(scope="session")
def face_engine(tmp_path_factory: pytest.TempPathFactory) -> FaceEngine:
    """The face engine as every newcomer has it: registry models, basic replay screening.

    The models are taken from the models directory, or fetched. The liveness networks stay out even where they are
    installed, so that the suite sees the same engine on every machine; ``networks`` is for tests of those.
    """
    from ipse.biometrics import acquisition
    from ipse.biometrics.engine import FaceEngine
    from ipse.settings import Settings

    installed = Settings().models_dir
    acquisition.obtain(installed, which="registry")
    folder = tmp_path_factory.mktemp("registry-models")
    acquisition.obtain(folder, from_dir=installed, which="registry")
    return FaceEngine.load(folder)


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> FaceEngine:
    """The face engine with the liveness networks, where they are installed or lie beside the checkout."""
    from ipse.biometrics import acquisition
    from ipse.biometrics.engine import FaceEngine
    from ipse.biometrics.errors import ModelUnobtainable
    from ipse.settings import Settings

    folder = tmp_path_factory.mktemp("all-models")
    for source in (Settings().models_dir, Path(__file__).parents[2] / "shared" / "models"):
        try:
            acquisition.obtain(folder, from_dir=source, which="all")
        except (ModelUnobtainable, OSError):
            continue
        return FaceEngine.load(folder)
    pytest.skip("the liveness networks are not installed")


@pytest.fixture(scope="session")
def portraits() -> Mapping[str, bytes]:
    """Sample portraits by name, as encoded images; fetched when they are not there yet."""
    import platformdirs

    from ipse.samples.portraits import portraits as obtain

    return obtain(Path(platformdirs.user_cache_dir("ipse")) / "samples")

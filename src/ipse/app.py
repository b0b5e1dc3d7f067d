"""The composition root: the only place that wires the parts together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI

from ipse import __version__
from ipse.api import openapi, routes
from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.errors import ModelError
from ipse.biometrics.pool import InferencePool
from ipse.clock import Clock, SystemClock
from ipse.edge import handlers
from ipse.edge.admission import Admission
from ipse.edge.body_budget import BodyBudget
from ipse.edge.middleware import Observation, TrailingSlash
from ipse.identifiers import Identifiers, RandomIdentifiers
from ipse.intelligence import device_agent
from ipse.intelligence.network import NetworkIntelligence
from ipse.jobs.worker import run_worker
from ipse.runtime.services import Services
from ipse.security.keysets import load_lookup_key, load_master_keys, open_rings
from ipse.security.vault import KeyVault
from ipse.settings import Settings
from ipse.storage import migrate
from ipse.storage.blobs import open_blob_store
from ipse.storage.counters import open_counters
from ipse.storage.database import Database

log = structlog.get_logger(__name__)


async def build_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    identifiers: Identifiers | None = None,
    faces: FaceEngine | None = None,
    load_faces: bool = True,
) -> Services:
    """Open the database (migrated to the newest schema), the key rings, the blob store, models and address data.

    Missing or changed models leave ``faces`` empty: the service starts, says so in its health check, and
    every call that needs a face answers 503.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = clock or SystemClock()
    # Models are hashed and warmed up on a thread while the database opens: neither waits for the other.
    loading = asyncio.create_task(asyncio.to_thread(_load_faces, settings)) if faces is None and load_faces else None
    mapping = asyncio.create_task(asyncio.to_thread(NetworkIntelligence.load, settings.intelligence_dir))
    database = Database(settings.resolved_database_url)
    try:
        await migrate.upgrade(database.engine, migrate.BEFORE_SEALING)
        ordinary, biometric = await open_rings(settings, database, clock)
        lookup = await load_lookup_key(database, load_master_keys(settings), clock)
        database.unlock(KeyVault(ordinary, lookup))
        await migrate.upgrade(database.engine)
    except BaseException:
        await database.close()  # its threads would keep a process alive that has nothing left to do
        raise
    finally:
        faces = await loading if loading is not None else faces
        network = await mapping
    workers = settings.inference_workers or len(os.sched_getaffinity(0))
    return Services(
        settings=settings,
        clock=clock,
        identifiers=identifiers or RandomIdentifiers(),
        database=database,
        ordinary_ring=ordinary,
        biometric_ring=biometric,
        lookup=lookup,
        counters=open_counters(settings.resolved_database_url, settings.data_dir),
        blobs=open_blob_store(settings.resolved_blob_url),
        faces=faces,
        inference=InferencePool(workers, settings.inference_queue),
        network=network,
    )


def _settle_memory() -> None:
    """Keep what lives as long as the process out of every garbage collection.

    Modules, models and compiled statements are some hundred thousand objects; looking through them stops every request
    for a tenth of a second or more.
    """
    gc.collect()
    gc.freeze()


def _load_faces(settings: Settings) -> FaceEngine | None:
    try:
        return FaceEngine.load(settings.models_dir)
    except ModelError as error:
        log.error("models.unavailable", reason=str(error), remedy="run `ipse models pull`, then restart")
        return None


async def close_services(services: Services) -> None:
    """Release threads and connections."""
    services.inference.close()
    await services.counters.close()
    await services.database.close()


def build(settings: Settings, services: Services | None = None) -> FastAPI:
    """Return the ASGI application.

    With ``services`` given (tests, the demo) they are used as they are and left open; otherwise they are
    built when the server starts and closed when it stops.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        own = services is None
        app.state.services = services or await build_services(settings)
        await asyncio.to_thread(device_agent.warm_up)
        stop = asyncio.Event()
        worker = asyncio.create_task(run_worker(app.state.services, stop)) if settings.run_worker else None
        _settle_memory()
        try:
            yield
        finally:
            stop.set()
            if worker is not None:
                await worker
            if own:
                await close_services(app.state.services)

    app = FastAPI(
        title="Ipse",
        version=__version__,
        summary="Self-hosted biometric step-up with the wire contract of a hosted verification API.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    if services is not None:
        app.state.services = services
    app.state.bodies = BodyBudget(settings.body_memory_bytes)
    routes.include(app)
    openapi.install(app)
    handlers.install(app)
    app.add_middleware(TrailingSlash)
    app.add_middleware(Admission, limit=settings.working_requests)
    app.add_middleware(Observation, is_https=settings.public_url.startswith("https://"))
    return app

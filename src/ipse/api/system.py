"""Health and metrics. No authentication: they say nothing about anybody."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from ipse.api.monitoring import InstallationGauges
from ipse.api.storage_probe import LONGEST_WAIT_S, StorageProbes
from ipse.edge.unit import services_of
from ipse.runtime.services import Services

log = structlog.get_logger(__name__)
router = APIRouter(tags=["System"])

_PROBES: Final = StorageProbes()

ServicesParam = Annotated[Services, Depends(services_of)]


class Health(BaseModel):
    """State of the process and of what it depends on."""

    status: Literal["ok", "unavailable"]
    timestamp: str
    checks: dict[str, str]


@router.get(
    "/system/healthcheck/",
    response_model=Health,
    responses={503: {"model": Health, "description": "A part that verdicts depend on is not usable."}},
)
async def healthcheck(services: ServicesParam, response: Response) -> Health:
    """Tell a load balancer whether this process can decide: database, blob store, models verified and warm.

    Missing address data do not make it unfit: what needs them goes to review, and the check says so.
    """
    database, blobs = await asyncio.gather(_database(services), _PROBES.state(services.blobs))
    checks = {"database": database, "blobs": blobs, "models": "ok" if services.faces else "missing"}
    if services.faces is not None:
        checks["liveness_engine"] = services.faces.liveness_engine
    checks["address_data"] = "incomplete" if services.network.missing else "ok"
    healthy = database == "ok" and blobs == "ok" and services.faces is not None
    response.status_code = 200 if healthy else 503
    now = services.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Health(status="ok" if healthy else "unavailable", timestamp=now, checks=checks)


async def _database(services: Services) -> str:
    try:
        async with asyncio.timeout(LONGEST_WAIT_S), services.database.reading() as tx:
            await tx.execute(text("SELECT 1"))
    except Exception as error:  # any failure means the same to a load balancer
        log.error("healthcheck.database", error=type(error).__name__)
        return "unreachable"
    return "ok"


_INFERENCE = Gauge("ipse_inference_calls", "Model calls: running and waiting now, others since the start", ["state"])


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def metrics(request: Request, services: ServicesParam) -> Response:
    """Prometheus metrics: of this process, and of what all processes share (docs/operate/monitoring.md)."""
    gauges: InstallationGauges | None = getattr(request.app.state, "installation_gauges", None)
    if gauges is None:
        gauges = request.app.state.installation_gauges = InstallationGauges()
    await gauges.refresh(services)
    counters = services.inference.counters()
    for state in ("running", "waiting", "completed", "failed", "refused"):
        _INFERENCE.labels(state).set(getattr(counters, state))
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

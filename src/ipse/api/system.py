"""Health and metrics. No authentication: they say nothing about anybody."""

from __future__ import annotations

from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from ipse.edge.unit import services_of
from ipse.runtime.services import Services

log = structlog.get_logger(__name__)
router = APIRouter(tags=["System"])

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
    """Tell a load balancer whether this process can decide: database reachable, models verified and warm."""
    checks = {"database": "ok", "models": "ok" if services.faces else "missing"}
    if services.faces is not None:
        checks["liveness_engine"] = services.faces.liveness_engine
    try:
        async with services.database.reading() as tx:
            await tx.execute(text("SELECT 1"))
    except Exception as error:  # any failure means the same to a load balancer
        log.error("healthcheck.database", error=type(error).__name__)
        checks["database"] = "unreachable"
    healthy = checks["database"] == "ok" and services.faces is not None
    response.status_code = 200 if healthy else 503
    now = services.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Health(status="ok" if healthy else "unavailable", timestamp=now, checks=checks)


_INFERENCE = Gauge("ipse_inference_calls", "Model calls: running and waiting now, others since the start", ["state"])


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def metrics(services: ServicesParam) -> Response:
    """Prometheus metrics of this process."""
    counters = services.inference.counters()
    for state in ("running", "waiting", "completed", "failed", "refused"):
        _INFERENCE.labels(state).set(getattr(counters, state))
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

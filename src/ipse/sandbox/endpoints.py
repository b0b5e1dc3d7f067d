"""``GET /v1/sandbox/scenarios/``: for a server with its key, or a capture page with its session token."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader
from starlette.requests import Request

from ipse.capture.authentication import capture_device
from ipse.edge.authentication import application_key
from ipse.edge.documented import documented
from ipse.edge.routing import router as transactional_router
from ipse.sandbox.scenarios import DEFAULT, SCENARIOS
from ipse.sandbox.schemas import ScenarioCatalogue, ScenarioItem

router = transactional_router(tags=["Sandbox"])

_key_scheme = APIKeyHeader(name="x-api-key", scheme_name="ApiKeyAuth", auto_error=False)
_token_scheme = APIKeyHeader(name="Session-Token", scheme_name="SessionToken", auto_error=False)


async def _key_or_token(
    request: Request,
    key: Annotated[str | None, Depends(_key_scheme)],
    token: Annotated[str | None, Depends(_token_scheme)],
) -> None:
    if key is None and token is not None:
        await capture_device(request, token)
    else:
        await application_key(request, key)


@router.get(
    "/v1/sandbox/scenarios/",
    response_model=ScenarioCatalogue,
    dependencies=[Depends(_key_or_token)],
    responses=documented(403, 429),
)
async def list_scenarios() -> ScenarioCatalogue:
    """List the outcomes that a sandbox session can be asked for with ``sandbox_scenario``."""
    return ScenarioCatalogue(
        scenarios=[
            ScenarioItem(slug=one.slug, category=one.category, description=one.description)
            for one in SCENARIOS.values()
        ],
        default=DEFAULT,
    )

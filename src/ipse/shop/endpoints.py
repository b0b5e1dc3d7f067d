"""The calls of the demo shop's page, and the address where its webhooks arrive: 404 without ``demo_shop``."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ipse.edge.content_type import json_only
from ipse.edge.errors import Forbidden, NotFound
from ipse.edge.routing import router as transactional_router
from ipse.edge.unit import services_of
from ipse.shop.schemas import ArrivedEvents, ForgetCustomer, OpenedSession, PlayedSample, PlaySample, StartTransfer
from ipse.shop.service import Shop
from ipse.webhooks.receiver import LARGEST_BODY, Verdict

router = transactional_router(prefix="/demo", include_in_schema=False)

_PATIENCE_S: Final = 2.0
"""How long a question for events may wait: short, because a server that is told to stop answers it first."""
_OWN_PAGE: Final = ("same-origin", "none")


async def _shop(request: Request) -> Shop:
    services = services_of(request)
    if not services.settings.demo_shop:
        raise NotFound
    if not hasattr(request.app.state, "shop"):
        request.app.state.shop = Shop(request.app, services)
    shop: Shop = request.app.state.shop
    return shop


async def _own_page(request: Request) -> None:
    """403 for a browser that says that another site's page is asking; nobody should enrol by visiting one."""
    if request.headers.get("sec-fetch-site", "none") not in _OWN_PAGE:
        raise Forbidden


ShopParam = Annotated[Shop, Depends(_shop)]
_FROM_THE_PAGE: Final = [Depends(_shop), Depends(_own_page), Depends(json_only)]


@router.post("/api/enrolments", dependencies=_FROM_THE_PAGE)
async def enrol(shop: ShopParam) -> OpenedSession:
    """Begin the enrolment of a new customer."""
    return await shop.enrol()


@router.post("/api/transfers", dependencies=_FROM_THE_PAGE)
async def transfer(shop: ShopParam, body: StartTransfer) -> OpenedSession:
    """Ask a customer to confirm the transfer."""
    return await shop.transfer(body.customer, body.method)


@router.post("/api/forget", status_code=204, dependencies=_FROM_THE_PAGE)
async def forget(shop: ShopParam, body: ForgetCustomer) -> None:
    """Delete a customer and everything that was stored of them."""
    await shop.forget(body.customer)


@router.post("/api/sample", dependencies=_FROM_THE_PAGE)
async def play_sample(shop: ShopParam, body: PlaySample) -> PlayedSample:
    """Let a sample face go through a session."""
    return PlayedSample(status=await shop.play(body.session, body.who))


@router.get("/api/events/{session}", dependencies=[Depends(_own_page)])
async def events(shop: ShopParam, session: str, after: Annotated[int, Query(ge=0)] = 0) -> ArrivedEvents:
    """The webhooks of a session; waits a moment when there are no more than ``after``."""
    return ArrivedEvents(events=await shop.events(session, after, _PATIENCE_S))


@router.post("/webhook")
async def receive(request: Request, shop: ShopParam) -> Response:
    """Take a webhook, as any integrator's endpoint would: 401 for what does not verify."""
    body = await request.body()
    if len(body) > LARGEST_BODY:
        return JSONResponse({"detail": "The body is too large to be an event."}, 413)
    verdict = await shop.receive(request.headers, body)
    if verdict is Verdict.REFUSED:
        return JSONResponse({"detail": "The signature does not hold."}, 401)
    return JSONResponse({"received": True})

"""The route class of every endpoint: it owns the transaction and the idempotency record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from ipse.edge import idempotency
from ipse.edge.errors import Detail
from ipse.edge.request import StrictRequest, require_storable
from ipse.edge.unit import Unit, services_of


class TransactionalRoute(APIRoute):
    """Commits once, after the endpoint has produced its answer and before the answer is sent."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def transactional(received: Request) -> Response:
            request = StrictRequest(received.scope, received.receive)
            for value in (*request.path_params.values(), *request.query_params.values()):
                require_storable(str(value))
            unit = Unit(services_of(request))
            request.state.unit = unit
            try:
                await idempotency.prepare(request)
                response = await handle(request)
                await idempotency.remember(request, response)
                await unit.commit()
            except idempotency.Replay as replay:
                await unit.rollback()
                return replay.response
            except IntegrityError as error:
                await unit.rollback()
                raise Detail(
                    409,
                    "Another request changed the same thing at the same moment. Please repeat.",
                    {"Retry-After": "1"},
                ) from error
            except BaseException:
                await unit.rollback()
                raise
            finally:
                await request.close()  # lets go of uploads that an endpoint read itself
                request.let_go()
            return response

        return transactional


def router(**options: Any) -> APIRouter:
    """A router whose endpoints run in one transaction each."""
    return APIRouter(route_class=TransactionalRoute, **options)

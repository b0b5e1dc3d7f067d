"""One request, one transaction: opened by the endpoint when it is ready, closed by the route."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from ipse.runtime.services import Services
from ipse.storage.database import OpenTransaction, Transaction


class Unit:
    """The transaction of a request. Calls that run models open it only after the models have answered."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._opened: OpenTransaction | None = None
        self._writes = False
        self.is_quick = False
        """The request runs few statements, each with an index (``Database.open``)."""

    @property
    def has_writes(self) -> bool:
        """True once a writing transaction is open."""
        return self._writes

    async def begin(self, *, write: bool) -> Transaction:
        """Open the transaction, or return the one that is open; reading cannot be turned into writing."""
        if self._opened is None:
            self._opened = await self.services.database.open(write=write, quick=self.is_quick)
            self._writes = write
        elif write and not self._writes:
            raise RuntimeError("the request opened a reading transaction and then asked for a writing one")
        return self._opened.tx

    async def finish_reading(self) -> None:
        """Let a reading transaction go, so that a writing one can be opened; what it read may be old by then."""
        if not self._writes:
            await self.rollback()

    @contextlib.asynccontextmanager
    async def peek(self) -> AsyncIterator[Transaction]:
        """A short reading transaction of its own, for what must be known before slow work starts."""
        async with self.services.database.reading() as tx:
            yield tx

    async def commit(self) -> None:
        """Commit if anything was opened for writing."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        if self._writes:
            await opened.commit()
        else:
            await opened.rollback()

    async def rollback(self) -> None:
        """Undo whatever is open."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.rollback()


def services_of(request: Request) -> Services:
    """The process' services."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def unit_of(request: Request) -> Unit:
    """The unit that the route opened for this request."""
    unit = request.state.unit
    assert isinstance(unit, Unit)
    return unit

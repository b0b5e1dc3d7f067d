"""Pages: ``?limit=&offset=`` in, ``{"count", "next", "previous", "results"}`` out."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request

from ipse.edge.unit import services_of

Item = TypeVar("Item")

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


class Page(BaseModel, Generic[Item]):
    """One page of a list. ``next`` and ``previous`` are absolute URLs."""

    count: int
    next: str | None
    previous: str | None
    results: list[Item]


class Window:
    """Which part of a list was asked for, and how to name its neighbours."""

    def __init__(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> None:
        self.limit = limit
        self.offset = offset
        base = services_of(request).settings.public_url.rstrip("/")
        self._base = base + request.url.path
        self._query = [(k, v) for k, v in request.query_params.multi_items() if k not in {"limit", "offset"}]

    def page(self, results: list[Item], count: int) -> Page[Item]:
        """Wrap one page of ``count`` results."""
        following = self.offset + self.limit
        return Page(
            count=count,
            next=self._link(following) if following < count else None,
            previous=self._link(max(0, self.offset - self.limit)) if self.offset > 0 else None,
            results=results,
        )

    def _link(self, offset: int) -> str:
        return f"{self._base}?{urlencode([*self._query, ('limit', self.limit), ('offset', offset)])}"


WindowParam = Annotated[Window, Depends()]

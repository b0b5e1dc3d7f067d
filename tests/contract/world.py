"""Calls one operation after another on the served application and remembers how each answer compares."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ipse.runtime.services import Services
from tests.contract.conformance import Conformance
from tests.contract.contract import Contract, Operation
from tests.contract.deviations import DEVIATIONS
from tests.services.applications import RegisteredApplication

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

UNKNOWN = str(uuid.UUID("00000000-0000-4000-8000-000000000000"))
"""An id that nothing has."""

Exercise = Callable[["World"], Awaitable[None]]
EXERCISES: dict[str, Exercise] = {}


def exercises(operation: str) -> Callable[[Exercise], Exercise]:
    """Register the calls of one operation, for example ``@exercises("POST /v3/session/")``."""

    def register(exercise: Exercise) -> Exercise:
        assert operation not in EXERCISES, f"{operation} is exercised twice"
        EXERCISES[operation] = exercise
        return exercise

    return register


@dataclass
class World:
    """An operation under test, the clients to call it with, and the verdicts so far."""

    contract: Contract
    operation: Operation
    services: Services
    application: RegisteredApplication
    """Sandbox, answers by scenario."""
    real: RegisteredApplication
    """Sandbox, runs the face engine."""
    live: RegisteredApplication
    foreign: RegisteredApplication
    """Sandbox of another organisation."""
    make_client: Callable[[RegisteredApplication | None], AsyncClient]
    portraits: Mapping[str, bytes]
    conformance: Conformance
    good_calls: int = 0
    problems: list[str] = field(default_factory=list)

    async def good(self, status: int, *, path: Mapping[str, str] | None = None, **call: Any) -> Any:
        """Make a call that must succeed with ``status``; return the decoded body."""
        assert 200 <= status < 300
        problems = self._request_problems(call)
        assert not problems, f"the example itself departs from the contract: {problems}"
        self.good_calls += 1
        return await self._call(status, path, call)

    async def tolerated(self, status: int, *, path: Mapping[str, str] | None = None, **call: Any) -> Any:
        """Make a call outside the contract's request schema that is served all the same (contract file 90)."""
        assert 200 <= status < 300
        return await self._call(status, path, call)

    async def bad(self, status: int, *, path: Mapping[str, str] | None = None, **call: Any) -> Any:
        """Make a call that must be refused with ``status``; return the decoded body."""
        assert 400 <= status < 500
        return await self._call(status, path, call)

    async def refuses_strangers(
        self, *, path: Mapping[str, str] | None = None, missing: int = 403, **call: Any
    ) -> None:
        """No key answers ``missing``, a wrong key 403, and neither says anything else."""
        await self.bad(missing, path=path, as_=None, **call)
        await self.bad(403, path=path, as_=None, headers={"x-api-key": "ipse_test_wrong"}, **call)

    async def setup(self, method: str, url: str, status: int, *, as_: Any = ..., **call: Any) -> Any:
        """A call that prepares the scene; it is not judged against the contract."""
        response = await self._client(as_).request(method, url, **call)
        assert response.status_code == status, f"{method} {url}: {response.status_code} {response.text[:500]}"
        return _decoded(response)

    def _client(self, as_: Any) -> AsyncClient:
        return self.make_client(self.application if as_ is ... else as_)

    async def _call(self, status: int, path: Mapping[str, str] | None, call: dict[str, Any]) -> Any:
        as_ = call.pop("as_", ...)
        url = self.operation.path.format_map(path or {})
        response = await self._client(as_).request(self.operation.method, url, **call)
        body = _decoded(response)
        described = f"{self.operation.key} -> {response.status_code} {str(body)[:700]}"
        assert response.status_code == status, f"expected {status}: {described}"
        assert response.headers.get("x-request-id"), described
        media = response.headers.get("content-type", "").partition(";")[0]
        for problem in self.contract.response_problems(self.operation, status, media, body):
            self._note(f"{status}: {problem}")
        return body

    def _note(self, problem: str) -> None:
        for deviation in DEVIATIONS:
            if deviation.covers(self.operation.key, problem):
                self.conformance.deviations_met.add(deviation)
                return
        if problem not in self.problems:
            self.problems.append(problem)

    def _request_problems(self, call: Mapping[str, Any]) -> list[str]:
        if "json" in call:
            return self.contract.request_problems(self.operation, "application/json", call["json"])
        if "files" in call:
            schema = self.operation.request.get("multipart/form-data", {})
            sent = {*call["files"], *call.get("data", {})}
            return [f"{name} is not sent" for name in schema.get("required", ()) if name not in sent] + [
                f"{name} is not part of the contract" for name in sent if name not in schema.get("properties", {})
            ]
        return []


def _decoded(response: Response) -> Any:
    if response.headers.get("content-type", "").startswith("application/json"):
        return response.json()
    return response.content

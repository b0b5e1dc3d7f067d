"""A body larger than the setting allows is refused while it is read, whoever reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from ipse.app import build
from ipse.runtime.services import Services
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

LIMIT = 2**20


@pytest.fixture
async def client(services: Services, application: RegisteredApplication) -> AsyncIterator[AsyncClient]:
    settings = services.settings.model_copy(update={"max_body_bytes": LIMIT})
    app = build(settings, replace(services, settings=settings))
    headers = {"x-api-key": application.key}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver", headers=headers) as one:
        yield one


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 2**16):
        yield bytes(2**16)


@pytest.mark.parametrize(("path", "kind"), [("/v3/session/", "application/json"), ("/v3/face-match/", "multipart")])
async def test_a_body_that_is_declared_too_large_is_refused(client: AsyncClient, path: str, kind: str) -> None:
    content_type = kind if kind != "multipart" else "multipart/form-data; boundary=b"
    response = await client.post(path, content=bytes(LIMIT + 1), headers={"content-type": content_type})
    assert response.status_code == 413
    assert response.json() == {"detail": "The body is larger than 1 MB."}


@pytest.mark.parametrize("key", [None, "once"])
async def test_a_body_that_turns_out_too_large_is_refused(client: AsyncClient, key: str | None) -> None:
    headers = {"content-type": "application/json"} | ({} if key is None else {"idempotency-key": key})
    response = await client.post("/v3/session/", content=chunks(2 * LIMIT), headers=headers)
    assert response.status_code == 413


async def test_a_body_within_the_limit_is_read(client: AsyncClient) -> None:
    response = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", "metadata": {"a": "b" * 1000}})
    assert response.status_code == 201


@pytest.fixture
def tight(services: Services) -> FastAPI:
    """An application that holds 1 MB of bodies and waits a fifth of a second for one."""
    settings = services.settings.model_copy(update={"body_memory_bytes": LIMIT, "body_timeout_s": 0.2})
    return build(settings, replace(services, settings=settings))


async def test_bodies_beyond_the_memory_budget_are_refused_and_the_budget_returns(
    tight: FastAPI, application: RegisteredApplication
) -> None:
    async with AsyncClient(
        transport=ASGITransport(tight), base_url="http://testserver", headers={"x-api-key": application.key}
    ) as client:
        tight.state.bodies.take(LIMIT)
        refused = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        tight.state.bodies.give_back(LIMIT)
        for body, status in ((b'{"workflow_id": "wf_enrolment"}', 201), (b"{", 400)):
            answer = await client.post("/v3/session/", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == status
            assert tight.state.bodies.held == 0, "whatever the answer, the bytes are given back"


async def test_body_that_trickles_in_is_given_up(tight: FastAPI, application: RegisteredApplication) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    headers = {"x-api-key": application.key, "content-type": "application/json"}
    async with AsyncClient(transport=ASGITransport(tight), base_url="http://testserver", headers=headers) as client:
        assert (await client.post("/v3/session/", content=trickle())).status_code == 408
    assert tight.state.bodies.held == 0

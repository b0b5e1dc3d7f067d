"""A body larger than the setting allows is refused while it is read, whoever reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
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

"""Health and metrics: what a load balancer and a monitoring system see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from httpx2 import ASGITransport, AsyncClient

from ipse.app import build
from ipse.runtime.services import Services

if TYPE_CHECKING:
    from tests.conftest import MakeClient

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/system/healthcheck", "/system/healthcheck/"])
async def test_health_without_models_is_503_and_says_why(make_client: MakeClient, path: str) -> None:
    response = await make_client(None).get(path)
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks == {"database": "ok", "blobs": "ok", "models": "missing", "address_data": "incomplete"}


@pytest.mark.models
async def test_health_with_models_is_ok(services_with_faces: Services) -> None:
    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    app = build(services_with_faces.settings, services_with_faces)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as anonymous:
        response = await anonymous.get("/system/healthcheck")
    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "ok"
    assert body["timestamp"] == "2026-11-20T10:00:00.000Z"
    assert body["checks"]["liveness_engine"] == "basic_replay_screening"


async def test_metrics_name_routes_and_never_people(client: AsyncClient) -> None:
    await client.get("/v3/users/secret-person")  # without the slash: the template must be found all the same
    text = (await client.get("/metrics")).text
    assert 'route="/v3/users/{vendor_data:path}/"' in text
    assert "secret-person" not in text
    assert 'ipse_inference_calls{state="waiting"} 0.0' in text


async def test_every_answer_forbids_sniffing_and_caching(client: AsyncClient) -> None:
    for path in ("/v3/sessions/", "/nowhere", "/system/healthcheck"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"]


async def test_no_answer_can_be_run_framed_or_shared_by_a_browser_unless_it_is_a_page(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        url = re.sub(r"{\w+}", "00000000-0000-4000-8000-000000000000", path)
        for method in operations:
            headers = (await client.request(method, url)).headers
            assert headers["content-security-policy"].startswith("default-src 'none'"), path
            assert headers["cross-origin-resource-policy"] in {"same-origin", "cross-origin"}, path
            assert headers["referrer-policy"] == "no-referrer", path
            assert "camera=(" in headers["permissions-policy"], path
            assert "server" not in headers, "the kind and version of the server are nobody's business"
            assert "strict-transport-security" not in headers, "this address is not served over https"


async def test_https_installation_tells_browsers_to_stay_with_https(services: Services) -> None:
    settings = services.settings.model_copy(update={"public_url": "https://verify.example.org"})
    async with AsyncClient(transport=ASGITransport(build(settings, services)), base_url="http://testserver") as client:
        assert (await client.get("/nowhere")).headers["strict-transport-security"].startswith("max-age=63072000")

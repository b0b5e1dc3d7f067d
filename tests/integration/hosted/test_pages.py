"""The addresses a browser opens: one shell for everybody, a strict policy, nothing looked up, nothing logged."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from httpx2 import ASGITransport, AsyncClient

from ipse.app import build
from ipse.hosted.files import HostedFiles, hosted_files

if TYPE_CHECKING:
    from ipse.runtime.services import Services

pytestmark = pytest.mark.anyio

SHELL = "<!doctype html><title>Ipse</title>"
SCRIPT = "export const page = 1;" * 100
TOKEN = "tok_3f9c1e7a5b2d"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build as `make web` leaves it, with a secret beside it."""
    static = tmp_path / "static"
    for area in ("capture", "shop"):
        (static / area / "assets").mkdir(parents=True)
        (static / area / "index.html").write_text(SHELL)
        script = static / area / "assets" / "index-D9K38UDD.js"
        script.write_text(SCRIPT)
        script.with_suffix(".js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (static / "capture" / "guidance").mkdir()
    (static / "capture" / "guidance" / "engine.wasm").write_bytes(b"\0asm")
    (static / "sdk").mkdir()
    for name in ("ipse.js", "ipse.iife.js", "device.js"):
        (static / "sdk" / name).write_text(SCRIPT)
        (static / "sdk" / f"{name}.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "secret.json").write_text("{}")
    return static


def browser(services: Services, folder: Path, **settings: Any) -> AsyncClient:
    services = dataclasses.replace(services, settings=services.settings.model_copy(update=settings))
    app = build(services.settings, services)
    app.dependency_overrides[hosted_files] = lambda: HostedFiles(folder)
    return AsyncClient(transport=ASGITransport(app), base_url="http://testserver")


@pytest.fixture
async def visitor(services: Services, built: Path) -> AsyncIterator[AsyncClient]:
    async with browser(services, built, demo_shop=True) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/session/a", "/es/session/a", "/zh-CN/session/a", "/h/a", "/ar/h/a", "/u/AAAAAAAAQACAAAAAAAAAAA"]
)
async def test_every_link_opens_the_same_page_whoever_asks(visitor: AsyncClient, path: str) -> None:
    page = await visitor.get(path)
    assert page.status_code == 200
    assert page.text == SHELL
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_language_nobody_speaks_is_no_page(visitor: AsyncClient) -> None:
    assert (await visitor.get("/tlh/session/a")).status_code == 404


async def test_the_page_talks_to_its_own_server_only_and_may_be_framed(visitor: AsyncClient) -> None:
    headers = (await visitor.get("/session/a")).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "*",
    }
    assert "x-frame-options" not in headers
    assert headers["permissions-policy"] == "camera=(self)"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


async def test_an_installation_may_name_who_frames_the_page(services: Services, built: Path) -> None:
    async with browser(services, built, embed_origins=("'self'", "https://shop.example")) as client:
        policy = (await client.get("/session/a")).headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://shop.example")


async def test_hashed_files_are_kept_for_ever_and_others_for_an_hour(visitor: AsyncClient) -> None:
    hashed = await visitor.get("/hosted/capture/assets/index-D9K38UDD.js")
    assert "immutable" in hashed.headers["cache-control"]
    plain = await visitor.get("/hosted/capture/guidance/engine.wasm")
    assert plain.headers["content-type"] == "application/wasm"
    assert plain.headers["cache-control"] == "public, max-age=3600"
    again = await visitor.get("/hosted/capture/guidance/engine.wasm", headers={"if-none-match": plain.headers["etag"]})
    assert again.status_code == 304


async def test_a_worker_reaches_no_other_host_either(visitor: AsyncClient) -> None:
    policy = (await visitor.get("/hosted/capture/assets/index-D9K38UDD.js")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src 'self';" in policy
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy


async def test_a_script_travels_compressed_to_whoever_takes_it(visitor: AsyncClient) -> None:
    path = "/hosted/capture/assets/index-D9K38UDD.js"
    packed = await visitor.get(path, headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.text == SCRIPT
    for refusing in ("identity", "gzip;q=0", ""):
        plain = await visitor.get(path, headers={"accept-encoding": refusing})
        assert "content-encoding" not in plain.headers
        assert plain.text == SCRIPT


@pytest.mark.parametrize("area", ["/hosted/capture/", "/hosted/shop/", "/sdk/"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "assets",
        "assets/",
        "index.html",
        "%2e%2e/%2e%2e/secret.json",
        "..%2fcapture%2findex.html",
        "no.js",
        "a\\b.js",
    ],
)
async def test_only_files_of_the_build_are_served(visitor: AsyncClient, area: str, path: str) -> None:
    assert (await visitor.get(area + path)).status_code == 404


@pytest.mark.parametrize("name", ["ipse.js", "ipse.iife.js", "device.js"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_the_sdk_and_its_collecting_part_may_be_loaded_from_any_site(
    visitor: AsyncClient, name: str, encoding: str
) -> None:
    asking = {"origin": "https://shop.example", "accept-encoding": encoding}
    loaded = await visitor.get(f"/sdk/{name}", headers=asking)
    checked = await visitor.get(f"/sdk/{name}", headers={**asking, "if-none-match": loaded.headers["etag"]})
    assert [loaded.status_code, checked.status_code] == [200, 304]
    assert loaded.headers.get("content-encoding", "identity") == encoding
    for headers in (loaded.headers, checked.headers):
        assert headers["access-control-allow-origin"] == "*"
        assert headers["cross-origin-resource-policy"] == "cross-origin"
        assert headers["x-content-type-options"] == "nosniff"
    assert loaded.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_head_answers_like_get(visitor: AsyncClient) -> None:
    for path in ("/session/a", "/hosted/capture/guidance/engine.wasm", "/sdk/ipse.js", "/demo"):
        got, looked = await visitor.get(path), await visitor.head(path)
        assert looked.status_code == got.status_code == 200
        assert looked.headers["content-type"] == got.headers["content-type"]


async def test_the_demo_shop_is_there_only_where_it_is_wanted(
    visitor: AsyncClient, services: Services, built: Path
) -> None:
    page = await visitor.get("/demo")
    assert page.text == SHELL
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    async with browser(services, built, demo_shop=False) as client:
        for path in ("/demo", "/demo/", "/hosted/shop/assets/index-D9K38UDD.js"):
            assert (await client.get(path)).status_code == 404


async def test_without_a_build_the_page_says_how_to_make_one(services: Services, tmp_path: Path) -> None:
    async with browser(services, tmp_path / "nothing") as client:
        page = await client.get("/session/a")
        assert page.status_code == 503
        assert "make web" in page.text
        assert (await client.get("/sdk/ipse.js")).status_code == 404


async def test_tokens_are_not_logged(visitor: AsyncClient) -> None:
    with structlog.testing.capture_logs() as logged:
        for path in (f"/session/{TOKEN}", f"/en/session/{TOKEN}", f"/h/{TOKEN}", f"/u/{TOKEN}", f"/xx/session/{TOKEN}"):
            await visitor.get(path)
    assert [entry["route"] for entry in logged if entry["event"] == "request"][:2] == [
        "/session/{token}",
        "/{language}/session/{token}",
    ]
    assert TOKEN not in str(logged)
    assert TOKEN not in (await visitor.get("/metrics")).text


async def test_pages_are_no_part_of_the_interface_document(visitor: AsyncClient) -> None:
    paths = (await visitor.get("/openapi.json")).json()["paths"]
    assert not [path for path in paths if path.startswith(("/session", "/hosted", "/sdk", "/demo", "/h/", "/u/", "/{"))]

"""The demo shop: a newcomer enrols a sample face, confirms a transfer, and sees the signed webhook that arrived."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from httpx2 import ASGITransport, AsyncClient, Client

from ipse.app import build

if TYPE_CHECKING:
    from ipse.biometrics.engine import FaceEngine
    from ipse.runtime.services import Services
    from ipse.settings import Settings

pytestmark = pytest.mark.anyio

Call = Callable[..., dict[str, Any]]

PATIENCE_S = 150.0
"""Nothing is to be proved about speed: a slow machine may take its time to draw the sample and to examine it."""


@pytest.fixture
async def visitor(services: Services) -> AsyncIterator[AsyncClient]:
    """A browser at a shop whose face models are missing."""
    object.__setattr__(services, "settings", services.settings.model_copy(update={"demo_shop": True}))
    async with AsyncClient(
        transport=ASGITransport(build(services.settings, services)), base_url="http://testserver"
    ) as client:
        yield client


async def test_shop_does_not_exist_unless_it_is_switched_on(services: Services) -> None:
    app = build(services.settings, services)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as client:
        answers = [
            await client.post("/demo/api/enrolments"),
            await client.post("/demo/api/transfers", json={}),
            await client.post("/demo/api/sample", json={}),
            await client.get("/demo/api/events/x"),
            await client.post("/demo/webhook", content=b"{}"),
        ]
    assert [answer.status_code for answer in answers] == [404] * 5


async def test_missing_models_are_said_with_their_remedy(visitor: AsyncClient) -> None:
    answer = await visitor.post("/demo/api/enrolments")
    assert answer.status_code == 503
    assert "ipse models pull" in answer.json()["detail"]


async def test_other_sites_cannot_use_the_shop_through_a_visitors_browser(visitor: AsyncClient) -> None:
    for site in ("cross-site", "same-site"):
        answer = await visitor.post("/demo/api/enrolments", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    answer = await visitor.post("/demo/api/transfers", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "access-control-allow-origin" not in answer.headers


async def test_webhook_without_our_signature_is_refused(visitor: AsyncClient) -> None:
    answer = await visitor.post("/demo/webhook", json={"session_id": "x", "status": "Approved"})
    assert answer.status_code == 401


async def test_unknown_session_is_not_found(visitor: AsyncClient) -> None:
    assert (await visitor.get("/demo/api/events/nobody")).status_code == 404
    answer = await visitor.post("/demo/api/sample", json={"session": "nobody", "who": "same"})
    assert answer.status_code == 404


@pytest.fixture
def call(settings: Settings, face_engine: FaceEngine) -> Iterator[Call]:
    """Call the shop of a real server, whose worker delivers the webhooks over the network."""
    from tests.services.server import running_server

    with (
        running_server(settings.model_copy(update={"demo_shop": True}), face_engine) as server,
        Client(base_url=server.url, timeout=PATIENCE_S) as client,
    ):

        def ask(path: str, **body: Any) -> dict[str, Any]:
            answer = client.post(f"/demo/api/{path}", json=body) if body else client.post(f"/demo/api/{path}")
            assert answer.is_success, answer.text
            found: dict[str, Any] = answer.json() if answer.content else {}
            return found

        def decided(session: str) -> dict[str, Any]:
            until, seen = time.monotonic() + PATIENCE_S, 0
            while time.monotonic() < until:
                events = client.get(f"/demo/api/events/{session}", params={"after": seen}).json()["events"]
                final: list[dict[str, Any]] = [one for one in events if one["status"] in ("Approved", "Declined")]
                if final:
                    return final[-1]
                seen = len(events)
            raise AssertionError(f"no decision arrived: {events}")

        ask.decided = decided  # type: ignore[attr-defined]
        yield ask


@pytest.mark.models
@pytest.mark.parametrize("method", ["PASSIVE", "ACTIVE_3D", "FLASHING"])
def test_sample_customer_confirms_a_transfer_and_the_signed_webhook_is_shown(call: Call, method: str) -> None:
    enrolment = call("enrolments")
    assert call("sample", session=enrolment["session"], who="same")["status"] == "Approved"
    begun = time.monotonic()
    transfer = call("transfers", customer=enrolment["customer"], method=method)
    assert transfer["customer"] == enrolment["customer"]
    assert '"payee": "ACME GmbH"' in transfer["curl"]
    assert "$IPSE_KEY" in transfer["curl"], "no key is shown"
    assert call("sample", session=transfer["session"], who="same")["status"] == "Approved"
    event = call.decided(transfer["session"])  # type: ignore[attr-defined]
    assert (event["status"], event["raw"], event["canonical"]) == ("Approved", True, True)
    assert transfer["session"] in event["body"]
    assert {"x-signature", "x-signature-v2", "x-timestamp"} <= set(event["headers"])
    assert 0 < event["after_ms"] < (time.monotonic() - begun) * 1000
    claims = event["claims"]
    assert (claims["sid"], claims["sub"], claims["method"]) == (transfer["session"], enrolment["customer"], method)
    assert claims["act"] == json.loads(event["body"])["decision"]["action_hash"], "redeemed for what was shown"


@pytest.mark.models
def test_sample_of_somebody_else_is_declined(call: Call) -> None:
    enrolment = call("enrolments")
    call("sample", session=enrolment["session"], who="same")
    transfer = call("transfers", customer=enrolment["customer"], method="PASSIVE")
    assert call("sample", session=transfer["session"], who="other")["status"] == "Declined"
    assert call.decided(transfer["session"])["status"] == "Declined"  # type: ignore[attr-defined]


@pytest.mark.models
def test_customer_who_leaves_takes_every_picture_along(call: Call, settings: Settings) -> None:
    enrolment = call("enrolments")
    call("sample", session=enrolment["session"], who="same")
    assert _kept(settings) != [0, 0, 0, 0, 0]
    call("forget", customer=enrolment["customer"])
    assert _kept(settings) == [0, 0, 0, 0, 0]


def _kept(settings: Settings) -> list[int]:
    """How many users, reports, submissions, faces and pictures there are. Of a session its number stays."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(settings.resolved_database_url.replace("+aiosqlite", ""))
    with engine.connect() as connection:
        count = sqlalchemy.func.count()
        tables = [sqlalchemy.table(name) for name in ("users", "reports", "captures", "faces", "media")]
        found = [connection.scalar(sqlalchemy.select(count).select_from(table)) or 0 for table in tables]
    engine.dispose()
    return found


async def test_shop_is_nobodys_first_application(services: Services) -> None:
    from ipse.accounts.demo import open_demo_application
    from ipse.accounts.first_run import create_local_organization

    first, second = [await open_demo_application(services) for _ in range(2)]
    assert first != second, "a key is told once"
    assert (await create_local_organization(services)).created, "the operator's own first run is still to come"
    app = build(services.settings, services)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as client:
        answers = [
            (await client.get("/v3/workflows/", headers={"x-api-key": key})).status_code for key in (first, second)
        ]
    assert answers == [403, 200], "a new process ends the key of the one before"


@pytest.mark.models
def test_shop_is_the_same_application_after_a_restart(
    settings: Settings, face_engine: FaceEngine, tmp_path: Any
) -> None:
    from tests.services.server import running_server

    open_shop = settings.model_copy(update={"demo_shop": True})
    for _ in range(2):
        with (
            running_server(open_shop, face_engine) as server,
            Client(base_url=server.url, timeout=PATIENCE_S) as client,
        ):
            assert client.post("/demo/api/enrolments").status_code == 200

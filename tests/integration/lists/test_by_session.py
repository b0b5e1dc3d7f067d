"""Values taken out of sessions, and the older blocklist calls (contract 60, sections 2 and 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from ipse.faces import service as faces
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage.tables import ReportRow, SessionRow, SightingRow
from tests.integration.lists.conftest import SystemList, put
from tests.unit.checks.selfies import template

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

IP_FACTS = {"ip_address": "203.0.113.7", "device_fingerprint": "fp_ab12cd34", "ip_country_code": "ES"}
DOCUMENT_FACTS = {"document_number": "AB 123456", "issuing_state": "FRA"}


async def _session(
    services: Services, application: RegisteredApplication, *, bare: bool = False, number: int = 1
) -> str:
    """A session with everything that can be listed, or with nothing."""
    now = services.clock.now()
    session_id = services.identifiers.uuid()
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        filled: dict[str, Any] = {
            "vendor_data": "eve",
            "contact_details": {"email": "Eve@Bank.dev", "phone": "+34600000000"},
            "action": {"type": "transfer", "account": "ES91 2100 0418"},
        }
        tx.add(
            SessionRow(
                id=session_id,
                application_id=application.id,
                session_number=number,
                kind="HOSTED",
                environment="sandbox",
                status="Declined",
                created_at=now,
                expires_at=now,
                **({} if bare else filled),
            )
        )
        await tx.flush()
        if bare:
            return session_id
        for feature, facts in {"IP_ANALYSIS": IP_FACTS, "OCR": DOCUMENT_FACTS}.items():
            report = {"feature": feature, "node_id": feature, "status": "Approved", "warnings": [], "facts": facts}
            tx.add(
                ReportRow(
                    session_id=session_id,
                    node_id=feature,
                    feature=feature,
                    status="Approved",
                    report=report,
                    created_at=now,
                    updated_at=now,
                )
            )
        tx.add(
            SightingRow(
                id=services.identifiers.uuid(),
                application_id=application.id,
                session_id=session_id,
                seen_at=now,
                ip="2001:db8::7",
                fingerprint="fp_of_the_phone",
                country="PT",
            )
        )
        await faces.add(
            scope,
            user=None,
            session_id=session_id,
            media_id=None,
            template=template(1),
            purpose="probe",
            source="session",
            supplied_by="person",
            searchable=True,
        )
    return session_id


@pytest.mark.parametrize(
    ("entry_type", "value"),
    [
        ("ip_address", "203.0.113.7"),
        ("device_fingerprint", "fp_ab12cd34"),
        ("country", "FRA"),
        ("document", "ab123456"),
        ("phone", "+34600000000"),
        ("email", "eve@bank.dev"),
        ("user", "eve"),
        ("bank_account", "es9121000418"),
    ],
)
async def test_a_value_is_taken_out_of_a_session(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    blocklist: SystemList,
    entry_type: str,
    value: str,
) -> None:
    session_id = await _session(services, application)
    entries = await blocklist(entry_type)
    entry = await put(client, entries, reference_session_id=session_id.upper())
    assert (entry["value"], entry["reference_session_id"]) == (value, session_id)
    found = (await client.get(entries, params={"reference_session_id": session_id})).json()["results"]
    assert [one["uuid"] for one in found] == [entry["uuid"]]
    bare = await _session(services, application, bare=True, number=2)
    refused = await client.post(entries, json={"reference_session_id": bare})
    assert (refused.status_code, list(refused.json())) == (400, ["reference_session_id"])


async def test_one_of_several_values_of_a_session_can_be_picked_but_no_other(
    client: AsyncClient, services: Services, application: RegisteredApplication, blocklist: SystemList
) -> None:
    session_id = await _session(services, application)
    entries = await blocklist("ip_address")
    entry = await put(client, entries, reference_session_id=session_id, value="2001:DB8::7")
    assert entry["value"] == "2001:db8::7"
    refused = await client.post(entries, json={"reference_session_id": session_id, "value": "203.0.113.8"})
    assert (refused.status_code, list(refused.json())) == (400, ["value"])


async def test_what_no_session_has_must_be_sent(
    client: AsyncClient, services: Services, application: RegisteredApplication, blocklist: SystemList
) -> None:
    session_id = await _session(services, application)
    refused = await client.post(await blocklist("key"), json={"reference_session_id": session_id})
    assert (refused.status_code, list(refused.json())) == (400, ["reference_session_id"])


async def test_the_session_of_another_application_does_not_exist(
    client: AsyncClient, services: Services, make_application: MakeApplication, blocklist: SystemList
) -> None:
    session_id = await _session(services, await make_application())
    for entry_type in ("email", "face"):
        answer = await client.post(await blocklist(entry_type), json={"reference_session_id": session_id})
        assert answer.status_code == 404
    for call in ("add", "remove"):
        assert (await client.post(f"/v3/blocklist/{call}/", json={"session_id": session_id})).status_code == 404


EVERYTHING = {"face": True, "document": True, "phone": True, "email": True}


async def test_the_older_calls_block_and_unblock_everything_of_a_session(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    clock: ManualClock,
    blocklist: SystemList,
) -> None:
    session_id = await _session(services, application)
    body = {"session_id": session_id, **{f"blocklist_{kind}": True for kind in EVERYTHING}}
    for _ in range(2):
        answer = await client.post("/v3/blocklist/add/", json=body)
        assert (answer.status_code, answer.json()) == (200, {"session_id": session_id, **EVERYTHING})
        clock.advance(timedelta(seconds=1))
    items = {one["type"]: one for one in (await client.get("/v3/blocklist/")).json()}
    assert len(items) == 4
    assert items["document"]["document_number"] == "ab123456"
    assert items["phone"]["phone_number"] == "+34600000000"
    assert items["email"]["email"] == "eve@bank.dev"
    assert {one["session_number"] for one in items.values()} == {1}
    assert (await client.get(await blocklist("email"))).json()["count"] == 1
    mail = (await client.get("/v3/blocklist/", params={"item_type": "email"})).json()
    assert [one["email"] for one in mail] == ["eve@bank.dev"]
    body = {"session_id": session_id, "unblock_face": True, "unblock_email": True}
    for _ in range(2):
        answer = await client.post("/v3/blocklist/remove/", json=body)
        assert answer.json() == {"session_id": session_id, **EVERYTHING, "face": False, "email": False}
    assert {one["type"] for one in (await client.get("/v3/blocklist/")).json()} == {"document", "phone"}


async def test_the_older_calls_unblock_a_value_however_it_was_listed(
    client: AsyncClient, services: Services, application: RegisteredApplication, blocklist: SystemList
) -> None:
    session_id = await _session(services, application)
    entries = await blocklist("email")
    await put(client, entries, value="eve@bank.dev")
    assert (await client.get("/v3/blocklist/")).json() == []
    await client.post("/v3/blocklist/remove/", json={"session_id": session_id, "unblock_email": True})
    assert (await client.get(entries)).json()["count"] == 0


async def test_the_older_calls_refuse_what_they_cannot_do_whole(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    session_id = await _session(services, application, bare=True)
    for call in ("add", "remove"):
        nothing = await client.post(f"/v3/blocklist/{call}/", json={"session_id": session_id})
        assert nothing.status_code == 400
        assert isinstance(nothing.json(), list)
    for kind in EVERYTHING:
        refused = await client.post("/v3/blocklist/add/", json={"session_id": session_id, f"blocklist_{kind}": True})
        assert refused.status_code == 400
    assert (await client.get("/v3/blocklist/", params={"item_type": "shoe"})).status_code == 400
    removed = await client.post("/v3/blocklist/remove/", json={"session_id": session_id, "unblock_face": True})
    assert removed.json() == {
        "session_id": session_id,
        "face": False,
        "document": False,
        "phone": False,
        "email": False,
    }


async def test_no_application_lists_what_another_has_blocked(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    make_client: MakeClient,
    make_application: MakeApplication,
) -> None:
    session_id = await _session(services, application)
    await client.post("/v3/blocklist/add/", json={"session_id": session_id, "blocklist_email": True})
    other = make_client(await make_application())
    assert (await other.get("/v3/blocklist/")).json() == []

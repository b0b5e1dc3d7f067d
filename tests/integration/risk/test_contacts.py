"""``/v3/email/risk/`` and ``/v3/phone/risk/`` (contract 30, section 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.runtime.application import Mode
from ipse.runtime.services import Services
from ipse.storage.tables import EventRow, SessionRow

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

EMAIL = "/v3/email/risk/"
PHONE = "/v3/phone/risk/"


async def _ask(client: AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _listed(client: AsyncClient, list_type: str, entry_type: str, value: str) -> None:
    if list_type == "allowlist":
        body = {"name": f"ours: {entry_type}", "list_type": list_type, "entry_type": entry_type}
        uuid = (await client.post("/v3/lists/", json=body)).json()["uuid"]
    else:
        query = {"list_type": list_type, "entry_type": entry_type}
        uuid = (await client.get("/v3/lists/", params=query)).json()["results"][0]["uuid"]
    answer = await client.post(f"/v3/lists/{uuid}/entries/", json={"value": value})
    assert answer.status_code == 201, answer.text


def _codes(warnings: Iterable[dict[str, Any]]) -> list[str]:
    return [warning["risk"] for warning in warnings]


async def test_an_honest_address_is_approved_with_its_facts_and_their_sources(client: AsyncClient) -> None:
    body = await _ask(client, EMAIL, email="Ana.Garcia@Bank.es", vendor_data="user-1", metadata={"flow": "login"})
    assert body["status"] == "Approved"
    assert (body["vendor_data"], body["metadata"], body["environment"]) == ("user-1", {"flow": "login"}, "sandbox")
    email = body["email"]
    assert (email["score"], email["risk_level"], email["risk_parts"]) == (0.0, "low", [])
    assert email["enrichment"] == email["email_intelligence"] == {"score": 0.0}
    assert (email["email"], email["normalized_email"]) == ("Ana.Garcia@Bank.es", "ana.garcia@bank.es")
    assert (email["is_disposable"], email["is_undeliverable"], email["is_breached"]) == (False, None, None)
    assert email["sources"]["is_disposable"]["dataset"] == "disposable-email-domains"
    assert "breaches" in email["missing_data"]
    assert 0 < email["confidence"] < 1


async def test_a_disposable_address_is_looked_at_and_says_why(client: AsyncClient) -> None:
    body = await _ask(client, EMAIL, email="x@mailinator.com")
    assert body["status"] == "In Review"
    assert body["email"]["risk_level"] == "high"
    assert [part["code"] for part in body["email"]["risk_parts"]] == ["disposable_domain"]
    (warning,) = body["email"]["warnings"]
    assert (warning["risk"], warning["feature"], warning["log_type"]) == (
        "DISPOSABLE_EMAIL_DETECTED",
        "EMAIL",
        "information",
    )
    assert "node_id" not in warning


async def test_an_address_that_cannot_exist_is_declined(client: AsyncClient) -> None:
    body = await _ask(client, EMAIL, email="ana@example.com")
    assert (body["status"], body["email"]["is_undeliverable"]) == ("Declined", True)
    assert _codes(body["email"]["warnings"]) == ["UNDELIVERABLE_EMAIL_DETECTED"]


async def test_a_tag_or_a_dot_takes_nobody_off_the_blocklist(client: AsyncClient) -> None:
    await _listed(client, "blocklist", "email", "anagarcia@gmail.com")
    for written in ("anagarcia@gmail.com", "Ana.Garcia+2@googlemail.com"):
        body = await _ask(client, EMAIL, email=written)
        assert body["status"] == "Declined"
        assert _codes(body["email"]["warnings"]) == ["EMAIL_IN_BLOCKLIST"]


async def test_an_allowlist_silences_what_can_be_configured_and_no_blocklist(client: AsyncClient) -> None:
    await _listed(client, "allowlist", "email", "x@mailinator.com")
    assert (await _ask(client, EMAIL, email="x@mailinator.com"))["email"]["warnings"] == []
    await _listed(client, "blocklist", "email", "x@mailinator.com")
    body = await _ask(client, EMAIL, email="x@mailinator.com")
    assert _codes(body["email"]["warnings"]) == ["EMAIL_IN_BLOCKLIST"]


async def test_an_honest_number_is_approved_with_its_facts_and_their_sources(client: AsyncClient) -> None:
    body = await _ask(client, PHONE, phone_number="+34 600 123 456")
    phone = body["phone"]
    assert (body["status"], phone["score"], phone["risk_level"]) == ("Approved", 0.0, "low")
    assert (phone["full_number"], phone["phone_number_prefix"], phone["phone_number"]) == (
        "+34600123456",
        "+34",
        "600123456",
    )
    assert (phone["country_code"], phone["country_name"]) == ("ES", "Spain")
    assert phone["carrier"]["type"] == "mobile"
    assert (phone["is_disposable"], phone["is_virtual"], phone["is_valid"]) == (None, False, True)
    assert phone["sources"]["carrier"]["dataset"] == "phonenumbers"


async def test_a_national_number_is_read_with_its_country(client: AsyncClient) -> None:
    body = await _ask(client, PHONE, phone_number="600 123 456", country_code="ESP")
    assert (body["phone"]["full_number"], body["phone"]["country_mismatch"]) == ("+34600123456", False)
    refused = await client.post(PHONE, json={"phone_number": "600 123 456"})
    assert refused.status_code == 400
    assert "country_code" in refused.json()["phone_number"][0]


@pytest.mark.parametrize(
    ("number", "status", "codes"),
    [
        ("+445601234567", "Approved", ["VOIP_NUMBER_DETECTED"]),
        ("+19005551234", "Declined", ["HIGH_RISK_PHONE_NUMBER"]),
        ("+12025550123", "Declined", ["HIGH_RISK_PHONE_NUMBER"]),
        ("+34112", "Declined", ["HIGH_RISK_PHONE_NUMBER"]),
    ],
)
async def test_the_kind_of_a_number_decides_its_warnings(
    client: AsyncClient, number: str, status: str, codes: list[str]
) -> None:
    body = await _ask(client, PHONE, phone_number=number)
    assert (body["status"], _codes(body["phone"]["warnings"])) == (status, codes)


async def test_a_blocklisted_number_is_declined_however_it_is_written(client: AsyncClient) -> None:
    await _listed(client, "blocklist", "phone", "+34600123456")
    body = await _ask(client, PHONE, phone_number="0034 600-123-456", country_code="ES")
    assert (body["status"], _codes(body["phone"]["warnings"])) == ("Declined", ["PHONE_NUMBER_IN_BLOCKLIST"])


async def test_another_country_than_claimed_is_said_and_scored(client: AsyncClient) -> None:
    email = (await _ask(client, EMAIL, email="ana@bank.es", country_code="FR"))["email"]
    phone = (await _ask(client, PHONE, phone_number="+34600123456", country_code="FR"))["phone"]
    for found in (email, phone):
        assert found["country_mismatch"] is True
        assert [part["code"] for part in found["risk_parts"]] == ["country_mismatch"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (EMAIL, {}, "email"),
        (EMAIL, {"email": "ana"}, "email"),
        (EMAIL, {"email": 5}, "email"),
        (EMAIL, {"email": "a" * 600 + "@bank.es"}, "email"),
        (EMAIL, {"email": "ana@bank.es", "country_code": "Narnia"}, "country_code"),
        (EMAIL, {"email": "ana@bank.es", "country_code": "XX"}, "country_code"),
        (EMAIL, {"email": "ana@bank.es", "vendor_data": "x" * 257}, "vendor_data"),
        (EMAIL, {"email": "ana@bank.es", "metadata": "text"}, "metadata"),
        (PHONE, {}, "phone_number"),
        (PHONE, {"phone_number": "hello"}, "phone_number"),
        (PHONE, {"phone_number": "+999123456"}, "phone_number"),
        (PHONE, {"phone_number": "9" * 65}, "phone_number"),
    ],
)
async def test_what_cannot_be_read_names_its_field(
    client: AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 400
    assert field in answer.json()


@pytest.mark.parametrize(("path", "body"), [(EMAIL, {"email": "a@b.de"}), (PHONE, {"phone_number": "+34600123456"})])
async def test_strangers_are_refused(
    make_client: Callable[[RegisteredApplication | None], AsyncClient], path: str, body: dict[str, Any]
) -> None:
    assert (await make_client(None).post(path, json=body)).status_code == 403


async def test_lists_of_another_application_have_no_effect(
    make_client: Callable[..., AsyncClient], make_application: Callable[..., Any]
) -> None:
    theirs, ours = make_client(await make_application()), make_client(await make_application(mode=Mode.LIVE))
    await _listed(theirs, "blocklist", "email", "ana@bank.es")
    body = await _ask(ours, EMAIL, email="ana@bank.es")
    assert (body["status"], body["environment"], body["email"]["warnings"]) == ("Approved", "live", [])


async def test_nothing_is_stored(client: AsyncClient, services: Services) -> None:
    await _ask(client, EMAIL, email="ana@bank.es", vendor_data="user-1")
    await _ask(client, PHONE, phone_number="+34600123456", vendor_data="user-1")
    async with services.database.reading() as tx:
        for table in (SessionRow, EventRow):
            assert (await tx.execute(select(func.count()).select_from(table))).scalar_one() == 0
    assert (await client.get("/v3/users/user-1/")).status_code == 404

"""IP_ANALYSIS inside sessions: what was seen before counts, and the address gate lets trusted devices only through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.clock import ManualClock
from ipse.decision.signal_catalogue import problems_of
from ipse.devices import service as devices
from ipse.runtime.application import SandboxEngine
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.samples.scenes import selfie
from ipse.settings import Settings
from ipse.storage.tables import SightingRow, UserDeviceRow
from tests.services.applications import RegisteredApplication, register_application
from tests.services.intelligence import HOME, NEW_YORK, behind_a_proxy
from tests.services.intelligence import MADRID_CLOUD as CLOUD
from tests.services.intelligence import MADRID_VPN as VPN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient

pytestmark = pytest.mark.anyio

GATE = "wf_ip_gated_step_up"
PHONE = {
    "user-agent": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.4 Mobile/15E148 Safari/604.1"
    ),
    "accept-language": "es-ES,es;q=0.9",
    "x-didit-pid": "phone-of-u-0123456789",
    "x-didit-fp-hash": "a" * 32,
}
LAPTOP = {**PHONE, "x-didit-pid": "laptop-of-u-0123456789", "x-didit-fp-hash": "b" * 32}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return behind_a_proxy(settings)


@pytest.fixture
async def application(make_application: MakeApplication) -> RegisteredApplication:
    """A sandbox application whose checks are real; an unknown person's first session enrols them."""
    return await make_application(engine=SandboxEngine.REAL, enroll_on_first_use=True)


async def create(client: AsyncClient, workflow_id: str = GATE, **body: Any) -> dict[str, Any]:
    response = await client.post("/v3/session/", json={"workflow_id": workflow_id, "vendor_data": "u", **body})
    assert response.status_code == 201, response.text
    session: dict[str, Any] = response.json()
    return session


async def open_at(
    client: AsyncClient, session: dict[str, Any], address: str = HOME, device: Mapping[str, str] = PHONE
) -> dict[str, Any]:
    headers = {"Session-Token": session["session_token"], "x-forwarded-for": address, **device}
    response = await client.post("/v1/capture/start/", headers=headers)
    assert response.status_code == 200, response.text
    state: dict[str, Any] = response.json()
    return state


async def analysis_of(client: AsyncClient, session: dict[str, Any]) -> dict[str, Any]:
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    (item,) = decision["ip_analyses"]
    return dict(item)


async def visit(
    client: AsyncClient, address: str = HOME, device: Mapping[str, str] = PHONE, **body: Any
) -> dict[str, Any]:
    """Open a session of the gate; return the item of its address analysis, with ``session_status``."""
    session = await create(client, **body)
    state = await open_at(client, session, address, device)
    return {**await analysis_of(client, session), "session_status": state["status"], "step": state["step"]}


async def meet(client: AsyncClient, address: str = HOME, device: Mapping[str, str] = PHONE, **body: Any) -> None:
    """Open a session that nobody finishes: the device has been seen, and nothing ended well on it."""
    await open_at(client, await create(client, "wf_enrolment", **body), address, device)


def risks(item: dict[str, Any]) -> set[str]:
    return {warning["risk"] for warning in item["warnings"]}


async def trust_everything(services: Services, application: RegisteredApplication) -> None:
    """The integrator vouches for each device it has seen, as PATCH on the user's devices does."""
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        for use in (await tx.scalars(select(UserDeviceRow))).all():
            await devices.trust(scope, user_id=use.user_id, device_id=use.device_id, by="integrator")


async def test_a_first_visit_is_located_and_asks_for_a_face(client: AsyncClient) -> None:
    item = await visit(client)
    assert item["step"]["node_id"] == "feature_liveness"
    assert (item["ip_country_code"], item["ip_city"], item["isp"]) == ("ES", "Madrid", "Casa Telecom")
    assert (item["is_vpn_or_tor"], item["is_data_center"]) == (False, False)
    assert (item["is_known_device"], item["is_trusted_device"]) == (False, False)
    assert item["sources"]["country"]["dataset"] == "own/places.csv"
    assert item["platform"] == "mobile"
    assert isinstance(item["score"], int | float)


async def test_a_clean_address_on_a_trusted_device_needs_no_face(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await meet(client)
    await trust_everything(services, application)
    item = await visit(client)
    assert item["session_status"] == "Approved", item
    assert (item["is_trusted_device"], item["warnings"]) == (True, [])
    assert item["score"] < 30
    known = await visit(client)
    assert (known["is_known_device"], known["is_known_network"]) == (True, True)


@pytest.mark.parametrize(
    ("address", "device"),
    [
        (VPN, PHONE),
        (CLOUD, PHONE),
        ("127.0.0.1", PHONE),
        ("8.8.8.8", PHONE),
        (HOME, LAPTOP),
        (HOME, {**PHONE, "x-didit-pid": ""}),
        (HOME, {**PHONE, "user-agent": PHONE["user-agent"].replace("Version/17.4", "HeadlessChrome/126")}),
    ],
    ids=["VPN", "data centre", "private", "unknown place", "other device", "no id kept", "automated"],
)
async def test_anything_else_asks_for_the_face(
    client: AsyncClient,
    services: Services,
    application: RegisteredApplication,
    address: str,
    device: dict[str, str],
) -> None:
    await meet(client)
    await trust_everything(services, application)
    assert (await visit(client))["session_status"] == "Approved"
    item = await visit(client, address, device)
    assert item["session_status"] == "In Progress", item
    assert item["step"]["node_id"] == "feature_liveness"


async def test_a_failed_attempt_makes_nothing_known(client: AsyncClient) -> None:
    await meet(client, NEW_YORK, LAPTOP)
    item = await visit(client, NEW_YORK, LAPTOP)
    assert (item["is_known_device"], item["is_known_network"], item["is_known_country"]) == (False, False, False)
    assert item["is_trusted_device"] is False


async def test_a_stolen_cookie_from_another_country_is_impossible_travel(
    client: AsyncClient, services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    await meet(client)
    await trust_everything(services, application)
    await visit(client)
    clock.advance(timedelta(minutes=30))
    item = await visit(client, NEW_YORK)
    assert {"COUNTRY_FLIP_DETECTED", "IMPOSSIBLE_TRAVEL_DETECTED"} <= risks(item)
    assert (item["status"], item["session_status"]) == ("In Review", "In Progress")
    (told,) = (one for one in item["warnings"] if one["risk"] == "IMPOSSIBLE_TRAVEL_DETECTED")
    assert told["additional_data"]["last_country_code"] == "ES"
    assert told["feature"] == "LOCATION"


async def test_another_person_on_the_same_device_and_address_is_matched(client: AsyncClient) -> None:
    first = await create(client, "wf_enrolment", vendor_data="somebody else")
    await open_at(client, first)
    item = await visit(client)
    assert {"DUPLICATED_IP_ADDRESS", "DUPLICATED_DEVICE_FINGERPRINT"} <= risks(item)
    kinds = {match["match_type"]: match for match in item["matches"]}
    assert kinds["device_fingerprint"]["session_id"] == first["session_id"]
    assert kinds["device_fingerprint"]["match_source"] == "persistent_id"
    assert kinds["ip_address"]["vendor_data"] == "somebody else"
    assert (await visit(client, vendor_data="third", device=LAPTOP, address=NEW_YORK))["matches"] == []


async def test_listed_addresses_and_devices_count(client: AsyncClient) -> None:
    lists = (await client.get("/v3/lists/")).json()
    rows = lists["results"] if isinstance(lists, dict) else lists
    ids = {(one["list_type"], one["entry_type"]): one["uuid"] for one in rows}
    entry = {"value": "88.12.0.0/24"}
    added = await client.post(f"/v3/lists/{ids['blocklist', 'ip_address']}/entries/", json=entry)
    assert added.status_code == 201, added.text
    item = await visit(client)
    assert item["status"] == "Declined"
    assert risks(item) == {"IP_ADDRESS_IN_BLOCKLIST"}
    assert item["session_status"] == "In Progress", "the gate leads to the face; its result decides together"


async def test_the_expected_address_is_compared(client: AsyncClient) -> None:
    fits = await visit(client, expected_details={"ip_address": HOME}, vendor_data="at home")
    assert "IP_ADDRESS_MISMATCH_WITH_PROVIDED" not in risks(fits)
    other = await visit(client, NEW_YORK, expected_details={"ip_address": HOME}, vendor_data="elsewhere")
    assert "IP_ADDRESS_MISMATCH_WITH_PROVIDED" in risks(other)


async def test_a_forged_header_changes_nothing_without_a_trusted_proxy(
    make_client: MakeClient, application: RegisteredApplication
) -> None:
    client = make_client(application)
    item = await visit(client, f"{NEW_YORK}, {HOME}")
    assert item["ip_address"] == HOME, "only the entry that the trusted hop wrote is believed"


async def test_address_place_past_and_lists_become_signals_of_the_session(client: AsyncClient) -> None:
    session = await create(client, expected_details={"ip_address": HOME}, contact_details={"email": "u@bank.example"})
    await open_at(client, session)
    answer = (await client.get(f"/v3/session/{session['session_id']}/signals/")).json()
    values = answer["signals"]
    assert problems_of(values) == ()
    told = {
        "ip.country": "ES",
        "ip.connection": "residential",
        "device.form": "mobile",
        "ip.is_hidden": False,
        "place.is_expected_address": True,
        "place.is_country_in_languages": True,
        "history.sightings": 0,
        "history.is_known_device": False,
        "list.is_address_blocklisted": False,
        "list.is_email_blocklisted": False,
        "list.is_country_high_risk": False,
    }
    assert {code: values.get(code) for code in told} == told
    item = await analysis_of(client, session)
    assert values["history.risk_score"] == item["score"]


async def test_the_signals_are_those_of_the_latest_address(client: AsyncClient) -> None:
    session = await create(client)
    await open_at(client, session)
    await open_at(client, session, "8.8.8.8")
    values = (await client.get(f"/v3/session/{session['session_id']}/signals/")).json()["signals"]
    assert values["ip.network"] == "8.8.8.0/24"
    assert not {"ip.country", "ip.city", "place.local_hour"} & set(values), "nothing of the first address is left"


async def test_the_second_device_of_a_hand_off_counts(client: AsyncClient) -> None:
    session = await create(client)
    await open_at(client, session, device=LAPTOP)
    offered = await client.post("/v1/capture/handoffs/", headers={"Session-Token": session["session_token"]})
    token = offered.json()["url"].rsplit("/", 1)[1]
    opened = await client.post("/v1/capture/handoffs/open/", json={"token": token})
    phone = {"session_token": opened.json()["session_token"]}
    confirmed = await client.post("/v1/capture/handoffs/confirm/", headers={"Session-Token": phone["session_token"]})
    assert confirmed.status_code == 200, confirmed.text
    await open_at(client, phone, device=PHONE)
    values = (await client.get(f"/v3/session/{session['session_id']}/signals/")).json()["signals"]
    assert values["history.session_devices"] == 2


async def test_reloading_is_no_second_visit(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    session = await create(client)
    for _ in range(3):
        await open_at(client, session)
    async with services.database.reading() as tx:
        rows = (await tx.scalars(select(SightingRow))).all()
    assert [(row.ip, row.country, row.session_id) for row in rows] == [(HOME, "ES", session["session_id"])]
    assert (await analysis_of(client, session))["is_known_device"] is False


async def test_the_past_of_another_application_is_not_told(
    client: AsyncClient, services: Services, make_application: MakeApplication, make_client: MakeClient
) -> None:
    other = await make_application(engine=SandboxEngine.REAL, enroll_on_first_use=True)
    await meet(make_client(other), vendor_data="somebody else")
    await meet(make_client(other))
    await trust_everything(services, other)
    item = await visit(client)
    assert (item["matches"], item["is_trusted_device"]) == ([], False)
    assert "DUPLICATED_IP_ADDRESS" not in risks(item)


@pytest.mark.parametrize("scenario", [None, "decline_ip_blocklist"])
async def test_the_sandbox_answers_as_before(
    make_application: MakeApplication, make_client: MakeClient, scenario: str | None
) -> None:
    client = make_client(await make_application(enroll_on_first_use=True))
    item = await visit(client, sandbox_scenario=scenario)
    assert item["ip_address"] == "198.51.100.7", "the fictional person's, whoever calls"


@pytest.fixture
async def client_with_faces(services_with_faces: Services) -> AsyncIterator[AsyncClient]:
    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    application = await register_application(services_with_faces, engine=SandboxEngine.REAL, enroll_on_first_use=True)
    app = build(services_with_faces.settings, services_with_faces)
    async with AsyncClient(
        transport=ASGITransport(app), base_url="http://testserver", headers={"x-api-key": application.key}
    ) as client:
        yield client


@pytest.mark.models
async def test_a_face_approved_on_a_device_saves_the_next_one(
    client_with_faces: AsyncClient, portraits: Mapping[str, bytes]
) -> None:
    client = client_with_faces
    session = await create(client, "wf_enrolment")
    state = await open_at(client, session)
    headers = {"Session-Token": session["session_token"], "x-forwarded-for": HOME, **PHONE}
    response = await client.post(
        f"/v1/capture/steps/{state['step']['node_id']}/",
        headers=headers,
        files=[("frames", ("1.jpg", selfie("obama_1", portraits["obama_1"], seed=1), "image/jpeg"))],
        data={"submission_key": "k"},
    )
    assert response.json()["status"] == "Approved", response.text
    again = await visit(client)
    assert (again["session_status"], again["is_trusted_device"]) == ("Approved", True), again
    elsewhere = await visit(client, HOME, LAPTOP)
    assert elsewhere["session_status"] == "In Progress"

"""``/v3/ip/risk/`` (contract 30, section 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.clock import ManualClock
from ipse.devices import service as devices
from ipse.intelligence.facts import DeviceFacts
from ipse.intelligence.network import NetworkIntelligence
from ipse.runtime.application import Mode
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.storage.tables import SessionRow, SightingRow, UserRow

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

IP = "/v3/ip/risk/"
HOME, ABROAD, EXIT, CLOUD = "45.10.0.7", "46.20.0.7", "47.30.0.7", "48.40.0.7"
PLACES = """network,country,city,latitude,longitude,operator,is_vpn,is_proxy,is_tor,is_datacenter
45.10.0.0/16,ES,Madrid,40.4,-3.7,Casa Telecom,false,false,false,false
46.20.0.0/16,AU,Sydney,-33.9,151.2,Down Under Net,false,false,false,false
47.30.0.0/16,DE,Berlin,52.5,13.4,Onion Friends,false,false,true,false
48.40.0.0/16,IE,Dublin,53.3,-6.3,Big Cloud,false,false,false,true
2a0e:ffff::/32,FR,Paris,48.9,2.4,Six Net,false,false,false,false
"""


@pytest.fixture
def services(services: Services, tmp_path: Path) -> Services:
    """The parts of one process with an operator's own table of places, and nothing else but what packages bring."""
    folder = tmp_path / "places"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "places.csv").write_text(PLACES, "utf-8")
    return replace(services, network=NetworkIntelligence.load(folder))


@pytest.fixture
async def live(make_application: Callable[..., Any]) -> RegisteredApplication:
    """A live application: its answers come from the data."""
    made: RegisteredApplication = await make_application(mode=Mode.LIVE)
    return made


@pytest.fixture
def caller(make_client: Callable[..., AsyncClient], live: RegisteredApplication) -> AsyncClient:
    return make_client(live)


async def _ask(client: AsyncClient, address: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(IP, json={"ip_address": address, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _codes(found: Iterable[dict[str, Any]], key: str = "risk") -> list[str]:
    return [one[key] for one in found]


async def _block(client: AsyncClient, network: str) -> None:
    query = {"list_type": "blocklist", "entry_type": "ip_address"}
    uuid = (await client.get("/v3/lists/", params=query)).json()["results"][0]["uuid"]
    assert (await client.post(f"/v3/lists/{uuid}/entries/", json={"value": network})).status_code == 201


async def _seen(services: Services, application: RegisteredApplication, vendor_data: str, address: str) -> None:
    """An approved session of a person at an address."""
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        now = services.clock.now()
        session_id = services.identifiers.uuid()
        tx.add(
            SessionRow(
                id=session_id,
                application_id=application.id,
                session_number=(await tx.execute(select(func.count()).select_from(SessionRow))).scalar_one() + 1,
                environment="live",
                status="Approved",
                vendor_data=vendor_data,
                created_at=now,
                expires_at=now + timedelta(days=7),
            )
        )
        await tx.flush()
        network = services.network.look_up(address, on=now.date())
        await devices.remember(
            scope, vendor_data=vendor_data, device=DeviceFacts(), network=network, session_id=session_id
        )


async def test_a_homely_address_is_approved_with_place_operator_and_sources(caller: AsyncClient) -> None:
    body = await _ask(caller, HOME, vendor_data="user-1", metadata={"flow": "login"}, claimed_country="ESP")
    assert (body["status"], body["vendor_data"], body["metadata"]) == ("Approved", "user-1", {"flow": "login"})
    ip = body["ip"]
    assert (ip["ip_country_code"], ip["ip_country"], ip["ip_city"]) == ("ES", "Spain", "Madrid")
    assert (ip["latitude"], ip["longitude"], ip["isp"]) == (40.4, -3.7, "Casa Telecom")
    assert (ip["is_vpn_or_tor"], ip["is_data_center"], ip["is_bogon"]) == (False, False, False)
    assert (ip["claimed_country"], ip["country_mismatch"]) == ("ES", False)
    assert (ip["risk_level"], ip["warnings"]) == ("low", [])
    assert set(ip["sources"]["country"]) == {"dataset", "version", "published", "age_days", "is_stale"}


async def test_a_tor_exit_is_looked_at_and_the_score_names_its_parts(caller: AsyncClient) -> None:
    body = await _ask(caller, EXIT)
    assert (body["status"], body["ip"]["risk_level"], body["ip"]["is_vpn_or_tor"]) == ("In Review", "high", True)
    assert "tor" in _codes(body["ip"]["risk_parts"], "code")
    assert "PRIVATE_NETWORK_DETECTED" in _codes(body["ip"]["warnings"])
    assert body["ip"]["score"] == min(100, max(0, sum(part["points"] for part in body["ip"]["risk_parts"])))


async def test_a_data_centre_alone_does_not_decide(caller: AsyncClient) -> None:
    body = await _ask(caller, CLOUD)
    assert (body["status"], body["ip"]["is_data_center"], body["ip"]["is_vpn_or_tor"]) == ("Approved", True, False)


async def test_a_wrong_claim_is_said_and_scored(caller: AsyncClient) -> None:
    plain, claimed = await _ask(caller, HOME), await _ask(caller, HOME, claimed_country="FR")
    assert (plain["ip"]["country_mismatch"], claimed["ip"]["country_mismatch"]) == (None, True)
    assert "claimed_country_mismatch" in _codes(claimed["ip"]["risk_parts"], "code")
    assert claimed["ip"]["score"] > plain["ip"]["score"]


@pytest.mark.parametrize(
    ("address", "special"),
    [("10.1.2.3", "private"), ("127.0.0.1", "loopback"), ("203.0.113.9", "documentation"), ("::1", "loopback")],
)
async def test_an_address_that_lies_nowhere_is_never_approved(
    caller: AsyncClient, client: AsyncClient, address: str, special: str
) -> None:
    for asked in (caller, client):
        body = await _ask(asked, address)
        assert (body["status"], body["ip"]["is_bogon"], body["ip"]["special"]) == ("In Review", True, special)
        assert _codes(body["ip"]["warnings"]) == ["IP_LOCATION_NOT_DETERMINED"]
        assert body["ip"]["ip_country_code"] is None


async def test_an_address_without_data_is_never_approved_and_says_what_is_missing(caller: AsyncClient) -> None:
    body = await _ask(caller, "91.64.12.3")
    assert (body["status"], body["ip"]["ip_country_code"]) == ("In Review", None)
    assert body["ip"]["missing_data"]
    assert "IP_LOCATION_NOT_DETERMINED" in _codes(body["ip"]["warnings"])


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("::ffff:45.10.0.7", HOME), (" 45.10.0.7 ", HOME), ("[2A0E:FFFF:0::1]", "2a0e:ffff::1")],
)
async def test_writings_of_one_address_are_the_same_address(caller: AsyncClient, written: str, canonical: str) -> None:
    body = await _ask(caller, written)
    assert body["ip"]["ip_address"] == canonical
    assert body["ip"]["ip_country_code"] in {"ES", "FR"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ip_address"),
        ({"ip_address": ""}, "ip_address"),
        ({"ip_address": "localhost"}, "ip_address"),
        ({"ip_address": "45.10.0.7:443"}, "ip_address"),
        ({"ip_address": "45.10.0.0/16"}, "ip_address"),
        ({"ip_address": "fe80::1%eth0"}, "ip_address"),
        ({"ip_address": "045.10.0.7"}, "ip_address"),
        ({"ip_address": "1.2.3.4.5"}, "ip_address"),
        ({"ip_address": 7}, "ip_address"),
        ({"ip_address": HOME, "claimed_country": "Atlantis"}, "claimed_country"),
        ({"ip_address": HOME, "claimed_country": "ZZ"}, "claimed_country"),
        ({"ip_address": HOME, "vendor_data": ""}, "vendor_data"),
        ({"ip_address": HOME, "metadata": []}, "metadata"),
    ],
)
async def test_what_cannot_be_read_names_its_field(caller: AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await caller.post(IP, json=body)
    assert answer.status_code == 400
    assert field in answer.json()


async def test_a_blocklisted_network_declines_every_address_in_it(caller: AsyncClient) -> None:
    await _block(caller, "45.10.0.0/24")
    body = await _ask(caller, HOME)
    assert (body["status"], body["ip"]["risk_level"]) == ("Declined", "high")
    assert _codes(body["ip"]["warnings"]) == ["IP_ADDRESS_IN_BLOCKLIST"]
    assert (await _ask(caller, "45.10.1.7"))["status"] == "Approved"


async def test_a_known_person_is_told_from_a_new_place(
    caller: AsyncClient, live: RegisteredApplication, services: Services, clock: ManualClock
) -> None:
    assert (await _ask(caller, HOME, vendor_data="user-1"))["ip"]["history"]["sightings"] == 0
    await _seen(services, live, "user-1", HOME)
    clock.advance(timedelta(days=3))
    home = (await _ask(caller, HOME, vendor_data="user-1"))["ip"]["history"]
    assert (home["sightings"], home["is_known_network"], home["is_known_country"]) == (1, True, True)
    assert (home["last_country_code"], home["is_country_flip"]) == ("ES", False)
    abroad = await _ask(caller, ABROAD, vendor_data="user-1")
    assert (abroad["status"], abroad["ip"]["history"]["is_country_flip"]) == ("Approved", True)
    assert "COUNTRY_FLIP_DETECTED" in _codes(abroad["ip"]["warnings"])
    assert (await _ask(caller, ABROAD))["ip"]["history"] is None
    other = (await _ask(caller, HOME, vendor_data="user-2"))["ip"]["history"]
    assert (other["sightings"], other["is_known_network"]) == (0, False)


async def test_a_way_no_airliner_covers_is_looked_at(
    caller: AsyncClient, live: RegisteredApplication, services: Services, clock: ManualClock
) -> None:
    await _seen(services, live, "user-1", HOME)
    clock.advance(timedelta(hours=1))
    body = await _ask(caller, ABROAD, vendor_data="user-1")
    assert body["status"] == "In Review"
    assert "IMPOSSIBLE_TRAVEL_DETECTED" in _codes(body["ip"]["warnings"])


async def test_a_person_of_another_application_is_nobody(
    make_client: Callable[..., AsyncClient],
    make_application: Callable[..., Any],
    live: RegisteredApplication,
    services: Services,
) -> None:
    await _seen(services, live, "user-1", HOME)
    stranger = make_client(await make_application(mode=Mode.LIVE))
    assert (await _ask(stranger, HOME, vendor_data="user-1"))["ip"]["history"]["sightings"] == 0


async def test_the_sandbox_answers_every_public_address_with_one_place(client: AsyncClient) -> None:
    for address in (HOME, EXIT, "2a0e:ffff::1"):
        body = await _ask(client, address, claimed_country="US")
        assert (body["status"], body["environment"]) == ("Approved", "sandbox")
        assert (body["ip"]["ip_address"], body["ip"]["ip_city"]) == (address, "Springfield")
        assert (body["ip"]["score"], body["ip"]["risk_level"]) == (11.0, "low")


async def test_a_program_that_drives_the_browser_is_noticed_by_its_user_agent(caller: AsyncClient) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0 Safari/537.36"
    body = await _ask(caller, HOME, user_agent=agent)
    assert "AUTOMATION_FRAMEWORK_DETECTED" in _codes(body["ip"]["warnings"])
    assert body["status"] == "In Review"


async def test_nothing_is_stored(caller: AsyncClient, services: Services) -> None:
    await _ask(caller, HOME, vendor_data="user-1")
    async with services.database.reading() as tx:
        for table in (SessionRow, SightingRow, UserRow):
            assert (await tx.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_strangers_are_refused(make_client: Callable[..., AsyncClient]) -> None:
    assert (await make_client(None).post(IP, json={"ip_address": HOME})).status_code == 403


async def test_a_risk_call_with_an_idempotency_key_is_answered_once(caller: AsyncClient) -> None:
    headers = {"Idempotency-Key": "asked-before-the-transfer"}
    first, again = [await caller.post(IP, json={"ip_address": HOME}, headers=headers) for _ in range(2)]
    assert first.status_code == 200
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"

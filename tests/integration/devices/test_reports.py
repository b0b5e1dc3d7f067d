"""A page reports its device with the start of a session, or after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.runtime.services import Services
from ipse.storage.tables import DeviceRow, HandoffRow, SessionRow, SightingRow, UserDeviceRow
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

pytestmark = pytest.mark.anyio

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
REPORT: dict[str, Any] = {
    "persistent_id": "k3J9x0QmT1aVbN7cZpLwSg",
    "user_agent": CHROME,
    "navigator_platform": "Win32",
    "vendor": "Google Inc.",
    "screen_width": 1920,
    "screen_height": 1080,
    "cores": 8,
    "memory_gb": 8,
    "touch_points": 0,
    "colour_depth": 24,
    "webgl_renderer": "ANGLE (NVIDIA)",
    "digests": {"canvas": "c" * 32, "audio": "a" * 32},
    "unheard_of": True,
}


async def create(client: AsyncClient) -> dict[str, Any]:
    response = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment", "vendor_data": "ada"})
    assert response.status_code == 201, response.text
    session: dict[str, Any] = response.json()
    return session


async def post(client: AsyncClient, path: str, token: str, body: Any = None) -> Response:
    headers = {"Session-Token": token, "user-agent": CHROME}
    return await client.post(f"/v1/capture/{path}", headers=headers, json=body)


async def test_a_report_that_comes_with_the_start_is_kept_and_the_device_remembered(
    client: AsyncClient, services: Services
) -> None:
    session = await create(client)
    assert (await post(client, "start/", session["session_token"], {"device": REPORT})).status_code == 200
    async with services.database.reading() as tx:
        row = await tx.get_one(SessionRow, session["session_id"])
        device = (await tx.scalars(select(DeviceRow))).one()
        sighting = (await tx.scalars(select(SightingRow))).one()
    assert row.evidence["device_reports"]["first"]["cores"] == 8
    assert "unheard_of" not in row.evidence["device_reports"]["first"]
    assert (sighting.device_id, sighting.vendor_data) == (device.id, "ada")
    assert device.details["browser_family"] == "Chrome"
    assert REPORT["persistent_id"] not in str((row.evidence, device.components, device.persistent_hash))


async def test_a_report_that_comes_later_is_kept_too(client: AsyncClient, services: Services) -> None:
    session = await create(client)
    assert (await post(client, "start/", session["session_token"])).status_code == 200
    answer = await post(client, "device/", session["session_token"], REPORT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await post(client, "start/", session["session_token"])).status_code == 200
    async with services.database.reading() as tx:
        devices = (await tx.scalars(select(DeviceRow))).all()
        sightings = (await tx.scalars(select(SightingRow))).all()
    assert len(devices) == 1, "a call without a report is still one of the device that reported"
    assert {sighting.device_id for sighting in sightings} == {None, devices[0].id}


async def test_each_device_of_a_hand_off_has_its_own_report(client: AsyncClient, services: Services) -> None:
    session = await create(client)
    token = session["session_token"]
    await post(client, "start/", token, {"device": REPORT})
    offered = (await post(client, "handoffs/", token)).json()["url"].partition("?")[0].rsplit("/", 1)[1]
    second = (await post(client, "handoffs/open/", "", {"token": offered})).json()["session_token"]
    await post(client, "handoffs/confirm/", second)
    other = {**REPORT, "persistent_id": "p" * 22, "cores": 4}
    assert (await post(client, "start/", second, {"device": other})).status_code == 200
    async with services.database.reading() as tx:
        row = await tx.get_one(SessionRow, session["session_id"])
        handoff = (await tx.scalars(select(HandoffRow))).one()
        assert len((await tx.scalars(select(DeviceRow))).all()) == 2
    cores = {holder: report["cores"] for holder, report in row.evidence["device_reports"].items()}
    assert cores == {"first": 8, handoff.id: 4}


async def test_an_approved_face_makes_the_reported_device_trusted(client: AsyncClient, services: Services) -> None:
    session = await create(client)
    await post(client, "start/", session["session_token"], {"device": REPORT})
    await finish_session(client, session["session_token"], [flat_jpeg()])
    async with services.database.reading() as tx:
        use = (await tx.scalars(select(UserDeviceRow))).one()
    assert use.trusted_at is not None
    assert use.trusted_by == "session"


async def test_decisions_do_not_show_the_report(client: AsyncClient) -> None:
    session = await create(client)
    await post(client, "start/", session["session_token"], {"device": REPORT})
    decision = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    assert "device_reports" not in str(decision)


@pytest.mark.parametrize(
    "bad", [{"persistent_id": "digest:" + "0" * 20}, {"cores": "many"}, {"languages": ["x" * 36]}, {"source": "tv"}]
)
async def test_what_is_no_report_is_refused(client: AsyncClient, bad: dict[str, Any]) -> None:
    token = (await create(client))["session_token"]
    assert (await post(client, "device/", token, {**REPORT, **bad})).status_code == 400
    assert (await post(client, "start/", token, {"device": {**REPORT, **bad}})).status_code == 400


async def test_a_report_is_bounded(client: AsyncClient) -> None:
    token = (await create(client))["session_token"]
    answer = await post(client, "device/", token, {"padding": "x" * 32_768})
    assert answer.status_code == 413, answer.text
    assert (await post(client, "start/", token, {"padding": "x" * 32_768})).status_code == 413


async def test_a_report_needs_the_token_of_a_session_that_goes_on(client: AsyncClient) -> None:
    assert (await post(client, "device/", "x" * 12, REPORT)).status_code == 403
    session = await create(client)
    await post(client, "start/", session["session_token"])
    await finish_session(client, session["session_token"], [flat_jpeg()])
    assert (await post(client, "device/", session["session_token"], REPORT)).status_code == 409


async def test_an_app_tells_that_it_has_an_attestation_and_the_attestation_is_not_kept(
    client: AsyncClient, services: Services
) -> None:
    session = await create(client)
    report = {"source": "android", "is_rooted": False, "attestation": "secret-blob", "persistent_id": "q" * 22}
    assert (await post(client, "device/", session["session_token"], report)).status_code == 204
    async with services.database.reading() as tx:
        row = await tx.get_one(SessionRow, session["session_id"])
    kept = row.evidence["device_reports"]["first"]
    assert (kept["has_attestation"], kept["is_rooted"]) == (True, False)
    assert "secret-blob" not in str(kept)

"""Signals of a session: computed while it runs, read by its rules, shown in its decision, and gone with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from ipse.app import build
from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.runtime.application import SandboxEngine
from ipse.runtime.services import Services
from ipse.samples.scenes import selfie
from ipse.settings import Settings
from ipse.storage.tables import SessionSignalsRow
from tests.services.applications import RegisteredApplication, register_application
from tests.services.intelligence import HOME, VPN, behind_a_proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient

pytestmark = pytest.mark.anyio

OBSERVED = {
    "camera": {"label": "FaceTime HD Camera", "facing": "user", "width": 1280, "height": 720, "frame_rate": 30},
    "frame_times_ms": [0, 33, 66, 99, 133],
    "automatic": True,
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return behind_a_proxy(settings)


@pytest.fixture
async def application(make_application: MakeApplication) -> RegisteredApplication:
    return await make_application()


async def create(client: AsyncClient, workflow_id: str, **body: Any) -> dict[str, Any]:
    response = await client.post("/v3/session/", json={"workflow_id": workflow_id, "vendor_data": "u", **body})
    assert response.status_code == 201, response.text
    session: dict[str, Any] = response.json()
    return session


async def start(client: AsyncClient, session: dict[str, Any], address: str = HOME) -> dict[str, Any]:
    headers = {"Session-Token": session["session_token"], "x-forwarded-for": address}
    response = await client.post("/v1/capture/start/", headers=headers)
    assert response.status_code == 200, response.text
    state: dict[str, Any] = response.json()
    return state


async def signals_of(client: AsyncClient, session: dict[str, Any]) -> dict[str, Any]:
    response = await client.get(f"/v3/session/{session['session_id']}/signals/")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def gated(client: AsyncClient, application: RegisteredApplication, rule: dict[str, Any]) -> str:
    """Publish a workflow that approves at once where ``rule`` holds, and asks for a face elsewhere."""
    workflow = (await client.post("/v3/workflows/", json={"features": [{"feature": "LIVENESS"}]})).json()
    path = f"/v3/organization/{application.organization_id}/application/{application.id}/verification-settings"
    draft = (await client.post(f"{path}/{workflow['uuid']}/create-draft/")).json()
    graph = {
        "start_node": "gate",
        "nodes": {
            "gate": {
                "node_type": "branch",
                "label": None,
                "branches": [
                    {"id": "clean", "logic": "and", "rules": [rule], "goto": "passed"},
                    {"id": "else", "logic": "and", "rules": [], "goto": "feature_liveness"},
                ],
            },
            "feature_liveness": {
                "node_type": "feature",
                "feature": "LIVENESS",
                "config": {},
                "label": None,
                "next": "end",
            },
            "passed": {"node_type": "status", "label": None, "session_status": "Approved"},
            "end": {"node_type": "status", "label": None, "session_status": "Determine"},
        },
    }
    put = await client.put(f"{path}/{draft['uuid']}/workflow-graph/", json={"graph": graph})
    assert put.status_code == 200, put.text
    published = await client.patch(f"{path}/{draft['uuid']}/", json={"status": "published"})
    assert published.status_code == 200, published.text
    return str(workflow["workflow_id"])


async def test_the_catalogue_is_served_whole_and_by_group(client: AsyncClient) -> None:
    everything = (await client.get("/v3/signals/")).json()
    assert [line["code"] for line in everything["signals"]] == list(SIGNALS)
    assert everything["count"] >= 200
    faces = (await client.get("/v3/signals/", params={"group": "face", "privacy_class": "biometric"})).json()
    assert {line["group"] for line in faces["signals"]} == {"face"}
    assert (await client.get("/v3/signals/", params={"privacy_class": "secret"})).status_code == 400


async def test_a_rule_reads_signals_and_the_decision_says_which(
    client: AsyncClient, application: RegisteredApplication
) -> None:
    workflow = await gated(client, application, {"field": "signals.ip.is_vpn", "operator": "equals", "value": False})
    clean, hidden = await create(client, workflow), await create(client, workflow, vendor_data="v")
    assert (await start(client, clean, HOME))["status"] == "Approved"
    assert (await start(client, hidden, VPN))["status"] == "In Progress"
    answer = await signals_of(client, clean)
    assert answer["decisive"] == ["ip.is_vpn"]
    assert answer["signals"]["ip.is_vpn"] is False
    decision = (await client.get(f"/v3/session/{clean['session_id']}/decision/", params={"include": "events"})).json()
    assert decision["signals"] == answer["signals"]
    (rule,) = decision["trace"][0]["branches"][0]["rules"]
    assert (rule["field"], rule["actual"], rule["matched"]) == ("signals.ip.is_vpn", False, True)


async def test_contact_details_and_lists_are_told_as_signals(client: AsyncClient) -> None:
    contact = {"email": "maria.lopez+shop@gmail.com", "phone": "+34612345678"}
    session = await create(
        client, "wf_enrolment", contact_details=contact, expected_details={"first_name": "Maria", "last_name": "Lopez"}
    )
    await start(client, session)
    values = (await signals_of(client, session))["signals"]
    assert problems_of(values) == ()
    assert values["email.has_plus_tag"] is True
    assert values["email.name_similarity"] > 90
    assert values["phone.region"] == "ES"
    assert values["list.is_user_blocklisted"] is False


async def test_what_is_not_known_satisfies_no_rule(client: AsyncClient, application: RegisteredApplication) -> None:
    workflow = await gated(client, application, {"field": "signals.ip.is_vpn", "operator": "equals", "value": False})
    assert (await start(client, await create(client, workflow), "10.1.2.3"))["status"] == "In Progress"


async def test_signals_go_with_their_session_and_belong_to_one_application(
    client: AsyncClient, make_application: MakeApplication, make_client: MakeClient, services: Services
) -> None:
    session = await create(client, "wf_enrolment")
    await start(client, session)
    stranger = make_client(await make_application())
    assert (await stranger.get(f"/v3/session/{session['session_id']}/signals/")).status_code == 404
    assert (await client.delete(f"/v3/session/{session['session_id']}/delete/")).status_code == 204
    assert (await client.get(f"/v3/session/{session['session_id']}/signals/")).status_code == 404
    async with services.database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(SessionSignalsRow)) == 0


@pytest.fixture
async def with_faces(services_with_faces: Services) -> AsyncIterator[AsyncClient]:
    from httpx2 import ASGITransport, AsyncClient

    application = await register_application(services_with_faces, engine=SandboxEngine.REAL)
    app = build(services_with_faces.settings, services_with_faces)
    headers = {"x-api-key": application.key}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver", headers=headers) as client:
        yield client


@pytest.mark.models
async def test_a_face_adds_what_the_engine_measured_and_a_saved_call_keeps_it_too(
    with_faces: AsyncClient, portraits: Mapping[str, bytes]
) -> None:
    picture = selfie("obama_1", portraits["obama_1"], seed=1)
    session = await create(with_faces, "wf_enrolment")
    state = await start(with_faces, session)
    done = await with_faces.post(
        f"/v1/capture/steps/{state['step']['node_id']}/",
        headers={"Session-Token": session["session_token"]},
        data={"submission_key": "1", "observations": json.dumps(OBSERVED)},
        files=[("frames", ("a.jpg", picture, "image/jpeg"))],
    )
    assert done.status_code == 200, done.text
    values = (await signals_of(with_faces, session))["signals"]
    assert problems_of(values) == ()
    assert values["face.count"] == 1
    assert values["face.sharpness_quality"] > 50
    assert values["injection.strongest"] < 0.5
    assert values["camera.measured_frame_rate"] == pytest.approx(30, abs=1)
    assert values["timing.detect_ms"] > 0
    assert values["session.attempts"] == 1
    called = await with_faces.post("/v3/passive-liveness/", files={"user_image": ("a.jpg", picture, "image/jpeg")})
    saved = (await with_faces.get(f"/v3/session/{called.json()['request_id']}/signals/")).json()
    assert saved["signals"]["face.count"] == 1

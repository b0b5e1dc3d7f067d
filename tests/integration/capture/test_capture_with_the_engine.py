"""The main job on real faces: enrolment, step-up, impostor, attack - and what a live application makes of it."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from ipse.runtime.application import Mode, ReferenceSource, SandboxEngine
from ipse.runtime.services import Services
from ipse.samples.attacks import print_attack, replay_attack
from ipse.samples.scenes import selfie
from tests.services.applications import RegisteredApplication, register_application
from tests.services.pictures import darkened, flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx2 import AsyncClient

pytestmark = [pytest.mark.anyio, pytest.mark.models]

Open = Callable[..., Awaitable[tuple["AsyncClient", RegisteredApplication]]]


@pytest.fixture
async def opened(services_with_faces: Services) -> AsyncIterator[Open]:
    from contextlib import AsyncExitStack

    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    app = build(services_with_faces.settings, services_with_faces)
    async with AsyncExitStack() as stack:

        async def open_application(**columns: Any) -> tuple[AsyncClient, RegisteredApplication]:
            columns.setdefault("engine", SandboxEngine.REAL)
            application = await register_application(services_with_faces, **columns)
            client = AsyncClient(
                transport=ASGITransport(app), base_url="http://testserver", headers={"x-api-key": application.key}
            )
            stack.push_async_callback(client.aclose)
            return client, application

        yield open_application


async def run(client: AsyncClient, frames: list[bytes], **body: Any) -> dict[str, Any]:
    created = await client.post("/v3/session/", json=body)
    assert created.status_code == 201, created.text
    await finish_session(client, created.json()["session_token"], frames)
    decision: dict[str, Any] = (await client.get(f"/v3/session/{created.json()['session_id']}/decision/")).json()
    return decision


def risks(decision: dict[str, Any]) -> set[str]:
    items = [*decision["liveness_checks"], *decision["face_matches"]]
    return {warning["risk"] for item in items for warning in item["warnings"]}


async def test_the_enrolled_person_passes_and_nobody_else(opened: Open, portraits: Mapping[str, bytes]) -> None:
    client, _ = await opened()
    enrolled = await run(
        client, [selfie("obama_1", portraits["obama_1"], seed=1)], workflow_id="wf_enrolment", vendor_data="u"
    )
    assert enrolled["status"] == "Approved", enrolled
    same = await run(
        client, [selfie("obama_2", portraits["obama_2"], seed=2)], workflow_id="wf_ato_step_up", vendor_data="u"
    )
    assert same["status"] == "Approved", same
    match = same["face_matches"][0]
    assert match["score"] >= 60
    assert match["source_image_session_id"] == enrolled["session_id"]
    assert match["reference"]["kind"] == "stored"
    assert match["reference"]["supplied_by"] == "person"
    assert same["face"]["similarity_score"] == pytest.approx(match["score"] / 100, abs=1e-4)
    other = await run(
        client, [selfie("biden_1", portraits["biden_1"], seed=3)], workflow_id="wf_ato_step_up", vendor_data="u"
    )
    assert other["status"] == "Declined"
    assert "LOW_FACE_MATCH_SIMILARITY" in risks(other)


@pytest.mark.parametrize("attack", [print_attack, replay_attack])
async def test_photo_of_the_enrolled_person_is_no_person(
    opened: Open, portraits: Mapping[str, bytes], attack: Callable[..., bytes]
) -> None:
    client, _ = await opened()
    frames = [attack(selfie("obama_1", portraits["obama_1"]), seed=1)]
    decision = await run(client, frames, workflow_id="wf_enrolment", vendor_data="u")
    assert decision["status"] == "Declined"
    assert "LIVENESS_FACE_ATTACK" in risks(decision)


async def test_declined_enrolment_leaves_no_reference(opened: Open, portraits: Mapping[str, bytes]) -> None:
    client, _ = await opened()
    await run(
        client,
        [print_attack(selfie("obama_1", portraits["obama_1"]), seed=1)],
        workflow_id="wf_enrolment",
        vendor_data="u",
    )
    response = await client.post("/v3/session/", json={"workflow_id": "wf_ato_step_up", "vendor_data": "u"})
    assert response.status_code == 400


async def test_live_application_reviews_what_only_the_basic_engine_has_seen(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened(mode=Mode.LIVE)
    decision = await run(
        client, [selfie("obama_1", portraits["obama_1"], seed=1)], workflow_id="wf_enrolment", vendor_data="u"
    )
    assert decision["status"] == "In Review"
    assert "BASIC_REPLAY_SCREENING" in risks(decision)


async def test_reviewers_approval_enrols_and_decline_takes_it_back(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened(mode=Mode.LIVE)
    decision = await run(
        client, [selfie("obama_1", portraits["obama_1"], seed=1)], workflow_id="wf_enrolment", vendor_data="u"
    )
    path = f"/v3/session/{decision['session_id']}/update-status/"
    assert (await client.patch(path, json={"new_status": "Approved"})).status_code == 200
    step_up = {"workflow_id": "wf_ato_step_up", "vendor_data": "u"}
    assert (await client.post("/v3/session/", json=step_up)).status_code == 201
    assert (await client.patch(path, json={"new_status": "Declined"})).status_code == 200
    await client.post("/v3/sessions/delete/", json={"session_numbers": [2]})
    assert (await client.post("/v3/session/", json=step_up)).status_code == 400


async def test_supplied_portrait_is_compared_and_named(opened: Open, portraits: Mapping[str, bytes]) -> None:
    client, _ = await opened()
    portrait = base64.b64encode(selfie("obama_1", portraits["obama_1"], seed=4)).decode()
    decision = await run(
        client, [selfie("obama_2", portraits["obama_2"], seed=2)], workflow_id="wf_ato_step_up", portrait_image=portrait
    )
    assert decision["status"] == "Approved"
    assert decision["face_matches"][0]["reference"]["kind"] == "supplied"
    assert decision["face_matches"][0]["reference"]["supplied_by"] == "integrator"


async def test_application_can_insist_on_the_stored_reference(opened: Open, portraits: Mapping[str, bytes]) -> None:
    client, _ = await opened(reference_source=ReferenceSource.STORED_ONLY.value)
    portrait = base64.b64encode(selfie("obama_1", portraits["obama_1"], seed=4)).decode()
    response = await client.post(
        "/v3/session/", json={"workflow_id": "wf_ato_step_up", "vendor_data": "u", "portrait_image": portrait}
    )
    assert response.status_code == 400
    assert "stored" in response.json()["portrait_image"]


async def test_supplied_portrait_must_show_the_enrolled_person_where_asked(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened(reference_source=ReferenceSource.SUPPLIED_MUST_MATCH_STORED.value)
    await run(client, [selfie("obama_1", portraits["obama_1"], seed=1)], workflow_id="wf_enrolment", vendor_data="u")
    stranger = base64.b64encode(selfie("biden_1", portraits["biden_1"], seed=4)).decode()
    body = {"workflow_id": "wf_ato_step_up", "vendor_data": "u", "portrait_image": stranger}
    assert (await client.post("/v3/session/", json=body)).status_code == 400
    body["portrait_image"] = base64.b64encode(selfie("obama_2", portraits["obama_2"], seed=4)).decode()
    assert (await client.post("/v3/session/", json=body)).status_code == 201


async def test_portrait_without_a_face_is_refused(opened: Open) -> None:
    client, _ = await opened()
    portrait = base64.b64encode(flat_jpeg()).decode()
    response = await client.post("/v3/session/", json={"workflow_id": "wf_ato_step_up", "portrait_image": portrait})
    assert response.status_code == 400
    assert "face" in response.json()["portrait_image"][0]


async def test_frame_without_a_face_asks_again_and_says_why(opened: Open) -> None:
    client, _ = await opened()
    created = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    token = {"Session-Token": created["session_token"]}
    step = (await client.post("/v1/capture/start/", headers=token)).json()["step"]
    answer = await client.post(
        f"/v1/capture/steps/{step['node_id']}/",
        headers=token,
        data={"submission_key": "k"},
        files=[("frames", ("0.jpg", flat_jpeg(1280, 720), "image/jpeg"))],
    )
    state = answer.json()
    assert (state["outcome"], state["status"]) == ("retry", "In Progress")
    assert "no_face" in state["hints"]
    assert state["step"]["attempt"] == 2


async def test_step_up_does_not_replace_the_reference_but_re_enrolment_does(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened()
    first = await run(
        client, [selfie("obama_1", portraits["obama_1"], seed=1)], workflow_id="wf_enrolment", vendor_data="u"
    )
    step_up: dict[str, Any] = {"workflow_id": "wf_ato_step_up", "vendor_data": "u"}
    frames = [selfie("obama_2", portraits["obama_2"], seed=2)]
    await run(client, frames, **step_up)
    second_step_up = await run(client, frames, **step_up)
    assert second_step_up["face_matches"][0]["source_image_session_id"] == first["session_id"]
    again = await run(
        client, [selfie("obama_3", portraits["obama_3"], seed=5)], workflow_id="wf_enrolment", vendor_data="u"
    )
    assert again["status"] == "Approved", again
    third = await run(client, frames, **step_up)
    assert third["face_matches"][0]["source_image_session_id"] == again["session_id"]


async def test_duplicate_under_another_name_is_told_and_not_declined(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened()
    await run(client, [selfie("obama_1", portraits["obama_1"], seed=1)], workflow_id="wf_enrolment", vendor_data="a")
    twin = await run(
        client, [selfie("obama_1", portraits["obama_1"], seed=6)], workflow_id="wf_enrolment", vendor_data="b"
    )
    assert twin["status"] == "Approved"
    assert "DUPLICATED_FACE" in risks(twin)
    assert twin["liveness_checks"][0]["matches"][0]["vendor_data"] == "a"


async def test_decision_images_are_links_that_show_the_image(opened: Open, portraits: Mapping[str, bytes]) -> None:
    client, _ = await opened()
    frame = selfie("obama_1", portraits["obama_1"], seed=1)
    decision = await run(client, [frame], workflow_id="wf_enrolment", vendor_data="u")
    link = decision["liveness_checks"][0]["reference_image"]
    image = await client.get(link.removeprefix("http://testserver"))
    assert image.content == frame
    assert image.headers["content-type"] == "image/jpeg"
    tampered = await client.get(link.removeprefix("http://testserver")[:-3] + "abc")
    assert tampered.status_code in {403, 404, 410}


async def test_dark_face_is_asked_for_again_before_a_reviewer_sees_it(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened()
    dark = darkened(selfie("obama_1", portraits["obama_1"], seed=1), 0.1)
    created = (await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})).json()
    token = {"Session-Token": created["session_token"]}
    step = (await client.post("/v1/capture/start/", headers=token)).json()["step"]
    states = []
    for attempt in range(3):
        answer = await client.post(
            f"/v1/capture/steps/{step['node_id']}/",
            headers=token,
            data={"submission_key": f"k{attempt}"},
            files=[("frames", ("0.jpg", dark, "image/jpeg"))],
        )
        states.append(answer.json())
    assert [state["outcome"] for state in states] == ["retry", "retry", "finished"]
    assert "too_dark" in states[0]["hints"]
    assert states[-1]["status"] in {"In Review", "Declined"}


async def test_first_use_enrols_an_unknown_person_and_the_next_step_up_compares(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened(enroll_on_first_use=True)
    step_up = {"workflow_id": "wf_ato_step_up", "vendor_data": "u"}
    first = await run(client, [selfie("obama_1", portraits["obama_1"], seed=1)], **step_up)
    assert first["status"] == "Approved", first
    assert "REFERENCE_ENROLLED_ON_FIRST_USE" in risks(first)
    assert first["face_matches"][0]["score"] is None
    other = await run(client, [selfie("biden_1", portraits["biden_1"], seed=3)], **step_up)
    assert other["status"] == "Declined"
    assert "LOW_FACE_MATCH_SIMILARITY" in risks(other)


async def test_of_two_first_uses_only_the_first_passes_uncompared(opened: Open, portraits: Mapping[str, bytes]) -> None:
    client, _ = await opened(enroll_on_first_use=True)
    sessions = [
        (await client.post("/v3/session/", json={"workflow_id": workflow, "vendor_data": "u"})).json()
        for workflow in ("wf_ato_step_up", "wf_bio_2fa")
    ]
    faces = [selfie(name, portraits[name], seed=1) for name in ("obama_1", "biden_1")]
    states = [await finish_session(client, s["session_token"], [f]) for s, f in zip(sessions, faces, strict=True)]
    assert [state["status"] for state in states] == ["Approved", "Declined"]


async def test_face_that_no_liveness_check_approved_enrols_nobody(opened: Open, portraits: Mapping[str, bytes]) -> None:
    client, application = await opened()
    workflow = (await client.post("/v3/workflows/", json={"features": [{"feature": "LIVENESS"}]})).json()
    path = f"/v3/organization/{application.organization_id}/application/{application.id}/verification-settings"
    draft = (await client.post(f"{path}/{workflow['uuid']}/create-draft/")).json()
    graph = workflow["workflow_graph"]
    for node in graph["nodes"].values():
        if node["node_type"] == "status":
            node["session_status"] = "Approved"
    put = await client.put(f"{path}/{draft['uuid']}/workflow-graph/", json={"graph": graph})
    assert put.status_code == 200, put.text
    published = await client.patch(f"{path}/{draft['uuid']}/", json={"status": "published"})
    assert published.status_code == 200, published.text
    attack = print_attack(selfie("obama_1", portraits["obama_1"]), seed=1)
    decision = await run(client, [attack], workflow_id=workflow["workflow_id"], vendor_data="u")
    assert decision["status"] == "Approved"
    assert decision["liveness_checks"][0]["status"] == "Declined"
    refused = await client.post("/v3/session/", json={"workflow_id": "wf_ato_step_up", "vendor_data": "u"})
    assert refused.status_code == 400


async def test_kyc_without_a_document_check_goes_to_review_and_not_to_decline(
    opened: Open, portraits: Mapping[str, bytes]
) -> None:
    client, _ = await opened(mode=Mode.LIVE)
    decision = await run(
        client,
        [selfie("obama_1", portraits["obama_1"], seed=1)],
        workflow_id="wf_face_match_kyc",
        vendor_data="u",
    )
    assert decision["status"] == "In Review"
    assert "FACE_MATCH_NOT_COMPUTED" in risks(decision)

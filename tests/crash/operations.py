"""The four critical transactions, each through the door that integrators and the worker use, and how they begin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from ipse.media import service as media
from ipse.runtime.services import Services
from ipse.webhooks.delivery import DeliveryWorker
from tests.services.applications import register_application
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

Facts = dict[str, Any]
"""What the preparation leaves for the operation: keys, ids, tokens."""

PERSON: Final = "crash-test-person"
_FRAME: Final = flat_jpeg(160, 120)


@dataclass(frozen=True)
class Scene:
    """One process: its parts, and a client of its API."""

    services: Services
    client: AsyncClient
    facts: Facts


@dataclass(frozen=True)
class Operation:
    """``prepare`` fills an empty installation; ``perform`` is what the process dies in, and may be repeated."""

    prepare: Callable[[Scene], Awaitable[None]]
    perform: Callable[[Scene], Awaitable[Mapping[str, Any]]]


def scene(app: FastAPI, services: Services, facts: Facts) -> Scene:
    """Put ``services`` behind a client in this process."""
    app.state.services = services
    headers = {"x-api-key": facts["key"]} if "key" in facts else {}
    return Scene(
        services, AsyncClient(transport=ASGITransport(app), base_url="http://testserver", headers=headers), facts
    )


async def _register(scene: Scene) -> None:
    application = await register_application(scene.services)
    scene.client.headers["x-api-key"] = scene.facts["key"] = application.key
    await _answer(scene, "/v3/webhook/destinations/", 201, json={"label": "crash", "url": scene.facts["receiver"]})


async def _open_session(scene: Scene, workflow: str, scenario: str, **more: Any) -> None:
    session = await _answer(
        scene,
        "/v3/session/",
        201,
        json={"workflow_id": workflow, "vendor_data": PERSON, "sandbox_scenario": scenario, **more},
    )
    scene.facts.update(session=session["session_id"], token=session["session_token"])
    state = await _answer(scene, "/v1/capture/start/", 200, headers={"Session-Token": session["session_token"]})
    scene.facts["node"] = state["step"]["node_id"]


async def _enrolled(scene: Scene) -> None:
    await _register(scene)
    await _open_session(scene, "wf_enrolment", "approve")
    state = await finish_session(scene.client, scene.facts["token"], [_FRAME])
    assert state["status"] == "Approved", state


async def _prepare_enrolment(scene: Scene) -> None:
    await _register(scene)
    await _open_session(scene, "wf_enrolment", "approve")


async def _prepare_decision(scene: Scene) -> None:
    await _enrolled(scene)
    await _open_session(scene, "wf_ato_step_up", "decline_face_match_low_similarity")


async def _submit(scene: Scene) -> Mapping[str, Any]:
    """Show a face; the last step of the workflow, so the session is decided in the same transaction."""
    state = await _answer(
        scene,
        f"/v1/capture/steps/{scene.facts['node']}/",
        200,
        headers={"Session-Token": scene.facts["token"]},
        files=[("frames", ("0.jpg", _FRAME, "image/jpeg"))],
        data={"submission_key": "crash-submission"},
    )
    return {"status": state["status"]}


async def _prepare_erasure(scene: Scene) -> None:
    await _enrolled(scene)
    await _open_session(scene, "wf_ato_step_up", "decline_face_match_low_similarity")
    await finish_session(scene.client, scene.facts["token"], [_FRAME])


async def _erase(scene: Scene) -> Mapping[str, Any]:
    answer = await _answer(
        scene,
        "/v3/users/delete/",
        200,
        json={"vendor_data_list": [PERSON]},
        headers={"idempotency-key": "crash-erasure"},
    )
    await media.erasures_finished()
    return {"deleted": answer["deleted"]}


async def _prepare_delivery(scene: Scene) -> None:
    await _enrolled(scene)


async def _deliver(scene: Scene) -> Mapping[str, Any]:
    worker = DeliveryWorker(scene.services)
    await worker.run_once()
    return {}


async def _answer(scene: Scene, url: str, expected: int, **call: Any) -> Any:
    response = await scene.client.post(url, **call)
    assert response.status_code == expected, f"{url}: {response.status_code} {response.text[:500]}"
    return response.json()


OPERATIONS: Final[Mapping[str, Operation]] = {
    "enrol": Operation(_prepare_enrolment, _submit),
    "decide": Operation(_prepare_decision, _submit),
    "erase": Operation(_prepare_erasure, _erase),
    "deliver": Operation(_prepare_delivery, _deliver),
}

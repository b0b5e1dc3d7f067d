"""A blocklisted face in front of the camera, under any name."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from ipse.app import build
from ipse.clock import ManualClock
from ipse.runtime.application import SandboxEngine
from ipse.runtime.services import Services
from ipse.samples.scenes import selfie
from tests.integration.lists.conftest import put, system_list_of
from tests.services.applications import register_application
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

pytestmark = [pytest.mark.anyio, pytest.mark.models]


async def _run(
    client: AsyncClient, picture: bytes, vendor_data: str, workflow_id: str = "wf_enrolment"
) -> tuple[dict[str, Any], set[str]]:
    body = {"workflow_id": workflow_id, "vendor_data": vendor_data}
    created = (await client.post("/v3/session/", json=body)).json()
    await finish_session(client, created["session_token"], [picture])
    decision: dict[str, Any] = (await client.get(f"/v3/session/{created['session_id']}/decision/")).json()
    return decision, {warning["risk"] for item in decision["liveness_checks"] for warning in item["warnings"]}


async def test_a_listed_face_is_declined_under_any_name_until_it_is_delisted(
    services_with_faces: Services, portraits: Mapping[str, bytes], clock: ManualClock
) -> None:
    async with AsyncExitStack() as stack:
        application = await register_application(services_with_faces, engine=SandboxEngine.REAL)
        client = await stack.enter_async_context(
            AsyncClient(
                transport=ASGITransport(build(services_with_faces.settings, services_with_faces)),
                base_url="http://testserver",
                headers={"x-api-key": application.key},
            )
        )
        entries = await system_list_of(client, "face")
        nobody = base64.b64encode(flat_jpeg()).decode()
        refused = await client.post(f"{entries}face-upload/", json={"image": nobody})
        assert (refused.status_code, list(refused.json())) == (400, ["image"])
        image = base64.b64encode(portraits["obama_1"]).decode()
        entry = (await client.post(f"{entries}face-upload/", json={"image": image})).json()

        declined, risks = await _run(client, selfie("obama_2", portraits["obama_2"], seed=2), "alias-1")
        assert (declined["status"], risks & {"FACE_IN_BLOCKLIST", "POSSIBLE_FACE_IN_BLOCKLIST"} != set()) == (
            "Declined",
            True,
        )
        (match, *_) = declined["liveness_checks"][0]["matches"]
        assert (match["is_blocklisted"], match["source"], match["session_id"]) == (True, "list_entry", None)

        age = {"features": [{"feature": "AGE_ESTIMATION", "config": {"minimum_age_threshold": 1}}]}
        by_age = (await client.post("/v3/workflows/", json=age)).json()["workflow_id"]
        too_old_to_hide, risks = await _run(
            client, selfie("obama_2", portraits["obama_2"], seed=7), "alias-7", workflow_id=by_age
        )
        assert too_old_to_hide["status"] == "Declined"
        assert risks & {"FACE_IN_BLOCKLIST", "POSSIBLE_FACE_IN_BLOCKLIST"}

        stranger, _ = await _run(client, selfie("biden_1", portraits["biden_1"], seed=3), "somebody")
        assert stranger["status"] == "Approved"

        assert (await client.delete(f"{entries}{entry['uuid']}/")).status_code == 204
        delisted, _ = await _run(client, selfie("obama_2", portraits["obama_2"], seed=4), "alias-2")
        assert delisted["status"] == "Approved"

        clock.advance(timedelta(minutes=6))  # so many refused faces make this address wait
        by_session = await put(client, entries, reference_session_id=delisted["session_id"])
        assert by_session["metadata"]["reference_image_url"]
        again, _ = await _run(client, selfie("obama_2", portraits["obama_2"], seed=5), "alias-2")
        assert again["status"] == "Declined"

        assert (await client.delete(f"/v3/session/{delisted['session_id']}/delete/")).status_code == 204
        (left,) = (await client.get(entries)).json()["results"]
        assert "reference_image_url" not in left["metadata"]
        still, _ = await _run(client, selfie("obama_2", portraits["obama_2"], seed=6), "alias-3")
        assert still["status"] == "Declined"

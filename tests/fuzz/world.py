"""Something of everything, so that fuzzed calls meet existing objects and not only 404."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from httpx2 import Client

from tests.services.server import RunningServer
from tests.services.step_up import finish_session_blocking


def furnish(server: RunningServer, portraits: Mapping[str, bytes]) -> dict[str, Any]:
    """Create a session of each kind, a user, a workflow and a destination; return headers and path parameters."""
    portrait = base64.b64encode(portraits["obama_1"]).decode()
    with Client(base_url=server.url, headers={"x-api-key": server.key}, timeout=30) as client:

        def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = client.post(url, json=body)
            assert answer.status_code == 201, f"{url}: {answer.status_code} {answer.text[:500]}"
            made: dict[str, Any] = answer.json()
            return made

        step_up = {"workflow_id": "wf_ato_step_up", "portrait_image": portrait}
        decided = post("/v3/session/", {**step_up, "sandbox_scenario": "review_face_match_borderline"})
        with Client(base_url=server.url, timeout=30) as device:
            finish_session_blocking(device, decided["session_token"], [portraits["obama_2"]])
        waiting = post("/v3/session/", {**step_up, "vendor_data": "fuzzed"})
        workflow = post("/v3/workflows/", {"features": [{"feature": "LIVENESS"}]})
        # Port 9 (discard) refuses at once: deliveries fail without a receiver in the way.
        destination = post("/v3/webhook/destinations/", {"label": "fuzz", "url": "http://127.0.0.1:9/hook"})
        report = client.get(f"/v3/session/{decided['session_id']}/decision/").json()
    return {
        "headers": {"x-api-key": server.key, "Session-Token": waiting["session_token"]},
        "path": {
            "session_id": decided["session_id"],
            "node_id": report["face_matches"][0]["node_id"],
            "organization_id": server.application.organization_id,
            "application_id": server.application.id,
            "vendor_data": "fuzzed",
            "workflow_id": workflow["workflow_id"],
            "settings_uuid": workflow["uuid"],
            "workflow_uuid": workflow["uuid"],
            "destination_id": destination["uuid"],
            "destination_uuid": destination["uuid"],
        },
    }

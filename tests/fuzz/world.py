"""Something of everything, so that fuzzed calls meet existing objects and not only 404."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from httpx2 import Client
from PIL import Image

from tests.services.server import RunningServer
from tests.services.step_up import finish_session_blocking

_POLICY = {
    "name": "fuzzed",
    "rules": [],
    "methods": [{"up_to": None, "method": "PASSIVE", "workflow": "wf_ato_step_up"}],
    "otherwise": "step_up",
}


def furnish(server: RunningServer, portraits: Mapping[str, bytes]) -> dict[str, Any]:
    """Create a session of each kind, a user, a workflow and a destination; return headers and path parameters."""
    portrait = base64.b64encode(portraits["obama_1"]).decode()
    with Client(base_url=server.url, headers={"x-api-key": server.key}, timeout=30) as client:

        def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = client.post(url, json=body)
            assert answer.status_code == 201, f"{url}: {answer.status_code} {answer.text[:500]}"
            made: dict[str, Any] = answer.json()
            return made

        # Port 9 (discard) refuses at once: deliveries fail without a receiver in the way.
        destination = post("/v3/webhook/destinations/", {"label": "fuzz", "url": "http://127.0.0.1:9/hook"})
        step_up = {"workflow_id": "wf_ato_step_up", "portrait_image": portrait}
        decided = post("/v3/session/", {**step_up, "sandbox_scenario": "review_face_match_borderline"})
        with Client(base_url=server.url, timeout=30) as device:
            finish_session_blocking(device, decided["session_token"], [portraits["obama_2"]])
        disposable = post("/v3/session/", step_up)
        waiting = post("/v3/session/", {**step_up, "vendor_data": "fuzzed"})
        workflow = post("/v3/workflows/", {"features": [{"feature": "LIVENESS"}]})
        report = client.get(f"/v3/session/{decided['session_id']}/decision/").json()
        user = post("/v3/users/create/", {"vendor_data": "fuzzed user"})
        listed = post("/v3/lists/", {"name": "Fuzzed", "list_type": "custom", "entry_type": "key"})
        entry = post(f"/v3/lists/{listed['uuid']}/entries/", {"value": "a key"})
        faces = post("/v3/lists/", {"name": "Fuzzed faces", "list_type": "allowlist", "entry_type": "face"})
        post("/v3/step-up/policies/", {"policy": _POLICY})
        deliveries = client.get(f"/v3/session/{decided['session_id']}/webhooks/").json()
        account = {"email": "fuzz@ipse-tests.org", "password": "Fuzzing-1-service"}
        tokens = post("/auth/v2/programmatic/register/", account)
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        organization = client.get("/auth/v2/organizations/me/", headers=bearer).json()[0]["uuid"]
        applications = f"/auth/v2/organizations/me/{organization}/applications/"
        application = client.get(applications, headers=bearer).json()[0]["uuid"]
    selfie = urlsplit(report["liveness_checks"][0]["reference_image"])
    return {
        "headers": {"x-api-key": server.key, "Session-Token": waiting["session_token"]},
        "bearer": bearer,
        "path": {
            "session_id": decided["session_id"],
            "node_id": report["face_matches"][0]["node_id"],
            "delivery_id": deliveries[0]["uuid"],
            "organization_id": server.application.organization_id,
            "application_id": server.application.id,
            "didit_internal_id": user["didit_internal_id"],
            "vendor_data": "fuzzed user",
            "settings_uuid": workflow["uuid"],
            "destination_uuid": destination["uuid"],
            "list_id": listed["uuid"],
            "entry_id": entry["uuid"],
            "name": "fuzzed",
            "media_id": selfie.path.rsplit("/", 1)[-1],
        },
        "account_path": {"organization_id": organization, "application_id": application},
        "disposable": {"session_id": disposable["session_id"], "list_id": faces["uuid"]},
        "media_query": dict(parse_qsl(selfie.query)),
        "images": {name: base64.b64encode(scaled(portraits[name])).decode() for name in ("obama_1", "biden_1")},
        "steps": {"node_id": "feature_liveness"},
    }


def scaled(portrait: bytes) -> bytes:
    """A portrait as a small JPEG, quick to send and still a face."""
    with Image.open(io.BytesIO(portrait)) as image:
        small = image.convert("RGB")
    small.thumbnail((480, 480))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG")
    return buffer.getvalue()

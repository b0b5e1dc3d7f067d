"""After a complete run on real faces, what lies on disk and what goes out over HTTP holds no face in clear."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import select

from ipse.app import build
from ipse.biometrics.images import ImageError, decode
from ipse.faces.service import open_template
from ipse.runtime.application import SandboxEngine
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.samples.scenes import selfie
from ipse.storage.tables import FaceRow
from tests.services.applications import register_application
from tests.services.step_up import finish_session

pytestmark = [pytest.mark.anyio, pytest.mark.models]


async def test_no_pixel_template_key_or_token_is_stored_or_sent_in_clear(
    services_with_faces: Services, portraits: Mapping[str, bytes], tmp_path: Path
) -> None:
    services = services_with_faces
    application = await register_application(services, engine=SandboxEngine.REAL)
    frames = {name: selfie(name, portraits[name], seed=1) for name in ("obama_1", "obama_2")}
    transport = ASGITransport(build(services.settings, services))
    answers: list[str] = []
    async with AsyncClient(transport=transport, base_url="http://testserver") as client:
        client.headers["x-api-key"] = application.key
        hook = {"label": "x", "url": "http://127.0.0.1:9/hook"}
        secret = (await client.post("/v3/webhook/destinations/", json=hook)).json()["secret_shared_key"]
        tokens = []
        for name, workflow in (("obama_1", "wf_enrolment"), ("obama_2", "wf_ato_step_up")):
            body = {"workflow_id": workflow, "vendor_data": "u"}
            session = (await client.post("/v3/session/", json=body)).json()
            tokens.append(session["session_token"])
            state = await finish_session(client, session["session_token"], [frames[name]])
            assert state["status"] == "Approved"
            answers.append(json.dumps(state))
            shown = (f"session/{session['session_id']}/decision", f"session/{session['session_id']}", "sessions")
            answers += [(await client.get(f"/v3/{path}/?include=events")).text for path in shown]

    engine = services.face_engine()
    templates = [engine.template(engine.scan(decode(frame))) for frame in frames.values()]
    async with services.database.reading() as tx:
        scope = Scope(tx, application.application, services)
        stored = [await open_template(scope, row) for row in await tx.scalars(select(FaceRow))]
    assert all(max(one.compare(template) for one in stored) > 0.99 for template in templates)

    secrets = [application.key.encode(), secret.encode(), *(token.encode() for token in tokens)]
    pixels = [frame[len(frame) // 2 :][:64] for frame in frames.values()]
    numbers = [template.vector.tobytes()[:64] for template in templates]
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert any("blobs" in path.parts for path in files)
    for path in files:
        content = path.read_bytes()
        for needle in (*secrets, *pixels, *numbers):
            assert needle not in content, path
        if "blobs" in path.parts:
            with pytest.raises(ImageError):
                decode(content)

    text = "".join(answers)
    assert "template" not in text
    assert "embedding" not in text
    for template in templates:
        assert f"{float(template.vector[0]):.6f}" not in text

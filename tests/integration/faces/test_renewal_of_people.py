"""Renewal and revocation as a person meets them: real faces, through the API and the page's calls."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import select

from ipse.app import build
from ipse.faces import renewal
from ipse.media import service as media
from ipse.runtime.application import SandboxEngine
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.samples.scenes import selfie
from ipse.storage.tables import FaceRow
from tests.conftest import MakeApplication
from tests.integration.faces.test_renewal import keep
from tests.services.applications import register_application
from tests.services.command import environment_for
from tests.services.step_up import finish_session
from tests.unit.checks.selfies import template

pytestmark = pytest.mark.anyio


@pytest.mark.models
async def test_a_person_steps_up_before_and_after_a_renewal_and_never_with_a_revoked_template(
    services_with_faces: Services, portraits: Mapping[str, bytes]
) -> None:
    services = services_with_faces
    registered = await register_application(services, engine=SandboxEngine.REAL)
    application = registered.application
    frames = {name: [selfie(name, portraits[name], seed=1)] for name in ("obama_1", "obama_2")}
    transport = ASGITransport(build(services.settings, services))
    async with AsyncClient(transport=transport, base_url="http://testserver") as client:
        client.headers["x-api-key"] = registered.key

        async def finish(workflow: str, picture: str) -> str:
            body = {"workflow_id": workflow, "vendor_data": "u"}
            created = (await client.post("/v3/session/", json=body)).json()
            state = await finish_session(client, created["session_token"], frames[picture])
            return str(state["status"])

        async def reference() -> FaceRow:
            async with services.database.reading() as tx:
                wanted = select(FaceRow).where(FaceRow.purpose == "reference", FaceRow.superseded_at.is_(None))
                return (await tx.scalars(wanted)).one()

        async def lose_the_portrait() -> None:
            async with services.database.writing() as tx:
                await media.erase(Scope(tx, application, services), [(await reference()).media_id or ""])

        assert await finish("wf_enrolment", "obama_1") == "Approved"
        enrolled = await reference()
        assert (await renewal.renew(services, application)).waiting == 0
        assert ((await reference()).id, (await reference()).space_version) == (enrolled.id, 2)
        assert await finish("wf_ato_step_up", "obama_2") == "Approved"

        await lose_the_portrait()
        assert (await renewal.renew(services, application)).waiting == 1
        assert (await reference()).space_version == 2
        assert await finish("wf_ato_step_up", "obama_2") == "Approved"
        assert ((await reference()).id, (await reference()).space_version) == (enrolled.id, 3)

        await renewal.renew(services, application)
        assert await renewal.revoke(services, application, needed_too=True) == ((3,), 1)
        assert await finish("wf_ato_step_up", "obama_2") == "In Review"


async def test_an_operator_sees_and_revokes_template_spaces(
    services: Services, make_application: MakeApplication
) -> None:
    environment = environment_for(services.settings)

    def ipse(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ipse.cli", "templates", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    def told(*arguments: str) -> Any:
        done = ipse(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    owner = (await make_application()).application
    await keep(services, owner, template(1), None)
    await renewal.renew(services, owner)
    spaces = [{"version": 1, "state": "retired", "faces": 1}, {"version": 2, "state": "protects", "faces": 0}]
    (before,) = told("status")
    assert before == {"application": owner.id, "spaces": spaces, "unprotected": 0, "behind": 1, "renewable": 0}
    assert told("revoke", owner.id) == {"destroyed": [], "faces_to_enrol_again": 0}
    assert told("revoke", owner.id, "--now") == {"destroyed": [1], "faces_to_enrol_again": 1}
    unknown = ipse("revoke", "live")
    assert unknown.returncode == 1
    assert "No application" in unknown.stderr + unknown.stdout

"""Replay of decisions on real faces, and the command line on the same database."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipse.evidence import pack as packs
from ipse.evidence import service
from ipse.runtime.application import SandboxEngine
from ipse.runtime.services import Services
from ipse.samples.attacks import print_attack
from ipse.samples.scenes import selfie
from ipse.sessions import service as sessions
from tests.services.applications import register_application
from tests.services.command import environment_for
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = [pytest.mark.anyio, pytest.mark.models, pytest.mark.slow, pytest.mark.timeout(900)]


async def decided(client: AsyncClient, frames: list[bytes], workflow: str) -> str:
    created = await client.post("/v3/session/", json={"workflow_id": workflow, "vendor_data": "u"})
    assert created.status_code == 201, created.text
    await finish_session(client, created.json()["session_token"], frames)
    return str(created.json()["session_id"])


async def ipse(services: Services, *arguments: str) -> tuple[int, str]:
    environment = environment_for(services.settings)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ipse.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)

    done = await asyncio.to_thread(run)
    return done.returncode, done.stdout + done.stderr


async def test_decisions_on_real_faces_are_replayed_exported_and_verified_from_the_command_line(
    services_with_faces: Services, portraits: Mapping[str, bytes], tmp_path: Path
) -> None:
    from httpx2 import ASGITransport, AsyncClient

    from ipse.app import build

    services = services_with_faces
    application = await register_application(services, engine=SandboxEngine.REAL)
    async with AsyncClient(
        transport=ASGITransport(build(services.settings, services)),
        base_url="http://testserver",
        headers={"x-api-key": application.key},
    ) as client:
        face = selfie("obama_1", portraits["obama_1"], seed=1)
        enrolled = await decided(client, [face], "wf_enrolment")
        again = selfie("obama_2", portraits["obama_2"], seed=2)
        step_up = await decided(client, [again], "wf_ato_step_up")
        attack = await decided(client, [print_attack(face, seed=1)], "wf_ato_step_up")

    for session_id, status in ((enrolled, "Approved"), (step_up, "Approved"), (attack, "Declined")):
        async with service.scope_of(services, session_id) as scope:
            found = await service.replay_session(scope, await sessions.get(scope, session_id))
        assert found.is_same, found.differences
        assert found.rerun.outcome["status"] == status

    code, printed = await ipse(services, "replay", step_up)
    assert code == 0, printed
    assert "Same decision (Approved)" in printed
    pack, graph = tmp_path / "pack.zip", tmp_path / "stricter.json"
    code, printed = await ipse(services, "evidence", "export", step_up, "-o", str(pack))
    assert code == 0, printed
    assert pack.stat().st_mode & 0o777 == 0o600
    code, printed = await ipse(services, "evidence", "verify", str(pack))
    assert code == 0, printed
    assert "All 9 checks passed" in printed

    workflow = packs.read(pack.read_bytes()).json("workflow.json")["graph"]
    for node in workflow["nodes"].values():
        if node.get("feature") == "FACE_MATCH":
            node["config"] |= {"face_match_score_decline_threshold": 99.9, "face_match_max_attempts": 1}
    graph.write_text(json.dumps(workflow))
    code, printed = await ipse(services, "replay", step_up, "--workflow", str(graph))
    assert code == 1, printed
    assert "LOW_FACE_MATCH_SIMILARITY" in printed

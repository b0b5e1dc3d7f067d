"""Evidence packs of real sessions: what is in them, and that they verify with nothing but themselves."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ipse.evidence import pack
from ipse.evidence.verification import verify
from ipse.runtime.services import Services
from tests.services import actions
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg()


async def run(client: AsyncClient, workflow: str = "wf_enrolment", **body: Any) -> str:
    created = await client.post("/v3/session/", json={"workflow_id": workflow, **body})
    assert created.status_code == 201, created.text
    await finish_session(client, created.json()["session_token"], [FRAME])
    return str(created.json()["session_id"])


async def exported(client: AsyncClient, session_id: str, **query: Any) -> bytes:
    answer = await client.get(f"/v3/session/{session_id}/evidence/", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


async def test_an_evidence_pack_verifies_without_server_database_or_settings(
    client: AsyncClient, services: Services, tmp_path: Path
) -> None:
    session_id = await run(client, vendor_data="u", metadata={"trigger": "transfer"})
    content = await exported(client, session_id, images=True)
    jwks = (await client.get("/.well-known/jwks.json")).json()
    found = verify(content, jwks)
    assert found.ok, found
    assert found.is_pinned
    packed = pack.read(content)
    names = {name for name in packed.files if not name.startswith("images/")}
    assert names == {*pack.REQUIRED, pack.MANIFEST, pack.SIGNATURE}
    assert packed.json("decision.json")["status"] == "Approved"
    assert [event["status"] for event in packed.json("webhooks.json")][-1] == "Approved"
    images = packed.json("images.json")
    assert images
    assert packed.files[f"images/{images[0]['media_id']}"] == FRAME
    (tmp_path / "p.zip").write_bytes(content)
    (tmp_path / "jwks.json").write_text(json.dumps(jwks))
    code = (
        "import sys; from pathlib import Path; from ipse.cli.evidence_verification import verify;"
        " verify(Path('p.zip'), Path('jwks.json'), as_json=False);"
        " assert 'ipse.app' not in sys.modules"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IPSE_")}
    done = await anyio.run_process([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"All 9 checks passed" in done.stdout


async def test_a_pack_without_images_holds_no_pixels_and_names_another_key(
    client: AsyncClient, services: Services
) -> None:
    session_id = await run(client)
    content = await exported(client, session_id)
    assert not any(name.startswith("images/") for name in pack.read(content).files)
    assert verify(content).ok
    assert not verify(content).is_pinned
    stranger = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
    failed = [check.number for check in verify(content, stranger).checks if not check.ok]
    assert 3 in failed
    assert 7 in failed


async def test_a_verdict_goes_into_the_pack_only_when_it_is_used_up(client: AsyncClient, services: Services) -> None:
    session_id = (await actions.approved(client))["session_id"]
    token = (await actions.minted(client, session_id))["token"]
    assert pack.VERDICT not in pack.read(await exported(client, session_id)).files
    redeemed = await actions.redeem(client, token)
    assert redeemed.status_code == 200, redeemed.text
    content = await exported(client, session_id)
    assert pack.read(content).files[pack.VERDICT].decode() == token
    found = verify(content)
    assert found.ok, found
    overruled = await client.patch(f"/v3/session/{session_id}/update-status/", json={"new_status": "Declined"})
    assert overruled.status_code == 200, overruled.text
    after = verify(await exported(client, session_id))
    assert after.ok, after
    assert "changed the session from Approved to Declined" in after.checks[8].said


async def test_foreign_and_unchecked_sessions_have_no_pack(client: AsyncClient) -> None:
    unknown = await client.get("/v3/session/00000000-0000-4000-8000-000000000000/evidence/")
    assert unknown.status_code == 404
    fresh = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})
    refused = await client.get(f"/v3/session/{fresh.json()['session_id']}/evidence/")
    assert refused.status_code == 409
    assert "no decision input" in refused.json()["detail"]

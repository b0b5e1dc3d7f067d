"""What is done through the API stands in the audit log, with who did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from ipse.audit import linking, reading, verification
from ipse.audit.chain import INSTALLATION
from ipse.audit.reading import Query
from ipse.runtime.services import Services
from ipse.step_up import signing_keys
from tests.conftest import MakeClient
from tests.services.actions import TRANSFER, approved, minted, redeem
from tests.services.applications import RegisteredApplication

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

PASSWORD = "Tr0ub4dor&3"


async def acts(services: Services, chain: str, **query: Any) -> list[Mapping[str, Any]]:
    return list(reversed(await reading.latest(services, Query(chain, **query), 1000)))


async def test_every_act_on_the_way_to_a_redeemed_verdict_is_in_the_log(
    services: Services, client: AsyncClient, application: RegisteredApplication
) -> None:
    session = await approved(client, vendor_data="ada", action=TRANSFER)
    shown = (await client.get(f"/v3/session/{session['session_id']}/decision/")).json()
    picture = shown["liveness_checks"][0]["reference_image"]
    assert (await client.get(picture)).status_code == 200
    token = await minted(client, session["session_id"])
    assert (await redeem(client, token["token"], TRANSFER)).status_code == 200
    about = {"object_type": "session", "object_id": session["session_id"]}
    written = await acts(services, application.id, **about)
    assert [entry["act"] for entry in written if entry["position"] is None] == [entry["act"] for entry in written]
    assert Counter(entry["act"] for entry in written) == Counter(
        ["session.created", "session.opened", "session.decided", "media.read", "verdict.issued", "verdict.redeemed"]
    )
    decided = next(entry for entry in written if entry["act"] == "session.decided")["content"]
    assert decided["vendor_data"] == "ada"
    assert decided["details"]["status"] == "Approved"
    assert decided["details"]["version"] == 3
    assert isinstance(decided["details"]["risks"], list)
    assert decided["actor"]["display"] == "Person in front of the camera"


async def test_every_administrative_act_is_in_the_log(
    services: Services, client: AsyncClient, application: RegisteredApplication
) -> None:
    async def done(method: str, path: str, **body: Any) -> Any:
        answer = await client.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    before = {entry["id"] for entry in await acts(services, application.id)}  # the preset workflows
    listed = await done("POST", "/v3/lists/", name="VIPs", list_type="custom", entry_type="email")
    own = f"/v3/lists/{listed['uuid']}/"
    await done("PATCH", own, name="Friends")
    entry = await done("POST", f"{own}entries/", value="ada@example.com")
    await done("DELETE", f"{own}entries/{entry['uuid']}/")
    await done("DELETE", own)
    await done("POST", "/v3/users/create/", vendor_data="ada")
    await done("PATCH", "/v3/users/ada/", display_name="Ada")
    await done("PATCH", "/v3/users/ada/update-status/", status="BLOCKED")
    await done("PATCH", "/v3/users/ada/update-status/", status="ACTIVE")
    await done("PATCH", "/v3/webhook/", webhook_url="https://receiver.example/hook")
    await done("PATCH", "/v3/webhook/", rotate_secret_key=True)
    await done("POST", "/v3/workflows/", features=[{"feature": "LIVENESS"}], workflow_label="Own")

    written = await acts(services, application.id)
    own_acts = [entry for entry in written if entry["id"] not in before]
    assert {entry["actor_type"] for entry in own_acts} == {"API_KEY"}
    assert Counter(entry["act"] for entry in own_acts) == Counter(
        [
            "list.created",
            "list.changed",
            "list.entry_added",
            "list.entry_removed",
            "list.deleted",
            "user.created",
            "user.updated",
            "user.blocked",
            "user.made_active",
            "destination.created",
            "destination.secret_rotated",
            "workflow.published",
        ]
    )
    text = str([entry["content"]["details"] for entry in own_acts])
    assert "ada@example.com" not in text
    assert "/hook" not in text
    updated = next(entry for entry in own_acts if entry["act"] == "user.updated")
    assert updated["content"]["details"] == {"changed_fields": ["display_name"]}


async def test_sign_ins_and_keys_are_in_the_log_of_the_installation_or_of_their_application(
    services: Services, make_client: MakeClient
) -> None:
    stranger = make_client(None)
    base, email = "/auth/v2/programmatic", "eve@bank.dev"
    await stranger.post(f"{base}/register/", json={"email": email, "password": PASSWORD})
    (code,) = (services.settings.data_dir / "verification-codes").iterdir()
    answer = await stranger.post(f"{base}/verify-email/", json={"email": email, "code": code.read_text().strip()})
    made = answer.json()
    for password in ("wrong", PASSWORD):
        await stranger.post(f"{base}/login/", json={"email": email, "password": password})
    bearer = {"Authorization": f"Bearer {made['access_token']}"}
    desk = f"/auth/v2/organizations/me/{made['organization']['uuid']}/applications/{made['application']['uuid']}/"
    key = (await stranger.post(f"{desk}api-keys/", headers=bearer)).json()
    assert (await stranger.delete(f"{desk}api-keys/{key['uuid']}/", headers=bearer)).status_code == 204
    assert (await stranger.patch(desk, json={"name": "Shop"}, headers=bearer)).status_code == 200
    async with services.database.writing() as tx:
        await signing_keys.rotate(tx, services)

    installation = [entry["act"] for entry in await acts(services, INSTALLATION)]
    assert Counter(installation) == Counter(
        [
            "account.registered",
            "account.verified",
            "account.sign_in_failed",
            "account.signed_in",
            "signing_key.rotated",
        ]
    )
    own = await acts(services, made["application"]["uuid"], since=None)
    by_hand = {
        entry["act"]: entry["content"]["actor"]["email"] for entry in own if entry["actor_type"] == "CONSOLE_USER"
    }
    assert by_hand == dict.fromkeys(["api_key.created", "api_key.revoked", "application.changed"], email)
    await linking.link_waiting(services)
    for chain in (INSTALLATION, made["application"]["uuid"]):
        assert (await verification.verify_chain(services, chain)).verified.contradiction is None

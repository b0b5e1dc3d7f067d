"""A person's own data, and the receipts of what was erased, over HTTP."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from ipse.media import service as media
from ipse.privacy import receipts
from ipse.runtime.services import Services
from tests.integration.privacy.conftest import become_known

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


def _lines(whole: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in whole.read(name).splitlines()]


async def test_a_person_s_export_holds_everything_about_them_and_nothing_of_others(
    client: AsyncClient,
    make_client: MakeClient,
    make_application: MakeApplication,
    services: Services,
    application: RegisteredApplication,
) -> None:
    await become_known(client, services, application, "bystander")
    person = await become_known(client, services, application, "ada")
    answer = await client.get("/v3/users/ada/export/", params={"images": "true"})
    assert answer.status_code == 200, answer.text
    whole = zipfile.ZipFile(io.BytesIO(answer.content))
    assert whole.testzip() is None
    everything = b"".join(whole.read(name) for name in whole.namelist())
    assert b"bystander" not in everything
    assert b"template" not in everything
    assert {one["id"] for one in _lines(whole, "sessions.jsonl")} == set(person.session_ids)
    assert _lines(whole, "users.jsonl")[0]["full_name"] == "ada Lovelace"
    counts = {name: one.get("lines") for name, one in json.loads(whole.read("manifest.json")).items()}
    for name in ("reports", "step_up_evaluations", "sightings", "devices", "list_entries", "faces", "media", "events"):
        assert counts[f"{name}.jsonl"], f"{name} is empty"
    pictures = [name for name in whole.namelist() if name.startswith("images/")]
    assert len(pictures) == len(_lines(whole, "media.jsonl"))
    assert (await client.get("/v3/users/nobody/export/")).status_code == 404
    stranger = make_client(await make_application())
    assert (await stranger.get("/v3/users/ada/export/")).status_code == 404


async def test_who_knows_an_id_finds_its_receipt_and_nobody_else_does(
    client: AsyncClient,
    make_client: MakeClient,
    make_application: MakeApplication,
    services: Services,
    application: RegisteredApplication,
) -> None:
    person = await become_known(client, services, application, "ada")
    deleted = await client.delete(f"/v3/session/{person.session_ids[0]}/delete/")
    await client.post("/v3/users/delete/", json={"vendor_data_list": ["ada"]})
    await media.erasures_finished()
    path = "/v3/erasure-receipts/"
    of_session = (await client.get(path, params={"session_id": person.session_ids[0]})).json()["results"]
    of_person = (await client.get(path, params={"vendor_data": "ada"})).json()["results"]
    assert [one["uuid"] for one in of_session] == [deleted.headers[receipts.RECEIPT_HEADER]]
    assert [one["kind"] for one in of_person] == ["user"]
    assert receipts.read(of_person[0]["receipt"], None).destroyed == of_person[0]["destroyed"]
    assert (await client.get(path)).json()["count"] == 2
    assert (await client.get(path, params={"session_id": str(uuid.uuid4())})).json()["count"] == 0
    stranger = make_client(await make_application())
    assert (await stranger.get(path, params={"vendor_data": "ada"})).json()["count"] == 0

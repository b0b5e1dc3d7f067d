"""Who may read the list of scenarios, and what it says."""

from __future__ import annotations

import pytest
from httpx2 import AsyncClient

from ipse.sandbox.scenarios import SCENARIOS
from tests.conftest import MakeClient

pytestmark = pytest.mark.anyio

PATH = "/v1/sandbox/scenarios/"


async def test_a_key_reads_the_whole_list_in_both_url_forms(client: AsyncClient) -> None:
    body = (await client.get(PATH)).json()
    assert [item["slug"] for item in body["scenarios"]] == list(SCENARIOS)
    assert all(set(item) == {"slug", "category", "description"} for item in body["scenarios"])
    assert body["default"] == "approve"
    assert (await client.get(PATH.rstrip("/"))).json() == body


async def test_a_session_token_reads_it_too(client: AsyncClient, make_client: MakeClient) -> None:
    created = await client.post("/v3/session/", json={"workflow_id": "wf_enrolment"})
    stranger = make_client(None)
    token = created.json()["session_token"]
    assert (await stranger.get(PATH, headers={"Session-Token": token})).status_code == 200


async def test_nobody_else_reads_it(client: AsyncClient, make_client: MakeClient) -> None:
    stranger = make_client(None)
    for headers in ({}, {"Session-Token": "aaaaaaaaaaaa"}, {"x-api-key": "ipse_test_wrong"}, {"Session-Token": "é"}):
        encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        assert (await stranger.get(PATH, headers=encoded)).status_code == 403
    mixed = {"x-api-key": "ipse_test_wrong", "Session-Token": "aaaaaaaaaaaa"}
    assert (await client.get(PATH, headers=mixed)).status_code == 403

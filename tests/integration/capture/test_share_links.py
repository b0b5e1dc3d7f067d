"""A share link makes a session of its workflow for whoever opens it, and tells nothing about any other."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

import pytest

from ipse.capture.sharing import workflow_of
from ipse.edge.limits import OPEN_LINK
from tests.services.pictures import flat_jpeg
from tests.services.step_up import finish_session

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeClient

pytestmark = pytest.mark.anyio


async def made(client: AsyncClient, **body: object) -> str:
    """A workflow; returns the code of its share link."""
    workflow = {"features": [{"feature": "LIVENESS"}], **body}
    response = await client.post("/v3/workflows/", json=workflow)
    assert response.status_code == 201, response.text
    url: str = response.json()["workflow_url"]
    assert "/u/" in url
    return url.rsplit("/", 1)[1]


async def test_a_stranger_opens_the_link_and_finishes_a_session_of_their_own(
    client: AsyncClient, make_client: MakeClient
) -> None:
    code = await made(client, callback_url="https://shop.example/done")
    stranger = make_client(None)
    opened = await stranger.post(f"/v1/capture/share/{code}/")
    other = await stranger.post(f"/v1/capture/share/{code}/")
    assert opened.status_code == 201, opened.text
    session = opened.json()
    assert session["url"].endswith("/session/" + session["session_token"])
    assert other.json()["session_token"] != session["session_token"]
    final = await finish_session(stranger, session["session_token"], [flat_jpeg()])
    assert final["status"] == "Approved"
    assert final["callback"] == "https://shop.example/done"


async def test_a_draft_is_not_shared(client: AsyncClient) -> None:
    code = await made(client, status="draft")
    assert (await client.post(f"/v1/capture/share/{code}/")).status_code == 404


async def test_a_workflow_that_compares_with_a_stored_face_cannot_be_opened_by_a_stranger(client: AsyncClient) -> None:
    code = await made(client, features=[{"feature": "LIVENESS"}, {"feature": "FACE_MATCH"}])
    assert (await client.post(f"/v1/capture/share/{code}/")).status_code == 404


@pytest.mark.parametrize("code", ["short", "A" * 22, "A" * 23, "!" * 22, "é" * 22, "%00" * 22])
async def test_codes_that_name_no_workflow_are_404(client: AsyncClient, code: str) -> None:
    assert (await client.post(f"/v1/capture/share/{code}/")).status_code in {400, 404}


async def test_share_links_are_limited_by_address(client: AsyncClient) -> None:
    allowed = int(OPEN_LINK.limit.partition("/")[0])
    codes = [(await client.post("/v1/capture/share/short/")).status_code for _ in range(allowed + 1)]
    assert codes == [404] * allowed + [429]


def test_the_code_is_the_workflows_uuid() -> None:
    workflow = uuid.uuid4()
    assert workflow_of(base64.urlsafe_b64encode(workflow.bytes).decode().rstrip("=")) == str(workflow)

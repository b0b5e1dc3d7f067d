"""Drafts, graphs and their validation as the console uses them."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from ipse.decision.presets import ip_gated_step_up

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


@pytest.fixture
def base(application: RegisteredApplication) -> str:
    return f"/v3/organization/{application.organization_id}/application/{application.id}"


@pytest.fixture
async def version(client: AsyncClient) -> str:
    answer = await client.post("/v3/workflows/", json={"features": [{"feature": "LIVENESS"}]})
    uuid: str = answer.json()["uuid"]
    return uuid


def gated() -> dict[str, Any]:
    return copy.deepcopy(ip_gated_step_up().to_json())


async def test_a_graph_is_edited_as_a_draft_and_published_as_the_next_version(
    client: AsyncClient, base: str, version: str
) -> None:
    settings = f"{base}/verification-settings"
    made = await client.post(f"{settings}/{version}/create-draft/")
    assert made.status_code == 201
    draft = made.json()
    assert (draft["version"], draft["status"], draft["has_draft"]) == (2, "draft", True)
    again = await client.post(f"{settings}/{version}/create-draft/")
    assert again.json()["uuid"] == draft["uuid"]
    stored = await client.put(f"{settings}/{draft['uuid']}/workflow-graph/", json={"graph": gated()})
    assert stored.status_code == 200
    assert stored.json() == {"graph": gated()}
    published = await client.patch(f"{settings}/{draft['uuid']}/", json={"status": "published"})
    assert published.status_code == 200
    body = published.json()
    assert (body["status"], body["is_simple_workflow"], body["workflow_type"]) == ("published", False, None)
    assert body["features"] == "IP_ANALYSIS + LIVENESS + FACE_MATCH"
    assert body["workflow_id"] == version
    read = await client.get(f"{settings}/{draft['uuid']}/workflow-graph/")
    assert read.json() == {"graph": gated()}


async def test_the_graph_of_a_published_version_does_not_change(client: AsyncClient, base: str, version: str) -> None:
    path = f"{base}/verification-settings/{version}/workflow-graph/"
    before = (await client.get(path)).json()
    refused = await client.put(path, json={"graph": gated()})
    assert refused.status_code == 400
    assert list(refused.json()) == ["graph"]
    assert (await client.get(path)).json() == before


async def test_an_unfinished_draft_is_stored_but_not_published(client: AsyncClient, base: str, version: str) -> None:
    settings = f"{base}/verification-settings"
    draft = (await client.post(f"{settings}/{version}/create-draft/")).json()["uuid"]
    graph = gated()
    graph["nodes"]["feature_face_match"]["next"] = "branch_ip"
    stored = await client.put(f"{settings}/{draft}/workflow-graph/", json={"graph": graph})
    assert stored.status_code == 200
    refused = await client.patch(f"{settings}/{draft}/", json={"status": "published"})
    assert refused.status_code == 400
    problems = {(problem["node_id"], problem["code"]) for problem in refused.json()["errors"]}
    assert ("branch_ip", "cycle") in problems
    assert (await client.get(f"/v3/workflows/{draft}/")).json()["status"] == "draft"


async def test_an_unreadable_graph_is_refused_with_the_node(client: AsyncClient, base: str, version: str) -> None:
    settings = f"{base}/verification-settings"
    draft = (await client.post(f"{settings}/{version}/create-draft/")).json()["uuid"]
    graph = gated()
    graph["nodes"]["feature_liveness"]["feature"] = "TELEPATHY"
    refused = await client.put(f"{settings}/{draft}/workflow-graph/", json={"graph": graph})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["node_id"] == "feature_liveness"


async def test_validate_lists_problems_by_node(client: AsyncClient, base: str, version: str) -> None:
    for path in (
        f"{base}/verification-settings/{version}/workflow-graph/validate/",
        f"{base}/workflow-graph/validate/",
    ):
        good = await client.post(path, json={"graph": gated()})
        assert good.json() == {"is_valid": True, "errors": []}
        broken = gated()
        broken["nodes"]["branch_ip"]["branches"][1]["goto"] = "nowhere"
        bad = await client.post(path, json={"graph": broken})
        assert bad.status_code == 200
        assert bad.json()["is_valid"] is False
        assert ("branch_ip", "unknown_goto") in {(item["node_id"], item["code"]) for item in bad.json()["errors"]}


async def test_branch_fields_are_those_that_some_path_has_produced(
    client: AsyncClient, base: str, version: str
) -> None:
    path = f"{base}/verification-settings/{version}/workflow-graph/branch-fields/"
    answer = await client.post(path, json={"graph": gated(), "node_id": "branch_ip"})
    assert answer.status_code == 200
    fields = {line["field"]: line for line in answer.json()["fields"]}
    assert "ip_analysis.score" in fields
    assert "metadata" in fields
    assert "liveness.score" not in fields
    assert "less_than" in fields["ip_analysis.score"]["operators"]
    stored = await client.post(path, json={"node_id": "status"})
    assert "liveness.score" in {line["field"] for line in stored.json()["fields"]}
    unknown = await client.post(path, json={"node_id": "nowhere"})
    assert unknown.status_code == 400
    assert list(unknown.json()) == ["node_id"]
    circle = gated()
    circle["nodes"]["feature_face_match"]["next"] = "branch_ip"
    refused = await client.post(path, json={"graph": circle, "node_id": "branch_ip"})
    assert refused.status_code == 400
    assert [problem["code"] for problem in refused.json()["errors"]] == ["cycle"]
    assert (await client.post(path, json={"graph": {}, "node_id": "x"})).status_code == 400


async def test_field_definitions_name_type_and_operators(client: AsyncClient, base: str) -> None:
    for path in ("workflow-graph/field-definitions/", "verification-settings/workflow-graph/field-definitions/"):
        answer = await client.get(f"{base}/{path}")
        assert answer.status_code == 200
        fields = {line["field"]: line for line in answer.json()["fields"]}
        assert fields["liveness.score"]["type"] == "number"
        assert fields["kyc.extra_fields"]["is_prefix"] is True


async def test_another_application_in_the_path_is_404(
    client: AsyncClient, application: RegisteredApplication, version: str
) -> None:
    other = "00000000-0000-4000-8000-000000000000"
    for organization, app in ((other, application.id), (application.organization_id, other)):
        path = f"/v3/organization/{organization}/application/{app}/verification-settings/{version}/workflow-graph/"
        assert (await client.get(path)).status_code == 404


async def test_a_number_that_no_database_can_hold_is_refused(client: AsyncClient, base: str, version: str) -> None:
    draft = (await client.post(f"{base}/verification-settings/{version}/create-draft/")).json()["uuid"]
    graph = json.dumps({"graph": gated()}).replace("30.0", "1e400")
    refused = await client.put(
        f"{base}/verification-settings/{draft}/workflow-graph/",
        content=graph,
        headers={"content-type": "application/json"},
    )
    assert "1e400" in graph
    assert refused.status_code == 400

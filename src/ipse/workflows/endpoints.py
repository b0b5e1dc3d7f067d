"""``/v3/workflows/`` and the graph editor's calls under ``/v3/organization/…``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from ipse.decision.fields import DEFINITIONS
from ipse.decision.graph_json import read_graph
from ipse.decision.paths import find_cycle, upstream_of
from ipse.decision.problems import GraphProblem, InvalidGraph
from ipse.decision.validation import check
from ipse.edge.authentication import (
    CallerParam,
    ConsoleReadScope,
    ConsoleWriteScope,
    ReadScope,
    WriteScope,
    as_uuid,
)
from ipse.edge.content_type import json_only
from ipse.edge.documented import documented
from ipse.edge.errors import FieldErrors
from ipse.edge.pagination import Page, WindowParam
from ipse.edge.routing import router as make_router
from ipse.runtime.scope import Scope
from ipse.workflows import repository, service, view
from ipse.workflows.errors import InvalidGraphBody
from ipse.workflows.schemas import (
    BranchFieldsBody,
    FieldLine,
    FieldList,
    GraphAnswer,
    GraphBody,
    GraphVerdict,
    Problem,
    WorkflowBody,
    WorkflowDetail,
    WorkflowItem,
    WorkflowPatch,
)

simple = make_router(tags=["Workflows"])
editor = make_router(tags=["Workflow graphs"])

Strict = Annotated[bool, Query(description="Refuse keys that mean nothing to this server instead of ignoring them.")]

_GRAPHS = "/v3/organization/{organization_id}/application/{application_id}"
_VERSION = _GRAPHS + "/verification-settings/{settings_uuid}"


async def _json_from_caller(_caller: CallerParam, _json: Annotated[None, Depends(json_only)]) -> None:
    """Authenticate first, then look at the content type."""


def _detail(scope: Scope, found: service.Found) -> WorkflowDetail:
    return view.detail(found.version, found.group, has_draft=found.has_draft, settings=scope.services.settings)


@simple.get("/v3/workflows/", responses=documented(400, 403, 429))
async def list_workflows(scope: ReadScope, window: WindowParam) -> Page[WorkflowItem]:
    """Workflow versions, newest first."""
    count, rows = await repository.page(scope, limit=window.limit, offset=window.offset)
    drafted = {row.workflow_id for row in await repository.drafts(scope, [group.id for _, group in rows])}
    settings = scope.services.settings
    items = [view.item(row, group, has_draft=group.id in drafted, settings=settings) for row, group in rows]
    return window.page(items, count)


@simple.post(
    "/v3/workflows/",
    status_code=201,
    responses=documented(400, 403, 409, 415, 429),
    dependencies=[Depends(_json_from_caller)],
)
async def create_workflow(scope: WriteScope, body: WorkflowBody, strict: Strict = False) -> WorkflowDetail:
    """Create a workflow from an ordered list of features, published at once unless it is a draft."""
    return _detail(scope, await service.create(scope, body, strict=strict))


@simple.get("/v3/workflows/{settings_uuid}/", responses=documented(403, 404, 429))
async def get_workflow(scope: ReadScope, settings_uuid: str) -> WorkflowDetail:
    """One version in full."""
    return _detail(scope, await service.get(scope, as_uuid(settings_uuid)))


@simple.patch(
    "/v3/workflows/{settings_uuid}/",
    responses=documented(400, 403, 404, 409, 415, 429),
    dependencies=[Depends(_json_from_caller)],
)
async def update_workflow(
    scope: WriteScope, settings_uuid: str, body: WorkflowPatch, strict: Strict = False
) -> WorkflowDetail:
    """Change a version, publish a draft, or publish the next version."""
    return _detail(scope, await service.update(scope, as_uuid(settings_uuid), body, strict=strict))


@simple.delete("/v3/workflows/{settings_uuid}/", status_code=204, responses=documented(403, 404, 429))
async def delete_workflow(scope: WriteScope, settings_uuid: str) -> Response:
    """Delete a version. Sessions on it keep their results."""
    await service.delete(scope, as_uuid(settings_uuid))
    return Response(status_code=204)


@editor.patch(_VERSION + "/", responses=documented(400, 401, 403, 404, 409, 429))
async def change_settings(scope: ConsoleWriteScope, settings_uuid: str, body: WorkflowPatch) -> WorkflowDetail:
    """Change settings from the console; ``{"status": "published"}`` publishes a draft."""
    return _detail(scope, await service.update(scope, as_uuid(settings_uuid), body))


@editor.post(_VERSION + "/create-draft/", status_code=201, responses=documented(401, 403, 404, 409, 429))
async def create_draft(scope: ConsoleWriteScope, settings_uuid: str) -> WorkflowDetail:
    """The draft of this workflow, made from this version where there is none."""
    return _detail(scope, await service.create_draft(scope, as_uuid(settings_uuid)))


@editor.get(_VERSION + "/workflow-graph/", responses=documented(401, 403, 404, 429))
async def get_graph(scope: ConsoleReadScope, settings_uuid: str) -> GraphAnswer:
    """The graph of a version."""
    found = await service.get(scope, as_uuid(settings_uuid))
    return GraphAnswer(graph=found.version.graph)


@editor.put(_VERSION + "/workflow-graph/", responses=documented(400, 401, 403, 404, 429))
async def put_graph(scope: ConsoleWriteScope, settings_uuid: str, body: GraphBody) -> GraphAnswer:
    """Store the graph of a draft. It may be unfinished; publishing checks it."""
    graph = await service.replace_graph(scope, as_uuid(settings_uuid), body.graph)
    return GraphAnswer(graph=graph.to_json())


@editor.post(_VERSION + "/workflow-graph/validate/", responses=documented(400, 401, 403, 404, 429))
async def validate_graph(scope: ConsoleReadScope, settings_uuid: str, body: GraphBody) -> GraphVerdict:
    """Say everything that keeps a graph from being published, each problem with its node."""
    await service.get(scope, as_uuid(settings_uuid))
    return _verdict(check(body.graph))


@editor.post(_GRAPHS + "/workflow-graph/validate/", responses=documented(400, 401, 403, 404, 429))
async def validate_any_graph(_scope: ConsoleReadScope, body: GraphBody) -> GraphVerdict:
    """The same for a graph that belongs to no version yet."""
    return _verdict(check(body.graph))


@editor.post(_VERSION + "/workflow-graph/branch-fields/", responses=documented(400, 401, 403, 404, 429))
async def branch_fields(scope: ConsoleReadScope, settings_uuid: str, body: BranchFieldsBody) -> FieldList:
    """The fields that rules of a branch node can address: what some path to it has produced."""
    found = await service.get(scope, as_uuid(settings_uuid))
    try:
        graph = read_graph(body.graph if body.graph is not None else found.version.graph)
    except InvalidGraph as error:
        raise InvalidGraphBody(error.problems) from error
    if find_cycle(graph):
        raise InvalidGraphBody([problem for problem in check(graph.to_json()) if problem.code == "cycle"])
    upstream = upstream_of(graph).get(body.node_id)
    if upstream is None:
        raise FieldErrors({"node_id": ["No path of the graph leads to this node."]})
    return FieldList(
        fields=[
            FieldLine.model_validate(definition.to_json())
            for definition in DEFINITIONS
            if definition.feature is None or definition.feature in upstream.possible
        ]
    )


@editor.get(_GRAPHS + "/workflow-graph/field-definitions/", responses=documented(401, 403, 404, 429))
@editor.get(_GRAPHS + "/verification-settings/workflow-graph/field-definitions/", include_in_schema=False)
async def field_definitions(_scope: ConsoleReadScope) -> FieldList:
    """Every field that rules can address, with its type and operators."""
    return FieldList(fields=[FieldLine.model_validate(definition.to_json()) for definition in DEFINITIONS])


def _verdict(problems: tuple[GraphProblem, ...]) -> GraphVerdict:
    return GraphVerdict(
        is_valid=not problems,
        errors=[Problem(node_id=item.node_id, code=item.code, message=item.message) for item in problems],
    )


router = APIRouter()
router.include_router(simple)
router.include_router(editor)

"""``/v3/step-up/evaluate/`` and the policies that answer there."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ipse.edge.authentication import PreCheckCaller, ReadScope, WriteScope, limits_of
from ipse.edge.documented import documented
from ipse.edge.limits import CREATE_SESSION, SANDBOX_CREATE
from ipse.edge.pagination import Page, WindowParam
from ipse.edge.routing import router as make_router
from ipse.runtime.application import Mode
from ipse.runtime.scope import Scope
from ipse.sessions.view import timestamp
from ipse.step_up import evaluate, policies
from ipse.step_up.evaluation_schemas import Evaluate, Evaluation
from ipse.step_up.policy_schemas import (
    PolicyDetail,
    PolicyItem,
    PolicyPatch,
    PolicyVersion,
    PolicyVersions,
    PublishPolicy,
)
from ipse.storage.tables import PolicyRow

router = make_router(tags=["Step-up"])


@router.post("/v3/step-up/evaluate/", response_model=Evaluation, responses=documented(400, 403, 429))
async def evaluate_action(request: Request, caller: PreCheckCaller, body: Evaluate) -> Response:
    """Ask whether this action needs a face: `allow`, `step_up` or `deny`, with the reasons.

    A policy that cannot be evaluated answers `step_up` with the reason `policy_failed`, never `allow`.
    """
    if body.create_session:
        await limits_of(request).hit(CREATE_SESSION, caller.application.id)
        if caller.application.mode is Mode.SANDBOX:
            await limits_of(request).hit(SANDBOX_CREATE, caller.application.id)
    return JSONResponse(await evaluate.answer(caller, body))


@router.get("/v3/step-up/policies/", responses=documented(400, 403))
async def list_policies(scope: ReadScope, window: WindowParam) -> Page[PolicyItem]:
    """Your policies, by name. Without one the shipped policy `default` answers."""
    count, rows = await policies.page(scope, limit=window.limit, offset=window.offset)
    return window.page([PolicyItem(**_item(row)) for row in rows], count)


@router.post("/v3/step-up/policies/", status_code=201, responses=documented(400, 403))
async def create_policy(scope: WriteScope, body: PublishPolicy) -> PolicyDetail:
    """Publish version 1 of a new policy. Your first one becomes the default."""
    row = await policies.create(scope, body.policy, comment=body.comment, cases=body.cases)
    return await _detail(scope, row)


@router.get("/v3/step-up/policies/{name}/", responses=documented(403, 404))
async def get_policy(scope: ReadScope, name: str) -> PolicyDetail:
    """One policy, with what its version in force says."""
    return await _detail(scope, await policies.get(scope, name))


@router.patch("/v3/step-up/policies/{name}/", responses=documented(400, 403, 404))
async def change_policy(scope: WriteScope, name: str, body: PolicyPatch) -> PolicyDetail:
    """Make a policy the default one, or put an earlier version in force again."""
    row = await policies.change(scope, name, is_default=body.is_default, current_version=body.current_version)
    return await _detail(scope, row)


@router.post("/v3/step-up/policies/{name}/publish/", responses=documented(400, 403, 404))
async def publish_policy(scope: WriteScope, name: str, body: PublishPolicy) -> PolicyDetail:
    """Publish the next version, in force at once. The same content again is no new version."""
    row = await policies.publish(scope, name, body.policy, comment=body.comment, cases=body.cases)
    return await _detail(scope, row)


@router.get("/v3/step-up/policies/{name}/versions/", responses=documented(403, 404))
async def list_policy_versions(scope: ReadScope, name: str) -> PolicyVersions:
    """Every version that was published, the newest first."""
    rows = await policies.versions(scope, await policies.get(scope, name))
    return PolicyVersions(
        results=[
            PolicyVersion(
                version=row.version,
                policy=row.content,
                digest=row.digest,
                comment=row.comment,
                published_by=row.published_by,
                published_at=timestamp(row.published_at),
            )
            for row in rows
        ]
    )


def _item(row: PolicyRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "is_default": row.is_default,
        "current_version": row.current_version,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }


async def _detail(scope: Scope, row: PolicyRow) -> PolicyDetail:
    return PolicyDetail(**_item(row), policy=dict(await policies.content_of(scope, row)))

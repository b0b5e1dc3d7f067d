"""How sessions find the workflow version they pin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ipse.decision.features import Feature
from ipse.decision.presets import PRESETS
from ipse.runtime.scope import SYSTEM, Scope
from ipse.workflows import service
from ipse.workflows.schemas import WorkflowBody, WorkflowPatch
from ipse.workflows.service import UnknownWorkflow

if TYPE_CHECKING:
    from ipse.runtime.services import Services
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

MakeApplication = Callable[..., Awaitable["RegisteredApplication"]]
LIVENESS = WorkflowBody(features=[{"feature": "LIVENESS"}])


async def test_a_workflow_is_found_by_group_version_and_slug(scope: Scope) -> None:
    made = (await service.create(scope, LIVENESS.model_copy(update={"slug": "wf_mine"}))).version
    second = (await service.update(scope, made.id, WorkflowPatch(status="published"))).version
    for name in (made.workflow_id, made.workflow_id.upper(), second.id, "wf_mine"):
        found = await service.resolve_published(scope, name)
        assert (found.id, found.workflow_id, found.version) == (second.id, made.workflow_id, 2)


async def test_a_new_application_has_the_presets_once(scope: Scope) -> None:
    for slug, preset in PRESETS.items():
        found = await service.resolve_published(scope, slug)
        assert found.graph == preset.graph
        assert found.workflow_type == preset.workflow_type
        assert found.label == preset.label
    assert await service.install_presets(scope) == ()
    gated = await service.resolve_published(scope, "wf_ip_gated_step_up")
    assert gated.graph.features()[0] is Feature.IP_ANALYSIS


async def test_presets_installed_by_the_system_have_no_author(services: Services, scope: Scope) -> None:
    group = await service.resolve_published(scope, "wf_enrolment")
    await service.delete(scope, group.id)
    (restored,) = await service.install_presets(Scope(scope.tx, scope.application, services, SYSTEM))
    assert (await service.get(scope, restored.id)).version.created_by == {}


@pytest.mark.parametrize("name", ["", "wf_unknown", "00000000-0000-4000-8000-000000000000", "junk\x7f"])
async def test_unknown_names_are_refused(scope: Scope, name: str) -> None:
    with pytest.raises(UnknownWorkflow):
        await service.resolve_published(scope, name)


async def test_a_workflow_with_only_a_draft_cannot_be_used(scope: Scope) -> None:
    draft = (await service.create(scope, WorkflowBody(features=["LIVENESS"], status="draft"))).version
    with pytest.raises(UnknownWorkflow):
        await service.resolve_published(scope, draft.workflow_id)


async def test_a_foreign_workflow_is_unknown(scope: Scope, services: Services) -> None:
    foreign = Scope(scope.tx, replace(scope.application, id=services.identifiers.uuid()), services)
    made = (await service.create(scope, LIVENESS)).version
    for name in (made.id, "wf_ato_step_up"):
        with pytest.raises(UnknownWorkflow):
            await service.resolve_published(foreign, name)
    with pytest.raises(UnknownWorkflow):
        await service.version_by_uuid(foreign, made.id)


async def test_republishing_and_deleting_do_not_take_a_pinned_version_away(scope: Scope) -> None:
    made = (await service.create(scope, LIVENESS)).version
    pinned = await service.version_by_uuid(scope, made.id)
    await service.update(scope, made.id, WorkflowPatch(status="published", features=["LIVENESS", "FACE_MATCH"]))
    assert await service.version_by_uuid(scope, made.id) == pinned
    await service.delete(scope, made.id)
    assert (await service.version_by_uuid(scope, made.id)).graph == pinned.graph
    assert (await service.resolve_published(scope, made.workflow_id)).version == 2
    with pytest.raises(UnknownWorkflow):
        await service.version_by_uuid(scope, None)


async def test_in_place_changes_do_not_publish_over_a_newer_version(scope: Scope) -> None:
    made = (await service.create(scope, LIVENESS)).version
    second = (await service.update(scope, made.id, WorkflowPatch(status="published"))).version
    await service.update(scope, made.id, WorkflowPatch(workflow_label="Old"))
    assert (await service.resolve_published(scope, made.workflow_id)).id == second.id

"""Create, change, publish and find workflows.

Versions follow the table of contract 20 section 2: a published version is replaced by the next one,
or changed in place where a client sends no status, as the contract demands.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ipse.audit.service import record
from ipse.decision.graph import WorkflowGraph
from ipse.decision.graph_json import read_graph
from ipse.decision.presets import PRESETS
from ipse.decision.problems import InvalidGraph
from ipse.decision.simple import simple_features
from ipse.decision.validation import validate
from ipse.edge.errors import FieldErrors, NotFound
from ipse.runtime.scope import Scope
from ipse.storage.tables import WorkflowRow, WorkflowVersionRow
from ipse.workflows import contents, repository
from ipse.workflows.errors import (
    MAX_WORKFLOWS,
    InvalidFeatures,
    InvalidGraphBody,
    NotADraft,
    PublishedGraph,
    SlugTaken,
    TooManyWorkflows,
    UnknownWorkflow,
)
from ipse.workflows.requested import (
    features_of_flags,
    is_understood,
    read_features,
    simple_graph,
    with_flat_settings,
)
from ipse.workflows.schemas import WorkflowBody, WorkflowPatch
from ipse.workflows.versions import VersionStatus, WorkflowSettings, WorkflowVersion, workflow_type_of

__all__ = [
    "UnknownWorkflow",
    "WorkflowSettings",
    "WorkflowVersion",
    "install_presets",
    "published_id",
    "resolve_published",
    "version_by_uuid",
]


@dataclass(frozen=True, slots=True)
class Found:
    """A version with its group, as the answers need them."""

    version: WorkflowVersionRow
    group: WorkflowRow
    has_draft: bool


async def resolve_published(scope: Scope, workflow_id: str) -> WorkflowVersion:
    """Return the latest published version of a workflow of this application.

    ``workflow_id`` is the group's id, the uuid of any of its versions, or its slug. Raises
    UnknownWorkflow for anything else, for foreign ids, and where only drafts exist.
    """
    row = await repository.latest_published(scope, uuid=_as_uuid(workflow_id), slug=workflow_id)
    if row is None:
        raise UnknownWorkflow(workflow_id)
    return WorkflowVersion.of(row)


async def published_id(scope: Scope, workflow_id: str) -> str:
    """Return the id of the workflow that :func:`resolve_published` finds; the graph is not read.

    Raises:
        UnknownWorkflow: as there.
    """
    found = await repository.published_id(scope, uuid=_as_uuid(workflow_id), slug=workflow_id)
    if found is None:
        raise UnknownWorkflow(workflow_id)
    return found


def _as_uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


async def version_by_uuid(scope: Scope, version_id: str | None, *, content: str | None = None) -> WorkflowVersion:
    """Return a version, even if it was deleted since; raise UnknownWorkflow.

    With ``content``, return it as it was when a session pinned that content.
    """
    row = None if version_id is None else await repository.find_version(scope, version_id, deleted=True)
    if row is None:
        raise UnknownWorkflow(version_id or "")
    return await contents.pinned(scope, WorkflowVersion.of(row), content)


async def install_presets(scope: Scope) -> tuple[WorkflowVersion, ...]:
    """Give a new application its preset workflows; those it has already stay as they are.

    The first preset becomes the default workflow of an application that has none.
    """
    installed: list[WorkflowVersion] = []
    fresh = await repository.count_groups(scope) == 0
    for preset in PRESETS.values():
        if await repository.find_group_by_slug(scope, preset.slug) is not None:
            continue
        group = await _new_group(scope, slug=preset.slug, is_default=fresh and not installed)
        row = await _new_version(
            scope,
            group,
            graph=preset.graph,
            label=preset.label,
            status=VersionStatus.PUBLISHED,
            settings=WorkflowSettings(is_desktop_allowed=True),
        )
        installed.append(WorkflowVersion.of(row))
    return tuple(installed)


async def get(scope: Scope, version_id: str) -> Found:
    """Return a version with its group; raise NotFound for unknown, deleted and foreign ids."""
    row = await repository.find_version(scope, version_id)
    if row is None:
        raise NotFound
    return await _found(scope, row)


async def create(scope: Scope, body: WorkflowBody, *, strict: bool = False) -> Found:
    """Create a workflow from a feature list or flat flags."""
    if strict:
        _refuse_unknown(body)
    if await repository.count_groups(scope) >= MAX_WORKFLOWS:
        raise TooManyWorkflows
    graph = _requested_graph(body)
    if graph is None:
        raise InvalidFeatures(["This field is required."])
    await _check_slug(scope, body.slug, None)
    group = await _new_group(scope, slug=body.slug, is_default=body.is_default)
    row = await _new_version(
        scope,
        group,
        graph=with_flat_settings(graph, _flat(body), override=False),
        label=body.workflow_label,
        status=VersionStatus(body.status),
        settings=WorkflowSettings().changed(_settings_of(body, sent_only=False)),
    )
    return Found(row, group, row.status == VersionStatus.DRAFT)


async def update(scope: Scope, version_id: str, body: WorkflowPatch, *, strict: bool = False) -> Found:
    """Change a version, publish it, or publish its successor, as the table of the contract says."""
    if strict:
        _refuse_unknown(body)
    found = await get(scope, version_id)
    group = await _locked(scope, found.group.id)
    row = found.version
    wanted = VersionStatus(body.status) if "status" in body.sent else None
    if wanted is VersionStatus.DRAFT and row.status == VersionStatus.PUBLISHED:
        raise NotADraft
    graph = _requested_graph(body) or read_graph(row.graph)
    graph = with_flat_settings(graph, _flat(body), override="features" not in body.sent)
    if wanted is not VersionStatus.DRAFT:
        _require_valid(graph)
    settings = WorkflowSettings.from_json(row.settings).changed(_settings_of(body, sent_only=True))
    label = body.workflow_label if "workflow_label" in body.sent else row.label
    if "slug" in body.sent:
        await _check_slug(scope, body.slug, group.id)
        group.slug = body.slug
    if "is_default" in body.sent:
        await _mark_default(scope, group, body.is_default)
    if wanted is VersionStatus.PUBLISHED and row.status == VersionStatus.PUBLISHED:
        for draft in await repository.drafts(scope, [group.id]):
            _delete(draft)
        row = await _new_version(
            scope, group, graph=graph, label=label, status=VersionStatus.PUBLISHED, settings=settings
        )
    else:
        _write(row, graph, label, settings)
        row.updated_at = scope.services.clock.now()
        if wanted is not VersionStatus.DRAFT and row.status == VersionStatus.DRAFT:
            await _publish(scope, row)
    await contents.fix(scope, row)
    await scope.tx.flush()
    return await _found(scope, row)


async def delete(scope: Scope, version_id: str) -> None:
    """Delete a version; sessions that run on it keep running and keep their results."""
    found = await get(scope, version_id)
    group = await _locked(scope, found.group.id)
    _delete(found.version)
    await _record(scope, "workflow.version_deleted", found.version)
    await scope.tx.flush()
    if not await repository.has_versions(scope, group.id):
        group.slug, group.is_default, group.is_archived = None, False, True


async def create_draft(scope: Scope, version_id: str) -> Found:
    """Return the group's draft, made from this version where there is none yet."""
    found = await get(scope, version_id)
    group = await _locked(scope, found.group.id)
    drafts = await repository.drafts(scope, [group.id])
    if drafts:
        return Found(drafts[0], group, True)
    source = found.version
    row = await _new_version(
        scope,
        group,
        graph=read_graph(source.graph),
        label=source.label,
        status=VersionStatus.DRAFT,
        settings=WorkflowSettings.from_json(source.settings),
    )
    return Found(row, group, True)


async def replace_graph(scope: Scope, version_id: str, value: Mapping[str, Any]) -> WorkflowGraph:
    """Store the graph of a draft; it may be unfinished but must be readable. Publishing checks it."""
    found = await get(scope, version_id)
    if found.version.status != VersionStatus.DRAFT:
        raise PublishedGraph
    try:
        graph = read_graph(dict(value))
    except InvalidGraph as error:
        raise InvalidGraphBody(error.problems) from error
    row = found.version
    _write(row, graph, row.label, WorkflowSettings.from_json(row.settings))
    row.updated_at = scope.services.clock.now()
    return graph


def _refuse_unknown(body: WorkflowBody) -> None:
    unknown = [name for name in body.unknown if not is_understood(name)]
    if unknown:
        raise FieldErrors({name: ["This key is not known."] for name in unknown})


def _requested_graph(body: WorkflowBody) -> WorkflowGraph | None:
    """Return the graph a body asks for; None where it says nothing about features."""
    if "features" in body.sent:
        return simple_graph(read_features(body.features))
    features = features_of_flags(body.unknown)
    return None if features is None else simple_graph(features)


def _flat(body: WorkflowBody) -> dict[str, Any]:
    attempts = {"face_liveness_max_attempts", "face_match_max_attempts"} & body.sent
    return body.unknown | {name: getattr(body, name) for name in attempts}


def _settings_of(body: WorkflowBody, *, sent_only: bool) -> dict[str, Any]:
    values = body.model_dump(include=body.sent if sent_only else None)
    if "callback_url" in values:
        values["callback"] = values.pop("callback_url")
    return values


def _require_valid(graph: WorkflowGraph) -> None:
    problems = validate(graph)
    if problems:
        raise InvalidGraphBody(problems)


async def _found(scope: Scope, row: WorkflowVersionRow) -> Found:
    group = await repository.find_group(scope, row.workflow_id)
    if group is None:
        raise NotFound
    return Found(row, group, bool(await repository.drafts(scope, [group.id])))


async def _locked(scope: Scope, workflow_id: str) -> WorkflowRow:
    group = await repository.find_group(scope, workflow_id, lock=True)
    if group is None:
        raise NotFound
    return group


async def _check_slug(scope: Scope, slug: str | None, own: str | None) -> None:
    if slug is None:
        return
    holder = await repository.find_group_by_slug(scope, slug)
    if holder is not None and holder.id != own:
        raise SlugTaken


async def _mark_default(scope: Scope, group: WorkflowRow, is_default: bool) -> None:
    if is_default:
        await repository.clear_default(scope)
    group.is_default = is_default


async def _new_group(scope: Scope, *, slug: str | None, is_default: bool) -> WorkflowRow:
    if is_default:
        await repository.clear_default(scope)
    group = WorkflowRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        slug=slug,
        is_default=is_default,
        is_archived=False,
        created_at=scope.services.clock.now(),
    )
    scope.tx.add(group)
    await scope.tx.flush()
    return group


async def _new_version(
    scope: Scope,
    group: WorkflowRow,
    *,
    graph: WorkflowGraph,
    label: str,
    status: VersionStatus,
    settings: WorkflowSettings,
) -> WorkflowVersionRow:
    number = await repository.next_version(scope, group.id)
    now = scope.services.clock.now()
    row = WorkflowVersionRow(
        id=group.id if number == 1 else scope.services.identifiers.uuid(),
        workflow_id=group.id,
        application_id=scope.application_id,
        version=number,
        status=VersionStatus.DRAFT.value,
        created_by=_creator(scope),
        created_at=await repository.creation_time(scope, now),
        updated_at=now,
        published_at=None,
    )
    _write(row, graph, label, settings)
    if status is VersionStatus.PUBLISHED:
        await _publish(scope, row)
    scope.tx.add(row)
    await contents.fix(scope, row)
    await scope.tx.flush()
    return row


def _write(row: WorkflowVersionRow, graph: WorkflowGraph, label: str, settings: WorkflowSettings) -> None:
    features = simple_features(graph)
    row.graph = graph.to_json()
    row.label = label
    row.settings = settings.to_json()
    row.is_simple = features is not None
    row.workflow_type = None if features is None else workflow_type_of(tuple(item.feature for item in features))


async def _publish(scope: Scope, row: WorkflowVersionRow) -> None:
    row.status = VersionStatus.PUBLISHED.value
    row.published_at = scope.services.clock.now()
    await _record(scope, "workflow.published", row)


def _delete(row: WorkflowVersionRow) -> None:
    row.status = VersionStatus.DELETED.value


async def _record(scope: Scope, act: str, row: WorkflowVersionRow) -> None:
    details = {"version_id": row.id, "version": row.version, "label": row.label}
    await record(scope, act, object_type="workflow", object_id=row.workflow_id, details=details)


def _creator(scope: Scope) -> dict[str, Any]:
    actor = scope.actor
    kind = {"CONSOLE_USER": "user", "API_KEY": "api_key"}.get(actor.kind)
    return {} if kind is None else {"name": actor.display, "email": actor.email, "type": kind}

"""Policies of an application: versions that never change, and which of them is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from ipse.audit.service import record
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode
from ipse.decision.policy.cases import differences, read_cases
from ipse.decision.policy.model import Policy
from ipse.decision.policy.problems import InvalidPolicy, PolicyProblem
from ipse.decision.policy.reading import read_policy
from ipse.decision.policy.shipped import default_content, default_policy
from ipse.decision.values import JsonObject, JsonValue
from ipse.edge.errors import NotFound
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.canonical_json import canonical_bytes
from ipse.security.tokens import digest
from ipse.step_up.policy_errors import InvalidPolicyBody, PolicyExists, TooManyPolicies, UnknownPolicy
from ipse.storage.columns import Id
from ipse.storage.tables import EvaluationRow, ListRow, PolicyRow, PolicyVersionRow
from ipse.workflows import service as workflows
from ipse.workflows.service import WorkflowVersion

MOST_POLICIES: Final = 50
"""Policies of one application."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy that answers. ``id`` and ``version`` are None for the shipped one."""

    policy: Policy
    name: str
    id: str | None = None
    version: int | None = None


_TABLE: Final = PolicyRow.__table__
_PUBLISHED: Final = select(_TABLE.c.id, _TABLE.c.name, _TABLE.c.current_version).where(
    _TABLE.c.application_id == bindparam("application", type_=Id), _TABLE.c.current_version > 0
)
_DEFAULT: Final = _PUBLISHED.where(_TABLE.c.is_default.is_(True))
_NAMED: Final = _PUBLISHED.where(_TABLE.c.name == bindparam("name"))
"""Which version is in force, built once: every evaluation asks."""


async def in_force(scope: Scope, name: str | None) -> InForce:
    """Return the named policy, else the application's default one, else the shipped one.

    Raises:
        UnknownPolicy: nothing is published under the name.
        InvalidPolicy: the stored version cannot be read any more.
    """
    asked = {"application": scope.application_id, "name": name}
    found = (await scope.tx.execute(_DEFAULT if name is None else _NAMED, asked)).one_or_none()
    if found is None:
        if name not in (None, default_policy().name):
            raise UnknownPolicy
        return InForce(default_policy(), default_policy().name)
    policy_id, own_name, version = found
    policy = _READ.get((policy_id, version))
    if policy is None:
        policy = read_policy(await _content(scope, policy_id, version))
        _READ.keep((policy_id, version), policy)
    return InForce(policy, own_name, policy_id, version)


class _ReadPolicies:
    """Published versions never change: each is read once by a process. The oldest is let go."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._policies: dict[tuple[str, int], Policy] = {}

    def get(self, key: tuple[str, int]) -> Policy | None:
        return self._policies.get(key)

    def keep(self, key: tuple[str, int], policy: Policy) -> None:
        self._policies[key] = policy
        while len(self._policies) > self._most:
            del self._policies[next(iter(self._policies))]


_READ: Final = _ReadPolicies(256)


async def validate(scope: Scope, content: JsonObject, cases: JsonValue = None) -> Policy:
    """Return the policy; workflows and lists it names must exist, and its table tests must pass.

    Raises:
        InvalidPolicyBody: with every problem and its place.
    """
    try:
        policy = read_policy(content, lists=await _list_names(scope))
        problems = await _workflow_problems(scope, policy)
        if not problems and cases is not None:
            problems = [
                PolicyProblem("cases", "case_failed", f"{difference}.")
                for difference in differences(policy, read_cases(cases))
            ]
    except InvalidPolicy as error:
        raise InvalidPolicyBody(error.problems) from error
    if problems:
        raise InvalidPolicyBody(problems)
    return policy


async def _list_names(scope: Scope) -> Sequence[str]:
    names = await scope.tx.scalars(select(ListRow.name).where(ListRow.application_id == scope.application_id))
    return names.all()


async def _workflow_problems(scope: Scope, policy: Policy) -> list[PolicyProblem]:
    """A workflow must exist and do what the policy promises."""
    named = [(f"methods[{number}]", band.workflow, band.method) for number, band in enumerate(policy.bands)]
    named += [
        (f"rules[{number}]", rule.workflow, rule.method)
        for number, rule in enumerate(policy.rules)
        if rule.workflow is not None and rule.method is not None
    ]
    problems: list[PolicyProblem] = []
    for path, name, method in named:
        try:
            version = await workflows.resolve_published(scope, name)
        except workflows.UnknownWorkflow:
            message = f"There is no published workflow '{name}'."
            problems.append(PolicyProblem(f"{path}.workflow", "unknown_workflow", message))
            continue
        captured = methods_of(version)
        if captured and method.value not in captured:
            message = f"The workflow '{name}' captures with {', '.join(sorted(captured))}, not with {method.value}."
            problems.append(PolicyProblem(f"{path}.method", "other_method", message))
    return problems


def methods_of(version: WorkflowVersion) -> frozenset[str]:
    """The liveness methods of a workflow; empty for one that takes no face."""
    return frozenset(
        str(node.config.get("face_liveness_method") or "PASSIVE")
        for node in version.graph.nodes.values()
        if isinstance(node, FeatureNode) and node.feature is Feature.LIVENESS
    )


async def page(scope: Scope, *, limit: int, offset: int) -> tuple[int, Sequence[PolicyRow]]:
    """Return the number of policies and one page of them, by name."""
    mine = PolicyRow.application_id == scope.application_id
    count = await scope.tx.scalar(select(func.count()).select_from(PolicyRow).where(mine))
    rows = await scope.tx.scalars(select(PolicyRow).where(mine).order_by(PolicyRow.name).limit(limit).offset(offset))
    return count or 0, rows.all()


async def get(scope: Scope, name: str, *, lock: bool = False) -> PolicyRow:
    """The policy of a name, or 404."""
    query = select(PolicyRow).where(PolicyRow.application_id == scope.application_id, PolicyRow.name == name)
    row: PolicyRow | None = await scope.tx.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound
    return row


async def create(scope: Scope, content: JsonObject, *, comment: str | None, cases: JsonValue) -> PolicyRow:
    """Publish version 1 of a new policy. The first one of an application answers by default.

    Raises:
        InvalidPolicyBody, PolicyExists, TooManyPolicies.
    """
    policy = await validate(scope, content, cases)
    mine = PolicyRow.application_id == scope.application_id
    count = await scope.tx.scalar(select(func.count()).select_from(PolicyRow).where(mine)) or 0
    if count >= MOST_POLICIES:
        raise TooManyPolicies(MOST_POLICIES)
    now = scope.services.clock.now()
    row = PolicyRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        name=policy.name,
        current_version=0,
        is_default=count == 0,
        created_at=now,
        updated_at=now,
    )
    try:
        async with scope.tx.begin_nested():
            scope.tx.add(row)
    except IntegrityError as error:
        raise PolicyExists from error
    await _add_version(scope, row, content, comment)
    return row


async def publish(scope: Scope, name: str, content: JsonObject, *, comment: str | None, cases: JsonValue) -> PolicyRow:
    """Publish the next version of a policy, in force at once. The same content again is no new version.

    Raises:
        NotFound, InvalidPolicyBody.
    """
    row = await get(scope, name, lock=True)
    policy = await validate(scope, content, cases)
    if policy.name != name:
        message = f"This publishes '{name}'; the policy calls itself '{policy.name}'."
        raise InvalidPolicyBody([PolicyProblem("name", "other_name", message)])
    current = await scope.tx.get(PolicyVersionRow, (row.id, row.current_version))
    if current is None or current.digest != _digest(content):
        await _add_version(scope, row, content, comment)
    return row


async def change(scope: Scope, name: str, *, is_default: bool | None, current_version: int | None) -> PolicyRow:
    """Make a policy the default one, or put an earlier version in force again.

    Raises:
        NotFound: no such policy, or no such version.
    """
    row = await get(scope, name, lock=True)
    if current_version is not None:
        if await scope.tx.get(PolicyVersionRow, (row.id, current_version)) is None:
            raise NotFound
        row.current_version = current_version
    if is_default is not None:
        if is_default:
            others = update(PolicyRow).where(PolicyRow.application_id == scope.application_id, PolicyRow.id != row.id)
            await scope.tx.execute(others.values(is_default=False))
        row.is_default = is_default
    row.updated_at = scope.services.clock.now()
    details = {"is_default": row.is_default, "current_version": row.current_version}
    await record(scope, "policy.changed", object_type="policy", object_id=row.id, details=details)
    await scope.tx.flush()
    return row


async def versions(scope: Scope, row: PolicyRow) -> Sequence[PolicyVersionRow]:
    """Every published version, the newest first."""
    query = select(PolicyVersionRow).where(PolicyVersionRow.policy_id == row.id)
    return (await scope.tx.scalars(query.order_by(PolicyVersionRow.version.desc()))).all()


async def content_of(scope: Scope, row: PolicyRow) -> JsonObject:
    """What the version in force says."""
    return await _content(scope, row.id, row.current_version)


async def published_content(scope: Scope, name: str | None) -> JsonObject:
    """What the policy in force under ``name`` says, the shipped one included."""
    found = await in_force(scope, name)
    if found.id is None or found.version is None:
        return default_content()
    return await _content(scope, found.id, found.version)


async def forget_old_evaluations(services: Services) -> None:
    """Delete evaluations older than ``evaluation_retention_days``; a scheduled task."""
    before = services.clock.now() - timedelta(days=services.settings.evaluation_retention_days)
    async with services.database.writing() as tx:
        old = select(EvaluationRow.id).where(EvaluationRow.evaluated_at < before).limit(10_000)
        await tx.execute(delete(EvaluationRow).where(EvaluationRow.id.in_(old)))


async def _add_version(scope: Scope, row: PolicyRow, content: JsonObject, comment: str | None) -> None:
    now = scope.services.clock.now()
    highest = await scope.tx.scalar(
        select(func.max(PolicyVersionRow.version)).where(PolicyVersionRow.policy_id == row.id)
    )
    row.current_version = (highest or 0) + 1
    row.updated_at = now
    scope.tx.add(
        PolicyVersionRow(
            policy_id=row.id,
            version=row.current_version,
            content=dict(content),
            digest=_digest(content),
            comment=comment,
            published_by=scope.actor.email or scope.actor.display,
            published_at=now,
        )
    )
    details = {"name": row.name, "version": row.current_version, "digest": _digest(content)}
    await record(scope, "policy.published", object_type="policy", object_id=row.id, details=details)
    await scope.tx.flush()


async def _content(scope: Scope, policy_id: str, version: int) -> JsonObject:
    content: JsonObject | None = await scope.tx.scalar(
        select(PolicyVersionRow.content).where(
            PolicyVersionRow.policy_id == policy_id, PolicyVersionRow.version == version
        )
    )
    if content is None:
        raise NotFound
    return content


def _digest(content: JsonObject) -> str:
    return digest(canonical_bytes(content).decode())

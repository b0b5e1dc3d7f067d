"""Creating sessions, finding them, and saving standalone calls as sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import phonenumbers

from ipse.decision.evaluation import roll_up
from ipse.decision.reports import Report
from ipse.decision.statuses import Cause, SessionStatus, can_move
from ipse.edge.authentication import Caller, as_uuid
from ipse.edge.errors import BusinessRuleError, NotFound
from ipse.lists import blocking
from ipse.runtime.application import Mode
from ipse.runtime.scope import Scope
from ipse.sandbox.scenarios import SCENARIOS
from ipse.security.tokens import new_session_token
from ipse.sessions import lifecycle, reference, repository, signals, view
from ipse.sessions.errors import SandboxScenarioRefused, TooManyDeclined, UnknownWorkflow
from ipse.sessions.schemas import ContactDetails, CreateSession, ExpectedDetails
from ipse.signals.reports import of_reports
from ipse.storage.tables import ReportRow, SessionRow, UserRow
from ipse.users import service as users
from ipse.workflows import service as workflows
from ipse.workflows.service import WorkflowVersion

API_SESSION_LIFETIME = timedelta(days=7)


async def create(caller: Caller, body: CreateSession) -> dict[str, Any]:
    """Create a session, or hand the person's unfinished one out again; models run before the transaction opens."""
    _check_scenario(caller, body.sandbox_scenario)
    _check_expected_details(body.expected_details)
    async with caller.unit.peek() as tx:
        version = await _workflow(caller.within(tx), body.workflow_id)
    portrait = None
    if body.portrait_image is not None:
        portrait = await reference.examine_portrait(caller, body.portrait_image)
    scope = await caller.begin()
    user = await _admit(scope, body.vendor_data) if body.vendor_data else None
    row = await _reusable(scope, body, version)
    if row is None:
        if user is not None:
            await _check_retries(scope, user, version)
        row = await _insert(scope, body, version, user, portrait)
        token = await _issue_token(scope, row)
        await scope.tx.flush()
        await lifecycle.begin(scope, row)
    else:
        row.callback = body.callback or version.settings.callback
        row.session_metadata = body.metadata
        if row.action_hash != _action_hash(body):
            await _replace_action(scope, row, body)
        row.sandbox_scenario = body.sandbox_scenario or row.sandbox_scenario
        if portrait is not None:
            needed = reference.compares_with_reference(version.graph)
            await reference.attach(scope, row, user, portrait, required=needed)
        token = view.open_token(scope, row) or await _issue_token(scope, row)
    return view.created(scope, row, token)


async def get(scope: Scope, session_id: str, *, lock: bool = False) -> SessionRow:
    """A session of this application; :class:`NotFound` for everything else."""
    row = await repository.find(scope, as_uuid(session_id), lock=lock)
    if row is None:
        raise NotFound
    return row


async def save_api_call(
    scope: Scope,
    *,
    session_id: str,
    api_service: str,
    vendor_data: str | None,
    metadata: Any,
    reports: Sequence[Report],
    evidence: Mapping[str, Any],
) -> SessionRow:
    """Keep a standalone call as a session of kind ``API``, decided at once, with its event."""
    user = await users.ensure_user(scope, vendor_data, refuse_blocked=False) if vendor_data else None
    now = scope.services.clock.now()
    row = SessionRow(
        id=session_id,
        application_id=scope.application_id,
        session_number=await repository.next_number(scope),
        kind="API",
        api_service=api_service,
        environment=scope.application.mode.value,
        status=SessionStatus.IN_PROGRESS.value,
        version=0,
        user_id=user.id if user else None,
        vendor_data=vendor_data,
        session_metadata=metadata,
        evidence=dict(evidence),
        created_at=now,
        opened_at=now,
        expires_at=now + API_SESSION_LIFETIME,
    )
    scope.tx.add(row)
    await scope.tx.flush()
    for position, report in enumerate(reports):
        scope.tx.add(report_row(row.id, report, position, scope))
    await scope.tx.flush()
    await signals.store(scope, row, of_reports(reports))
    await lifecycle.change(scope, row, roll_up(reports), Cause.EVALUATED)
    return row


def report_row(session_id: str, report: Report, position: int, scope: Scope) -> ReportRow:
    """A report as it is stored."""
    now = scope.services.clock.now()
    return ReportRow(
        session_id=session_id,
        node_id=report.node_id,
        position=position,
        feature=report.feature.value,
        status=report.status.value,
        report=report.to_json(),
        warnings=[warning.risk for warning in report.warnings],
        created_at=now,
        updated_at=now,
    )


async def expire_if_due(scope: Scope, row: SessionRow) -> bool:
    """Apply the clock to one session: ``Expired`` when never opened, ``Abandoned`` when left unfinished."""
    if row.expires_at > scope.services.clock.now():
        return False
    current = SessionStatus(row.status)
    for target in (SessionStatus.EXPIRED, SessionStatus.ABANDONED):
        if can_move(current, target, Cause.CLOCK):
            await lifecycle.change(scope, row, target, Cause.CLOCK)
            return True
    return False


async def _admit(scope: Scope, vendor_data: str) -> UserRow:
    """The person the session is for; a blocked one gets none, whether by status or by list."""
    await blocking.require_admitted(scope, vendor_data)
    return await users.ensure_user(scope, vendor_data)


async def _workflow(scope: Scope, workflow_id: str) -> WorkflowVersion:
    try:
        return await workflows.resolve_published(scope, workflow_id)
    except workflows.UnknownWorkflow as error:
        raise UnknownWorkflow from error


async def _reusable(scope: Scope, body: CreateSession, version: WorkflowVersion) -> SessionRow | None:
    """The person's unfinished session, unless a face was shown in it for another action than this one."""
    if not body.vendor_data:
        return None
    row = await repository.find_reusable(scope, body.vendor_data, version.id, scope.services.clock.now())
    if row is not None and row.action_hash != _action_hash(body) and await repository.has_captures(scope, row.id):
        return None
    return row


def _action_hash(body: CreateSession) -> str | None:
    return body.action.hash if body.action else None


async def _replace_action(scope: Scope, row: SessionRow, body: CreateSession) -> None:
    """Bind a session in which no face was shown yet to another action; what was begun for the old one ends."""
    row.action = dict(body.action.value) if body.action else None
    row.action_hash = _action_hash(body)
    await repository.end_challenges(scope, row.id)


async def _check_retries(scope: Scope, user: UserRow, version: WorkflowVersion) -> None:
    """Contract 20 section 2: after ``max_retry_attempts`` declines in the window no further session is created."""
    if scope.application.answers_by_scenario:
        return
    days = version.settings.retry_window_days
    since = None if days is None else scope.services.clock.now() - timedelta(days=days)
    declined = await repository.count_declined(scope, user.vendor_data, version.workflow_id, since)
    if declined > version.settings.max_retry_attempts:
        raise TooManyDeclined


async def _insert(
    scope: Scope,
    body: CreateSession,
    version: WorkflowVersion,
    user: UserRow | None,
    portrait: reference.Portrait | None,
) -> SessionRow:
    now = scope.services.clock.now()
    row = SessionRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        session_number=await repository.next_number(scope),
        kind="HOSTED",
        environment=scope.application.mode.value,
        status=SessionStatus.NOT_STARTED.value,
        version=1,
        workflow_id=version.workflow_id,
        workflow_version_id=version.id,
        workflow_version=version.version,
        workflow_content=version.content,
        user_id=user.id if user else None,
        vendor_data=body.vendor_data,
        callback=body.callback or version.settings.callback,
        callback_method=body.callback_method,
        language=body.language,
        session_metadata=body.metadata,
        expected_details=_dump(body.expected_details),
        contact_details=_contact(body.contact_details),
        action=dict(body.action.value) if body.action else None,
        action_hash=_action_hash(body),
        sandbox_scenario=body.sandbox_scenario,
        created_at=now,
        expires_at=now + timedelta(seconds=version.settings.session_expiration_time),
    )
    scope.tx.add(row)
    await scope.tx.flush()
    await reference.attach(scope, row, user, portrait, required=reference.compares_with_reference(version.graph))
    return row


async def _issue_token(scope: Scope, row: SessionRow) -> str:
    token = new_session_token(scope.services.identifiers)
    row.token_hash = token.digest
    row.token_sealed = scope.services.ordinary_ring.seal(token.text.encode(), context=view.token_context(row.id))
    await scope.tx.flush()
    return token.text


def _check_scenario(caller: Caller, scenario: str | None) -> None:
    if scenario is None:
        return
    if caller.application.mode is not Mode.SANDBOX:
        raise SandboxScenarioRefused("sandbox_scenario", "Scenarios work in sandbox applications only.")
    if scenario not in SCENARIOS:
        raise SandboxScenarioRefused("sandbox_scenario", f'"{scenario}" is not a scenario; see /v1/sandbox/scenarios/.')


def _check_expected_details(details: ExpectedDetails | None) -> None:
    if details and details.address and not (details.country or details.poa_country or details.id_country):
        raise BusinessRuleError("expected_details", "address needs country or poa_country to be read correctly.")


def _dump(details: ExpectedDetails | None) -> dict[str, Any] | None:
    return None if details is None else details.model_dump(mode="json", exclude_unset=True)


def _contact(details: ContactDetails | None) -> dict[str, Any] | None:
    """An unparsable phone number is silently left out (contract 10 section 1)."""
    if details is None:
        return None
    kept = details.model_dump(mode="json", exclude_unset=True)
    if details.phone is not None:
        try:
            number = phonenumbers.parse(details.phone)
        except phonenumbers.NumberParseException:
            kept.pop("phone")
        else:
            kept["phone"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return kept

"""What a reviewer or an API client changes by hand (contract file 10, section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ipse.audit.service import record
from ipse.decision.features import Feature, parse_feature
from ipse.decision.reports import Report
from ipse.decision.statuses import REVIEWABLE, Cause, FeatureStatus, SessionStatus, can_move
from ipse.edge.errors import BusinessRuleError, Detail, FieldErrors, NotFound
from ipse.runtime.scope import Scope
from ipse.sessions import lifecycle, repository, service
from ipse.sessions.errors import InvalidStatus, NothingToResubmit, NotReviewable, SameStatus, StatusNotAllowed
from ipse.sessions.schemas import NodeToResubmit, UpdateFeatureStatus, UpdateStatus
from ipse.storage.tables import ReportRow, SessionRow
from ipse.webhooks import service as webhooks
from ipse.workflows import service as workflows

_BY_HAND = (SessionStatus.APPROVED, SessionStatus.DECLINED, SessionStatus.RESUBMITTED)
_FEATURE_BY_HAND = (FeatureStatus.APPROVED, FeatureStatus.DECLINED, FeatureStatus.IN_REVIEW)
_RESUBMITTABLE = frozenset(
    {
        Feature.OCR,
        Feature.LIVENESS,
        Feature.FACE_MATCH,
        Feature.AGE_ESTIMATION,
        Feature.PROOF_OF_ADDRESS,
        Feature.PHONE_VERIFICATION,
        Feature.EMAIL_VERIFICATION,
        Feature.AML,
        Feature.DATABASE_VALIDATION,
        Feature.QUESTIONNAIRE,
    }
)
_UNSATISFIED = frozenset(
    {FeatureStatus.DECLINED, FeatureStatus.IN_REVIEW, FeatureStatus.NOT_FINISHED, FeatureStatus.EXPIRED}
)
_SELFIE_SOURCES = (Feature.LIVENESS, Feature.AGE_ESTIMATION)


async def update_status(scope: Scope, session_id: str, body: UpdateStatus) -> SessionRow:
    """Approve, decline or ask for a resubmission. The checks run in the contract's order."""
    row = await service.get(scope, session_id, lock=True)
    current = SessionStatus(row.status)
    if current not in REVIEWABLE:
        raise NotReviewable(row.status)
    if body.new_status == row.status:
        raise SameStatus
    if body.new_status not in _BY_HAND:
        raise InvalidStatus(body.new_status)
    if body.send_email and body.email_address is None:
        raise FieldErrors({"email_address": ["This field is required when send_email is true."]})
    target = SessionStatus(body.new_status)
    if target is SessionStatus.RESUBMITTED:
        await _resubmit(scope, row, body)
    else:
        if not can_move(current, target, Cause.REVIEWER):
            raise StatusNotAllowed(current, target)
        row.status_override = {
            "automatic_status": (row.status_override or {}).get("automatic_status", current.value),
            "overridden_at": scope.services.clock.now().isoformat(),
        }
        row.resubmission = None
        await lifecycle.change(scope, row, target, Cause.REVIEWER, comment=body.comment)
    return row


async def update_feature(
    scope: Scope, session_id: str, node_id: str, body: UpdateFeatureStatus
) -> tuple[SessionRow, ReportRow]:
    """Correct the status of one step; the session's own status stays as it is."""
    row = await service.get(scope, session_id, lock=True)
    if row.kind != "HOSTED":
        raise Detail(400, "The steps of a saved API call cannot be changed.")
    reports = await repository.reports_of(scope, row.id)
    found = next((r for r in reports if r.node_id == node_id), None)
    if found is None and node_id == "default" and len(reports) == 1:
        found = reports[0]
    if found is None:
        raise NotFound
    if body.new_status not in _FEATURE_BY_HAND:
        raise InvalidStatus(body.new_status)
    if found.status == body.new_status:
        raise BusinessRuleError("new_status", "The new status is the same as the current status.")
    previous, found.status = found.status, body.new_status
    found.report = Report.from_json(found.report).with_status(FeatureStatus(body.new_status)).to_json()
    found.updated_at = scope.services.clock.now()
    await repository.add_review(
        scope,
        row.id,
        "KYC_DATA_UPDATED",
        comment=body.comment,
        changes={"field": f"{found.node_id}.status", "previous": previous, "current": found.status},
    )
    await record(
        scope,
        "session.step_corrected",
        object_type="session",
        object_id=row.id,
        vendor_data=row.vendor_data,
        details={"node_id": found.node_id, "previous": previous, "current": found.status},
    )
    await scope.tx.flush()
    payload = await lifecycle.session_payload(
        scope, row, trigger="manual_review", changed_fields=[f"{found.node_id}.status"]
    )
    await webhooks.record_event(
        scope,
        session_id=row.id,
        session_version=row.version,
        webhook_type="data.updated",
        status=row.status,
        payload=payload,
    )
    return row, found


@dataclass(frozen=True, slots=True)
class _Wish:
    node_id: str | None
    feature: Feature | None


async def _resubmit(scope: Scope, row: SessionRow, body: UpdateStatus) -> None:
    """Reopen steps: their reports and captures go, the link lives again for a full expiry window."""
    current = SessionStatus(row.status)
    if not can_move(current, SessionStatus.RESUBMITTED, Cause.RESUBMISSION):
        raise StatusNotAllowed(current, SessionStatus.RESUBMITTED)
    if row.workflow_version_id is None:
        raise NothingToResubmit("A saved API call has no steps that could be repeated.")
    reports = list(await repository.reports_of(scope, row.id))
    chosen = _chosen(reports, body.nodes_to_resubmit) if body.nodes_to_resubmit else _unsatisfied(reports)
    if not chosen:
        raise NothingToResubmit
    chosen = _with_selfie_source(reports, chosen)
    reasons = {r.node_id: body.comment or _reason(r) for r in chosen}
    row.resubmission = {
        "nodes_to_resubmit": [{"node_id": r.node_id, "feature": r.feature} for r in chosen],
        "reasons": reasons,
    }
    for report in chosen:
        await scope.tx.delete(report)
    version = await workflows.version_by_uuid(scope, row.workflow_version_id, content=row.workflow_content)
    now = scope.services.clock.now()
    row.expires_at = now + timedelta(seconds=version.settings.session_expiration_time)
    await scope.tx.flush()
    await lifecycle.change(scope, row, SessionStatus.RESUBMITTED, Cause.RESUBMISSION, comment=body.comment)


def _unsatisfied(reports: list[ReportRow]) -> list[ReportRow]:
    return [r for r in reports if Feature(r.feature) in _RESUBMITTABLE and FeatureStatus(r.status) in _UNSATISFIED]


def _chosen(reports: list[ReportRow], wishes: list[NodeToResubmit | str]) -> list[ReportRow]:
    """Reports named by node id or feature; strings may be either (contract 90, section G)."""
    chosen: list[ReportRow] = []
    for wish in wishes:
        named = _read(wish)
        matching = [
            r
            for r in reports
            if (named.node_id is None or r.node_id == named.node_id)
            and (named.feature is None or Feature(r.feature) is named.feature)
        ]
        if not matching:
            raise NothingToResubmit(f"This session has no step {wish if isinstance(wish, str) else wish.model_dump()}.")
        chosen += [r for r in matching if r not in chosen]
    return chosen


def _read(wish: NodeToResubmit | str) -> _Wish:
    if isinstance(wish, str):
        feature = parse_feature(wish)
        return _Wish(None, feature) if feature is not None else _Wish(wish, None)
    feature = parse_feature(wish.feature) if wish.feature else None
    if wish.feature and feature is None:
        raise FieldErrors({"nodes_to_resubmit": [f'"{wish.feature}" is not a feature.']})
    if wish.node_id is None and feature is None:
        raise FieldErrors({"nodes_to_resubmit": ["Name a node_id or a feature."]})
    return _Wish(wish.node_id if wish.node_id != "default" else None, feature)


def _with_selfie_source(reports: list[ReportRow], chosen: list[ReportRow]) -> list[ReportRow]:
    """A face match repeated alone would take an unproven face: the step that captures the face is repeated too."""
    if not any(Feature(r.feature) is Feature.FACE_MATCH for r in chosen):
        return chosen
    wanted = {r.node_id for r in chosen} | {r.node_id for r in reports if Feature(r.feature) in _SELFIE_SOURCES}
    return [r for r in reports if r.node_id in wanted]


def _reason(report: ReportRow) -> str:
    warnings = Report.from_json(report.report).warnings
    return warnings[0].short_description if warnings else "Please repeat this step."

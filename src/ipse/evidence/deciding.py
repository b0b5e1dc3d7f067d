"""The pure core of a decision: run the checks over what was observed until the person is needed or the graph has ended.

Capture and replay call the same function, with no clock, database or model behind it: equal input gives equal reports,
trace and status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ipse.checks import age_estimation, face_match, ip_analysis, liveness
from ipse.checks.registry import Need, has_check, needs, unavailable
from ipse.checks.screening import MismatchActions, with_screening
from ipse.checks.selfie import ReferenceFace
from ipse.checks.steps import SELFIE_FEATURES, may_try_again, tries
from ipse.decision.evaluation import Awaiting, Decided, Evaluation, evaluate
from ipse.decision.evidence import Evidence
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, WorkflowGraph
from ipse.decision.reports import Report
from ipse.decision.settings import AgeEstimationConfig, FaceMatchConfig, IpAnalysisConfig, LivenessConfig
from ipse.decision.signal_catalogue import nested
from ipse.decision.status_rules import apply_status_rules
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonValue
from ipse.decision.warnings import warn
from ipse.evidence.observed import Observed, ReferenceFacts
from ipse.sandbox.scenarios import report_for
from ipse.signals.reports import of_reports


@dataclass(frozen=True, slots=True)
class Step:
    """The report of the latest attempt at a node. Not ``final`` while the person may or must try again."""

    report: Report
    attempt: int
    final: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the checks came to rest. ``retried`` is the report that must be tried again."""

    evaluation: Awaiting | Decided
    retried: Report | None = None


@dataclass(frozen=True, slots=True)
class _OnlyModel:
    """Stands where a template stood: names its model, and fails whoever would compare it."""

    model_id: str


_FACE_NODES: Final = frozenset({*SELFIE_FEATURES, Feature.FACE_MATCH})


def evaluation_of(graph: WorkflowGraph, steps: Mapping[str, Step], observed: Observed, session_id: str) -> Evaluation:
    """Walk ``graph`` over the finished steps: :class:`Awaiting` or :class:`Decided`."""
    reports = {node_id: step.report for node_id, step in steps.items() if step.final}
    subject = observed.context["session"]["vendor_data"]
    return evaluate(graph, Evidence(reports, context_of(steps, observed)), subject_key=subject or session_id)


def context_of(steps: Mapping[str, Step], observed: Observed) -> dict[str, Any]:
    """What rules may address beside the reports."""
    signals: dict[str, JsonValue] = {**observed.signals, **of_reports(step.report for step in steps.values())}
    return {**observed.context, "signals": nested(signals)}


def advance(graph: WorkflowGraph, steps: dict[str, Step], observed: Observed, session_id: str) -> Stop:
    """Run what can be run and put it into ``steps``. Each pass finishes a report or stops, so it ends."""
    captured_at = observed.captured_at
    while True:
        evaluation = evaluation_of(graph, steps, observed, session_id)
        if isinstance(evaluation, Decided):
            return Stop(evaluation)
        node = evaluation.node
        if _waits_for_person(node, observed, captured_at):
            return Stop(evaluation)
        if node.id == captured_at:
            captured_at = None
        report = apply_status_rules(
            _run(node, observed),
            node.config,
            earlier=evaluation.reports,
            context=context_of(steps, observed),
        )
        made = steps[node.id].attempt if node.id in steps else 0
        steps[node.id] = Step(report, made + 1, final=True)
        final = not (_wants_retry(report) and _may_retry(node, observed, steps))
        steps[node.id] = Step(report, made + 1, final)
        if not final:
            _reopen_capture(graph, steps, node)
            return Stop(evaluation_of(graph, steps, observed, session_id), retried=report)


def takes_face(node: FeatureNode) -> bool:
    """Whether frames of a person are submitted to a node."""
    return node.feature in _FACE_NODES


def _waits_for_person(node: FeatureNode, observed: Observed, captured_at: str | None) -> bool:
    if Need.SELFIE not in needs(node.feature) or node.id == captured_at:
        return False
    return node.feature in SELFIE_FEATURES or (observed.probe_model is None and observed.media_id is None)


def _wants_retry(report: Report) -> bool:
    """A face that was too dark or too far away is asked for again before a reviewer is bothered with it."""
    return report.status is FeatureStatus.DECLINED or (
        report.feature in SELFIE_FEATURES
        and report.status is FeatureStatus.IN_REVIEW
        and liveness.is_quality_failure(report)
    )


def _may_retry(node: FeatureNode, observed: Observed, steps: Mapping[str, Step]) -> bool:
    if observed.terms.by_scenario:
        return False  # the scenario will not answer otherwise the next time
    submissions = tries((step.report.feature, step.attempt) for step in steps.values())
    return Need.SELFIE in needs(node.feature) and may_try_again(node, steps[node.id].attempt, submissions)


def _reopen_capture(graph: WorkflowGraph, steps: dict[str, Step], node: FeatureNode) -> None:
    """A face that did not match is shown again where it was captured, so that the new one is live as well."""
    if node.feature in SELFIE_FEATURES:
        return
    for other in graph.nodes.values():
        if isinstance(other, FeatureNode) and other.feature in SELFIE_FEATURES and other.id in steps:
            earlier = steps[other.id]
            steps[other.id] = Step(earlier.report, earlier.attempt, final=False)


def _run(node: FeatureNode, observed: Observed) -> Report:
    terms = observed.terms
    if terms.by_scenario:
        return report_for(terms.scenario, node.feature, node.id, node.config, media_id=observed.media_id)
    if not has_check(node.feature):
        return unavailable(node.feature, node.id)
    match node.feature:
        case Feature.LIVENESS:
            assert observed.face is not None
            config = LivenessConfig.read(node.config, node.id)
            report = liveness.assess(
                observed.face.selfie(),
                config,
                node.id,
                passive_only_may_approve=terms.lenient,
                media_id=observed.media_id,
                performed=observed.performed,
            )
            return _screened(report, config, observed)
        case Feature.AGE_ESTIMATION:
            assert observed.face is not None
            settings = AgeEstimationConfig.read(node.config, node.id)
            report = age_estimation.assess(
                observed.face.selfie(),
                settings,
                node.id,
                passive_only_may_approve=terms.lenient,
                media_id=observed.media_id,
                performed=observed.performed,
            )
            return _screened(report, settings.liveness, observed)
        case Feature.FACE_MATCH:
            return _match(node, observed)
        case _:
            return ip_analysis.assess(
                observed.network,
                observed.device,
                observed.history,
                IpAnalysisConfig.read(node.config, node.id),
                node.id,
                expected_ip=observed.expected_ip,
                now=observed.at,
            )


def _screened(report: Report, config: LivenessConfig, observed: Observed) -> Report:
    """The report with what the 1:N search found, where the step searches."""
    if not config.face_search_enabled:
        return report
    found = with_screening(
        report,
        observed.hits,
        bands=liveness.bands(config),
        duplicate_action=config.action("POSSIBLE_DUPLICATED_FACE"),
        mismatch_actions=MismatchActions(
            name=config.action("DUPLICATED_FACE_NAME_MISMATCH"),
            document=config.action("DUPLICATED_FACE_DOCUMENT_MISMATCH"),
        ),
    )
    return found if observed.searched else _not_searched(found)


def _not_searched(report: Report) -> Report:
    """Another workflow searches where this session did not: what it would have found is not known, so nobody passes."""
    unknown = warn(
        "CHECK_NOT_AVAILABLE",
        report.node_id,
        feature=report.feature,
        additional_data={"not_available": ["face_search"]},
    )
    status = FeatureStatus.IN_REVIEW if report.status is FeatureStatus.APPROVED else report.status
    return Report(report.feature, report.node_id, status, report.score, (*report.warnings, unknown), report.facts)


def _match(node: FeatureNode, observed: Observed) -> Report:
    config = FaceMatchConfig.read(node.config, node.id)
    expects_document = observed.context["reference"]["kind"] is None
    if observed.probe_model is not None and (expects_document or observed.first_use):
        return face_match.without_reference(
            config,
            node.id,
            first_use=observed.first_use,
            now=observed.at,
            selfie_media_id=observed.media_id,
        )
    return face_match.assess(
        None if observed.probe_model is None else cast("Any", _OnlyModel(observed.probe_model)),
        None if observed.reference is None else _reference(observed.reference),
        observed.score,
        config,
        node.id,
        now=observed.at,
        selfie_media_id=observed.media_id,
    )


def _reference(facts: ReferenceFacts) -> ReferenceFace:
    return ReferenceFace(
        template=cast("Any", None if facts.model_id is None else _OnlyModel(facts.model_id)),
        kind=facts.kind,
        supplied_by=facts.supplied_by,
        session_id=facts.session_id,
        created_at=facts.created_at,
        media_id=facts.media_id,
        face_id=facts.face_id,
    )

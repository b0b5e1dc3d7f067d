"""Run the checks of a session one after the other, until the person is needed or the workflow has decided.

Everything slow has happened before: the selfie was examined on the inference pool and the reference template
was opened. What remains is rules, so it runs inside the transaction that stores its outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipse.biometrics.templates import Template
from ipse.capture.circumstances import Circumstances
from ipse.capture.errors import MethodRefused
from ipse.capture.progress import Progress
from ipse.checks import age_estimation, face_match, ip_analysis, liveness
from ipse.checks.performed import PASSIVE, Performed
from ipse.checks.registry import Need, has_check, needs, unavailable
from ipse.checks.screening import FaceHit, MismatchActions, with_screening
from ipse.checks.selfie import ReferenceFace, Selfie
from ipse.decision.config import CaptureMethod
from ipse.decision.evaluation import Awaiting, Decided
from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode
from ipse.decision.reports import Report
from ipse.decision.settings import AgeEstimationConfig, FaceMatchConfig, IpAnalysisConfig, LivenessConfig
from ipse.decision.status_rules import apply_status_rules
from ipse.decision.statuses import FeatureStatus
from ipse.runtime.application import Mode
from ipse.runtime.scope import Scope
from ipse.sandbox.scenarios import report_for

SELFIE_FEATURES = frozenset({Feature.LIVENESS, Feature.AGE_ESTIMATION})
"""Steps whose capture proves that a live person is there; a face match compares what they captured."""


_CHALLENGES = (CaptureMethod.ACTIVE_3D, CaptureMethod.FLASHING)


@dataclass(frozen=True, slots=True)
class Given:
    """What is at hand for the checks of one request."""

    circumstances: Circumstances
    selfie: Selfie | None = None
    """Examined frames; None in scenario mode and when nothing was submitted."""
    performed: Performed = PASSIVE
    """How the selfie was captured, and what that tells."""
    captured_at: str | None = None
    """The node for which frames were submitted with this request."""
    media_id: str | None = None
    probe: Template | None = None
    """The live face: of this submission, or of an earlier step of the session."""
    reference: ReferenceFace | None = None
    first_use: bool = False
    """The session was created to enrol an unknown person, who is still unknown."""
    score: float | None = None
    hits: Sequence[FaceHit] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the checks came to rest. ``retried`` is the report that must be tried again."""

    evaluation: Awaiting | Decided
    retried: Report | None = None


def advance(scope: Scope, progress: Progress, given: Given) -> Stop:
    """Run what can be run. Each pass finishes a report or stops, so it ends."""
    captured_at = given.captured_at
    while True:
        evaluation = progress.evaluation()
        if isinstance(evaluation, Decided):
            return Stop(evaluation)
        node = evaluation.node
        if _waits_for_person(node, given, captured_at):
            return Stop(evaluation)
        if node.id == captured_at:
            captured_at = None
        report = apply_status_rules(
            _run(scope, progress, node, given),
            node.config,
            earlier=evaluation.reports,
            context=progress.context(),
        )
        final = not (_wants_retry(report) and _may_retry(scope, progress, node))
        progress.put(scope, report, final=final)
        if not final:
            _reopen_capture(progress, node)
            return Stop(progress.evaluation(), retried=report)


def max_attempts(node: FeatureNode) -> int:
    """Attempts that the workflow grants at a step; 1 where the person cannot try again."""
    match node.feature:
        case Feature.LIVENESS:
            return LivenessConfig.read(node.config, node.id).max_attempts
        case Feature.AGE_ESTIMATION:
            return AgeEstimationConfig.read(node.config, node.id).liveness.max_attempts
        case Feature.FACE_MATCH:
            return FaceMatchConfig.read(node.config, node.id).max_attempts
        case _:
            return 1


def method_of(node: FeatureNode) -> CaptureMethod | None:
    """How the workflow wants a step's face captured; None where no face is shown."""
    match node.feature:
        case Feature.LIVENESS:
            return LivenessConfig.read(node.config, node.id).method
        case Feature.AGE_ESTIMATION:
            return AgeEstimationConfig.read(node.config, node.id).liveness.method
        case Feature.FACE_MATCH:
            return CaptureMethod.PASSIVE
        case _:
            return None


def methods_of(node: FeatureNode) -> tuple[CaptureMethod, ...]:
    """Every method a step accepts, the workflow's own first.

    A challenge may replace another, because not everybody can turn the head or bear the light, and PASSIVE may be
    strengthened. Nothing is ever weakened to PASSIVE.
    """
    own = method_of(node)
    if own is None:
        return ()
    if node.feature not in SELFIE_FEATURES:
        return (own,)
    return (own, *(method for method in _CHALLENGES if method is not own))


def require_accepted(method: CaptureMethod, node: FeatureNode) -> None:
    """Raise :class:`MethodRefused` unless the step accepts ``method``."""
    accepted = methods_of(node)
    if method not in accepted:
        raise MethodRefused(method.value, [one.value for one in accepted])


def suggested_method(node: FeatureNode, failed: int, latest: CaptureMethod | None) -> CaptureMethod | None:
    """Another method that may work better after two failed tries, the latest of them by ``latest``; often None."""
    better = CaptureMethod.ACTIVE_3D
    return better if failed >= 2 and latest is not better and better in methods_of(node) else None


def searches_faces(node: FeatureNode) -> bool:
    """Whether a capture at this step is compared with other people's faces and becomes findable itself."""
    match node.feature:
        case Feature.LIVENESS:
            return LivenessConfig.read(node.config, node.id).face_search_enabled
        case Feature.AGE_ESTIMATION:
            return AgeEstimationConfig.read(node.config, node.id).liveness.face_search_enabled
        case _:
            return False


def _waits_for_person(node: FeatureNode, given: Given, captured_at: str | None) -> bool:
    if Need.SELFIE not in needs(node.feature) or node.id == captured_at:
        return False
    return node.feature in SELFIE_FEATURES or (given.probe is None and given.media_id is None)


def _wants_retry(report: Report) -> bool:
    """A face that was too dark or too far away is asked for again before a reviewer is bothered with it."""
    return report.status is FeatureStatus.DECLINED or (
        report.feature in SELFIE_FEATURES
        and report.status is FeatureStatus.IN_REVIEW
        and liveness.is_quality_failure(report)
    )


def _may_retry(scope: Scope, progress: Progress, node: FeatureNode) -> bool:
    if scope.application.answers_by_scenario:
        return False  # the scenario will not answer otherwise the next time
    return Need.SELFIE in needs(node.feature) and progress.attempts_at(node.id) + 1 < max_attempts(node)


def _reopen_capture(progress: Progress, node: FeatureNode) -> None:
    """A face that did not match is shown again where it was captured, so that the new one is live as well."""
    if node.feature in SELFIE_FEATURES:
        return
    for other in progress.version.graph.nodes.values():
        if isinstance(other, FeatureNode) and other.feature in SELFIE_FEATURES:
            progress.reopen(other.id)


def _run(scope: Scope, progress: Progress, node: FeatureNode, given: Given) -> Report:
    session = progress.session
    if scope.application.answers_by_scenario:
        return report_for(session.sandbox_scenario, node.feature, node.id, node.config, media_id=given.media_id)
    if not has_check(node.feature):
        return unavailable(node.feature, node.id)
    lenient = scope.application.mode is Mode.SANDBOX
    match node.feature:
        case Feature.LIVENESS:
            assert given.selfie is not None
            config = LivenessConfig.read(node.config, node.id)
            report = liveness.assess(
                given.selfie,
                config,
                node.id,
                passive_only_may_approve=lenient,
                media_id=given.media_id,
                performed=given.performed,
            )
            return _screened(report, config, given)
        case Feature.AGE_ESTIMATION:
            assert given.selfie is not None
            settings = AgeEstimationConfig.read(node.config, node.id)
            report = age_estimation.assess(
                given.selfie,
                settings,
                node.id,
                passive_only_may_approve=lenient,
                media_id=given.media_id,
                performed=given.performed,
            )
            return _screened(report, settings.liveness, given)
        case Feature.FACE_MATCH:
            return _match(scope, progress, node, given)
        case _:
            return _address(scope, node, given.circumstances)


def _screened(report: Report, config: LivenessConfig, given: Given) -> Report:
    """The report with what the 1:N search found, where the step searches."""
    if not config.face_search_enabled:
        return report
    return with_screening(
        report,
        given.hits,
        bands=liveness.bands(config),
        duplicate_action=config.action("POSSIBLE_DUPLICATED_FACE"),
        mismatch_actions=MismatchActions(
            name=config.action("DUPLICATED_FACE_NAME_MISMATCH"),
            document=config.action("DUPLICATED_FACE_DOCUMENT_MISMATCH"),
        ),
    )


def _address(scope: Scope, node: FeatureNode, given: Circumstances) -> Report:
    return ip_analysis.assess(
        given.network,
        given.device,
        given.history,
        IpAnalysisConfig.read(node.config, node.id),
        node.id,
        expected_ip=given.expected_ip,
        now=scope.services.clock.now(),
    )


def _match(scope: Scope, progress: Progress, node: FeatureNode, given: Given) -> Report:
    config, now = FaceMatchConfig.read(node.config, node.id), scope.services.clock.now()
    expects_document = progress.session.reference_kind is None
    if given.probe is not None and (expects_document or given.first_use):
        return face_match.without_reference(
            config, node.id, first_use=given.first_use, now=now, selfie_media_id=given.media_id
        )
    return face_match.assess(
        given.probe, given.reference, given.score, config, node.id, now=now, selfie_media_id=given.media_id
    )

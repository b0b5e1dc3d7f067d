"""Run the checks of a session one after the other, until the person is needed or the workflow has decided.

Everything slow has happened before: the selfie was examined on the inference pool and the reference template
was opened. What remains is rules, so it runs inside the transaction that stores its outcome. The rules are those of
``ipse.evidence.deciding``; here their input is put together, stored, and their reports written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ipse
from ipse.biometrics.calibration import CALIBRATION_VERSION
from ipse.biometrics.protection import Comparable
from ipse.capture.circumstances import Circumstances
from ipse.capture.errors import MethodRefused
from ipse.capture.progress import Progress
from ipse.checks.performed import PASSIVE, Performed
from ipse.checks.screening import FaceHit
from ipse.checks.selfie import ReferenceFace, Selfie
from ipse.checks.steps import (
    SELFIE_FEATURES,
    max_attempts,
    method_of,
    methods_of,
    searches_faces,
    suggested_method,
)
from ipse.decision.config import CaptureMethod
from ipse.decision.graph import FeatureNode
from ipse.decision.reports import Report
from ipse.evidence import deciding, record
from ipse.evidence.deciding import Step, Stop
from ipse.evidence.observed import (
    ByHand,
    Face,
    Observed,
    ReferenceFacts,
    Terms,
    decode,
    encode,
    without_identifiers,
)
from ipse.runtime.application import Mode
from ipse.runtime.scope import Scope

__all__ = [
    "SELFIE_FEATURES",
    "Given",
    "Stop",
    "advance",
    "max_attempts",
    "method_of",
    "methods_of",
    "require_accepted",
    "searches_faces",
    "suggested_method",
]


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
    probe: Comparable | None = None
    """The live face: of this submission, or of an earlier step of the session."""
    reference: ReferenceFace | None = None
    first_use: bool = False
    """The session was created to enrol an unknown person, who is still unknown."""
    score: float | None = None
    hits: Sequence[FaceHit] = ()


def advance(scope: Scope, progress: Progress, given: Given) -> Stop:
    """Run what can be run, write its reports, and keep what it was decided from."""
    session, lookup = progress.session, scope.services.lookup
    steps = {
        node_id: Step(Report.from_json(row.report), row.attempt, row.final) for node_id, row in progress.rows.items()
    }
    earlier = record.stored_in(lookup, session.id, session.evidence)
    encoded = encode(_observed(scope, progress, given, record.by_hand(earlier, steps)))
    # What is replayed later is what decides now: the checks read what comes back from the store.
    observed = decode(encoded)
    stop = deciding.advance(progress.version.graph, steps, observed, session.id)
    for node_id, step in steps.items():
        row = progress.rows.get(node_id)
        if row is None or row.attempt != step.attempt:
            progress.put(scope, step.report, final=step.final)
        elif row.final and not step.final:
            progress.reopen(node_id)
    made = record.Made(
        code=ipse.__version__,
        calibration=CALIBRATION_VERSION,
        workflow=session.workflow_content,
        models=session.evidence.get("models", {}),
    )
    kept = record.appended(earlier, session.id, encoded, made, steps, stop.evaluation)
    session.evidence = {**session.evidence, record.KEY: record.seal(lookup, session.id, kept)}
    return stop


def require_accepted(method: CaptureMethod, node: FeatureNode) -> None:
    """Raise :class:`MethodRefused` unless the step accepts ``method``."""
    accepted = methods_of(node)
    if method not in accepted:
        raise MethodRefused(method.value, [one.value for one in accepted])


def _observed(scope: Scope, progress: Progress, given: Given, by_hand: tuple[ByHand, ...]) -> Observed:
    """All that the checks will read."""
    around, context = given.circumstances, dict(progress.context())
    del context["signals"]
    application, reference = scope.application, given.reference
    return Observed(
        at=scope.services.clock.now(),
        terms=Terms(
            by_scenario=application.answers_by_scenario,
            scenario=progress.session.sandbox_scenario,
            lenient=application.mode is Mode.SANDBOX,
        ),
        context=context,
        signals=progress.signals,
        network=around.network,
        device=without_identifiers(around.device),
        history=around.history,
        expected_ip=around.expected_ip,
        captured_at=given.captured_at,
        searched=_searched(progress, given.captured_at),
        face=None if given.selfie is None else Face.of(given.selfie),
        performed=given.performed,
        media_id=given.media_id,
        probe_model=None if given.probe is None else given.probe.model_id,
        reference=None if reference is None else _reference_facts(reference),
        first_use=given.first_use,
        score=given.score,
        hits=tuple(given.hits),
        by_hand=by_hand,
    )


def _searched(progress: Progress, captured_at: str | None) -> bool:
    node = progress.version.graph.nodes.get(captured_at) if captured_at is not None else None
    return isinstance(node, FeatureNode) and searches_faces(node)


def _reference_facts(reference: ReferenceFace) -> ReferenceFacts:
    return ReferenceFacts(
        model_id=None if reference.template is None else reference.template.model_id,
        kind=reference.kind,
        supplied_by=reference.supplied_by,
        session_id=reference.session_id,
        created_at=reference.created_at,
        media_id=reference.media_id,
        face_id=reference.face_id,
    )

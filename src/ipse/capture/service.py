"""Opening a session, submitting frames to a step, and saying what comes next.

A submission reads what it needs in a short transaction, runs the models with none open, and then writes
everything that follows from it - images, reports, decision, event - in one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipse.biometrics.images import ImageError, decode
from ipse.capture import challenges, checking, device_reports, handoffs, lockouts, view
from ipse.capture.authentication import Device
from ipse.capture.circumstances import Circumstances, RequestFacts, gather
from ipse.capture.device_schema import DeviceReport
from ipse.capture.errors import (
    AlreadyDecided,
    ChallengeMissing,
    ChangedMeanwhile,
    LinkExpired,
    OtherAction,
    OtherStep,
    UnusableFrame,
    UnusableRecording,
)
from ipse.capture.progress import Progress
from ipse.capture.recording import Recording, examine_recording
from ipse.capture.schemas import CaptureState, Observations
from ipse.capture.signals import of_this_session
from ipse.checks import face_match
from ipse.checks.performed import PASSIVE, Performed
from ipse.checks.screening import FaceHit
from ipse.checks.selfie import ReferenceFace, Selfie
from ipse.decision.config import CaptureMethod
from ipse.decision.evaluation import Awaiting, Decided
from ipse.decision.graph import FeatureNode
from ipse.decision.statuses import UNFINISHED, Cause, SessionStatus
from ipse.faces import of_session, search
from ipse.faces import service as faces
from ipse.media import service as media
from ipse.runtime.scope import Scope
from ipse.sessions import lifecycle, repository, signals
from ipse.sessions.reference import FIRST_USE
from ipse.storage.tables import CaptureRow, SessionRow
from ipse.users import service as users
from ipse.workflows import service as workflows


@dataclass(frozen=True, slots=True)
class Submission:
    """What a page submits to a step: stills, and for a challenge its id and the frames recorded meanwhile.

    ``method`` None means that of the challenge, and without a challenge the workflow's.
    """

    key: str
    stills: Sequence[bytes]
    method: CaptureMethod | None = None
    challenge: str | None = None
    frames: Sequence[bytes] = ()
    observations: Observations | None = None
    action_hash: str | None = None
    """Of the action that the page showed."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a submission must know before the models run."""

    attempts: int
    recording: Recording
    reference: ReferenceFace | None
    vendor_data: str | None
    searches: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What the models said about a submission."""

    image: bytes
    content_type: str
    selfie: Selfie | None = None
    performed: Performed = PASSIVE
    score: float | None = None
    hits: Sequence[FaceHit] = ()
    durations_ms: Mapping[str, float] = field(default_factory=dict)


async def state(device: Device) -> CaptureState:
    """Where the session stands; changes nothing."""
    async with device.unit.peek() as tx:
        scope = device.within(tx)
        session, progress = await load(scope, device.session_id)
        return await view.state(scope, device, session, progress, progress.evaluation())


async def start(device: Device, request: RequestFacts, report: DeviceReport | None = None) -> CaptureState:
    """The person opened the link: run the checks that need nothing from them and say what to show."""
    scope = await device.begin()
    session, progress = await load(scope, device.session_id, lock=True)
    require_open(scope, session)
    await handoffs.take_over(scope, device)
    if report is not None:
        device_reports.keep(scope, session, device_reports.holder_of(device), report)
    await lockouts.admit(scope, device, progress, request)
    if SessionStatus(session.status) is SessionStatus.NOT_STARTED:
        await lifecycle.change(scope, session, SessionStatus.IN_PROGRESS, Cause.OPENED)
    circumstances = await gather(scope, progress, request, device_reports.holder_of(device))
    progress.signals |= await of_this_session(scope, progress)
    stop = checking.advance(scope, progress, await _at_hand(scope, session, circumstances))
    await _settle(scope, progress, stop.evaluation)
    return await view.state(scope, device, session, progress, stop.evaluation)


async def submit(device: Device, node_id: str, submission: Submission, request: RequestFacts) -> CaptureState:
    """Take the frames of a step. Repeating a submission with the same key returns the first answer.

    A challenge is used up when its frames have been examined, and no earlier: what was refused may be repeated.
    """
    started = time.perf_counter()
    known = await _before(device, node_id, submission, request)
    if isinstance(known, CaptureState):
        return known
    seen = await _look(device, known)
    scope = await device.begin()
    session, progress = await load(scope, device.session_id, lock=True)
    require_open(scope, session)
    require_shown(session, submission.action_hash)
    await handoffs.take_over(scope, device)
    if progress.attempts_at(node_id) != known.attempts or not _awaits(progress, node_id):
        raise ChangedMeanwhile
    trial = await lockouts.admit(scope, device, progress, request, settling=True)
    tried = lockouts.attempts_of(progress)
    if known.recording.answer is not None:
        await challenges.use(scope, session.id, known.recording.answer.id)
    if SessionStatus(session.status) is SessionStatus.NOT_STARTED:
        await lifecycle.change(scope, session, SessionStatus.IN_PROGRESS, Cause.OPENED)
    media_id = await _keep(scope, session, seen, searchable=known.searches)
    session.evidence = _evidence(scope, session, seen, started)
    circumstances = await gather(scope, progress, request, device_reports.holder_of(device))
    progress.signals |= await of_this_session(
        scope,
        progress,
        submissions=1,
        durations_ms=session.evidence["durations_ms"],
        observations=submission.observations,
    )
    stop = checking.advance(
        scope,
        progress,
        checking.Given(
            circumstances,
            selfie=seen.selfie,
            performed=seen.performed,
            captured_at=node_id,
            media_id=media_id,
            probe=seen.selfie.template if seen.selfie else None,
            reference=known.reference,
            first_use=await _is_first_use(scope, session),
            score=seen.score,
            hits=seen.hits,
        ),
    )
    await _settle(scope, progress, stop.evaluation)
    await lockouts.settle(scope, progress, trial, tried)
    answer = await view.state(
        scope, device, session, progress, stop.evaluation, submitted=True, retried=stop.retried, selfie=seen.selfie
    )
    scope.tx.add(
        CaptureRow(
            id=scope.services.identifiers.uuid(),
            session_id=session.id,
            node_id=node_id,
            attempt=progress.attempts_at(node_id),
            submission_key=submission.key,
            answer=answer.model_dump(mode="json", exclude={"code"}),
            created_at=scope.services.clock.now(),
        )
    )
    return answer


async def _before(device: Device, node_id: str, submission: Submission, request: RequestFacts) -> Known | CaptureState:
    """What must be known before the models run, or the answer this submission has had already."""
    async with device.unit.peek() as tx:
        scope = device.within(tx)
        session, progress = await load(scope, device.session_id)
        earlier = await repository.capture_with_key(scope, session.id, node_id, submission.key)
        if earlier is not None:
            answer = CaptureState.model_validate(earlier.answer)
            return answer.model_copy(update={"code": await view.code_for(scope, device, session, answer.handoff)})
        require_open(scope, session)
        require_shown(session, submission.action_hash)
        await handoffs.require_active(scope, device)
        node = awaited_node(progress, node_id)
        await lockouts.admit(scope, device, progress, request)
        attempts = progress.attempts_at(node_id)
        return Known(
            attempts=attempts,
            recording=await _recording(scope, session.id, node, attempts + 1, submission),
            reference=await of_session.reference_face(scope, session.reference_face_id, session.reference_kind),
            vendor_data=session.vendor_data,
            searches=checking.searches_faces(node),
        )


async def _recording(
    scope: Scope, session_id: str, node: FeatureNode, attempt: int, submission: Submission
) -> Recording:
    """What was submitted, by which method; refuse a method that is not accepted here or lacks its challenge."""
    answer = None
    if submission.challenge is not None:
        answer = await challenges.answered(scope, session_id, node.id, attempt, submission.challenge)
        if not submission.frames:
            raise UnusableRecording("challenge_frames", "Send the frames that were committed during the challenge.")
    method = submission.method or (answer.method if answer else checking.method_of(node)) or CaptureMethod.PASSIVE
    checking.require_accepted(method, node)
    if answer is None and method is not CaptureMethod.PASSIVE:
        raise ChallengeMissing(method.value)
    if answer is not None and answer.method is not method:
        raise UnusableRecording("challenge", f"This challenge is one of {answer.method.value}, not of {method.value}.")
    return Recording(tuple(submission.stills), method, tuple(submission.frames), answer, submission.observations)


async def _look(device: Device, known: Known) -> Seen:
    """Run the models. Nothing is held in the database meanwhile."""
    services, frames = device.services, known.recording.stills
    try:
        if device.application.answers_by_scenario:
            pictures = [await services.inference.run(decode, frame) for frame in frames]
            return Seen(frames[0], f"image/{pictures[0].format}")
        engine = services.face_engine()
        selfie, performed = await examine_recording(services.inference, engine, known.recording)
    except ImageError as error:
        raise UnusableFrame(error.message) from error
    score = face_match.similarity(selfie.template, known.reference)
    durations = dict(selfie.durations_ms)
    hits: Sequence[FaceHit] = ()
    if selfie.template is not None and known.searches:
        began = time.perf_counter()
        async with device.unit.peek() as tx:
            hits = await search.search(
                device.within(tx),
                selfie.template,
                exclude_vendor_data=known.vendor_data,
                exclude_session_id=device.session_id,
            )
        durations["search"] = round((time.perf_counter() - began) * 1000, 2)
    return Seen(selfie.image, selfie.content_type, selfie, performed, score, hits, durations)


async def _keep(scope: Scope, session: SessionRow, seen: Seen, *, searchable: bool) -> str:
    """Store the chosen frame and the live face of this submission in place of those of an earlier one."""
    kept = await media.store(
        scope, kind="selfie", content=seen.image, content_type=seen.content_type, session_id=session.id
    )
    user = await users.get_by_id(scope, session.user_id) if session.user_id else None
    await of_session.replace_probe(
        scope,
        user=user,
        session_id=session.id,
        media_id=kept.id,
        template=seen.selfie.template if seen.selfie else None,
        searchable=searchable,
    )
    return kept.id


async def load(scope: Scope, session_id: str, *, lock: bool = False) -> tuple[SessionRow, Progress]:
    """The session of a device with its progress; :class:`LinkExpired` when it is gone."""
    session = await repository.find(scope, session_id, lock=lock)
    if session is None or session.workflow_version_id is None:
        raise LinkExpired
    version = await workflows.version_by_uuid(scope, session.workflow_version_id, content=session.workflow_content)
    return session, await Progress.load(scope, session, version)


def require_open(scope: Scope, session: SessionRow) -> None:
    """Refuse what would change a session that is finished or out of time."""
    if SessionStatus(session.status) not in UNFINISHED:
        raise AlreadyDecided(session.status)
    if session.expires_at <= scope.services.clock.now():
        raise LinkExpired


def require_shown(session: SessionRow, action_hash: str | None) -> None:
    """Refuse what was done before another action than the session's: the person must have seen what they approve."""
    if action_hash != session.action_hash:
        raise OtherAction


def awaited_node(progress: Progress, node_id: str) -> FeatureNode:
    """The step that comes next, if it is this one; else :class:`OtherStep`.

    Steps without a capture may stand before it; ``start`` runs them.
    """
    awaited = progress.evaluation()
    if not isinstance(awaited, Awaiting) or awaited.node.id != node_id:
        raise OtherStep(awaited.node.id if isinstance(awaited, Awaiting) else None)
    return awaited.node


async def _at_hand(scope: Scope, session: SessionRow, circumstances: Circumstances) -> checking.Given:
    """What an earlier request of this session has left for the checks."""
    probe = await of_session.probe_of(scope, session.id)
    if probe is None:
        return checking.Given(circumstances)
    reference = await of_session.reference_face(scope, session.reference_face_id, session.reference_kind)
    template = await of_session.template_of(scope, probe)
    return checking.Given(
        circumstances,
        media_id=probe.media_id,
        probe=template,
        reference=reference,
        first_use=await _is_first_use(scope, session),
        score=face_match.similarity(template, reference),
    )


async def _is_first_use(scope: Scope, session: SessionRow) -> bool:
    """Whether the person is still unknown: two sessions may have been created before either was finished."""
    if session.reference_kind != FIRST_USE or session.user_id is None:
        return False
    return await faces.current_reference(scope, session.user_id) is None


def _awaits(progress: Progress, node_id: str) -> bool:
    evaluation = progress.evaluation()
    return isinstance(evaluation, Awaiting) and evaluation.node.id == node_id


async def _settle(scope: Scope, progress: Progress, evaluation: Awaiting | Decided) -> None:
    session = progress.session
    session.trace = [step.to_json() for step in evaluation.trace]
    session.experiments = dict(evaluation.experiments)
    await signals.store(scope, session, progress.all_signals())
    if isinstance(evaluation, Decided):
        await lifecycle.change(scope, session, evaluation.status, Cause.EVALUATED)


def _evidence(scope: Scope, session: SessionRow, seen: Seen, started: float) -> dict[str, Any]:
    """What produced the decision: model digests and milliseconds for each stage."""
    total = round((time.perf_counter() - started) * 1000, 2)
    engine = scope.services.faces if seen.selfie is not None else None
    return {
        **session.evidence,
        "workflow_content": session.workflow_content,
        "engine": "scenario" if engine is None else engine.liveness_engine,
        "models": {} if engine is None else dict(engine.model_set),
        "durations_ms": {**seen.durations_ms, "total": total},
    }

"""``POST /v3/face-match/``: are the two pictures of one person?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

from ipse.biometrics.engine import FaceEngine
from ipse.checks import face_match
from ipse.checks.selfie import Selfie
from ipse.decision.reports import Report
from ipse.decision.thresholds import StandaloneThresholds
from ipse.decision.values import JsonValue
from ipse.edge.authentication import Caller
from ipse.sandbox import pictures
from ipse.standalone import calls
from ipse.standalone.calls import DECLINE_THRESHOLD, Call
from ipse.standalone.form import Form, Upload

API_SERVICE: Final = "FACE_MATCH"
USER_ALIASES: Final = ("source_image", "image_a", "image_1", "selfie")
REFERENCE_ALIASES: Final = ("target_image", "image_b", "reference_image", "image_2")
_DECLINE: Final = "face_match_score_decline_threshold"
_REVIEW: Final = "face_match_score_review_threshold"


async def answer(caller: Caller, form: Form) -> dict[str, Any]:
    """Read the form, compare, keep the call if asked, and answer."""
    call = Call.read(caller, form)
    user = await form.image("user_image", *USER_ALIASES)
    reference = await form.image("ref_image", *REFERENCE_ALIASES)
    decline = form.number(_DECLINE, "decline_threshold", default=DECLINE_THRESHOLD)
    review = form.number(_REVIEW, "review_threshold", default=None)
    if decline is not None and review is not None and review < decline:
        form.refuse(_REVIEW, "Must not be below the decline threshold.")
    form.finish()
    thresholds = StandaloneThresholds(DECLINE_THRESHOLD if decline is None else decline, review)
    if call.by_scenario:
        return await _sandbox(call, user, reference, thresholds)
    probe, target, score = await _compare(call, user, reference)
    report = face_match.assess_standalone(probe, target, score, thresholds)
    if not call.save:
        unsaved = 0.0 if report.score is None else report.score
        return _body(call.frame(), report, score=unsaved, links=(None, None))
    return await _kept(call, probe, target, report)


async def _compare(call: Call, user: Upload, reference: Upload) -> tuple[Selfie, Selfie, float | None]:
    probe, target = await asyncio.gather(
        calls.look(call, user, liveness=False, age=True), calls.look(call, reference, liveness=False, age=True)
    )
    return probe, target, _score(call.caller.services.face_engine(), probe, target)


def _score(engine: FaceEngine, probe: Selfie, target: Selfie) -> float | None:
    if probe.template is None or target.template is None:
        return None
    return engine.score(probe.template, target.template)


async def _kept(call: Call, probe: Selfie, target: Selfie, report: Report) -> dict[str, Any]:
    scope = await call.caller.begin()
    session_id = scope.services.identifiers.uuid()
    probe_id = await calls.keep_picture(scope, session_id, "user_image", probe)
    target_id = await calls.keep_picture(scope, session_id, "ref_image", target)
    # In decisions the source is the reference and the target the selfie (contract 90 C3).
    facts: dict[str, JsonValue] = {**report.facts, "source_media_id": target_id, "target_media_id": probe_id}
    durations = {
        name: round(probe.durations_ms.get(name, 0.0) + target.durations_ms.get(name, 0.0), 2)
        for name in {**probe.durations_ms, **target.durations_ms}
    }
    await calls.keep(call, scope, session_id, API_SERVICE, replace(report, facts=facts), durations)
    links = (calls.link(scope, probe_id), calls.link(scope, target_id))
    return _body(call.frame(session_id), report, score=report.score, links=links)


async def _sandbox(call: Call, user: Upload, reference: Upload, thresholds: StandaloneThresholds) -> dict[str, Any]:
    """The two pictures are really compared, so that a mismatched pair is declined; nothing is stored.

    Without models, or where a picture shows no face, the pictures are compared instead of the people.
    """
    if call.caller.services.faces is not None:
        probe, target, score = await _compare(call, user, reference)
        if score is not None:
            report = face_match.assess_standalone(probe, target, score, thresholds)
            return _body(call.frame(), report, links=(None, None))
    await calls.require_pictures(call, (user, reference))
    score = await call.caller.services.inference.run(pictures.likeness, user.content, reference.content)
    report = face_match.assess_standalone(pictures.SELFIE, pictures.SELFIE, score, thresholds)
    return _body(call.frame(), report, links=(None, None))


def _body(
    frame: dict[str, Any], report: Report, *, links: tuple[str | None, str | None], score: float | None = None
) -> dict[str, Any]:
    """``source_image`` is the selfie and ``target_image`` the reference here, as the integration pages have it."""
    shown = report.score if score is None else score
    status = report.status.value
    return {
        **frame,
        "face_match": {
            "status": status,
            "score": shown,
            "user_image": report.facts["user_image"],
            "ref_image": report.facts["ref_image"],
            "source_image_session_id": None,
            "source_image": links[0],
            "target_image": links[1],
            "warnings": calls.warning_items(report.warnings),
        },
        "status": status,
        "score": shown,
        "similarity_score": None if shown is None else round(shown / 100, 4),
    }

"""``POST /v3/passive-liveness/``: does the picture show a person who is there?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ipse.checks import liveness
from ipse.checks.screening import with_screening
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.thresholds import StandaloneThresholds
from ipse.decision.values import JsonObject
from ipse.edge.authentication import Caller
from ipse.sandbox.facts import USER_IMAGE
from ipse.sandbox.scenarios import report_for
from ipse.standalone import calls
from ipse.standalone.calls import DECLINE_THRESHOLD, Call
from ipse.standalone.form import Form

API_SERVICE: Final = "PASSIVE_LIVENESS"
IMAGE_ALIASES: Final = ("image", "selfie")
THRESHOLD: Final = "face_liveness_score_decline_threshold"


async def answer(caller: Caller, form: Form) -> dict[str, Any]:
    """Read the form, judge, screen against stored faces, keep and enrol if asked, and answer."""
    call = Call.read(caller, form)
    upload = await form.image("user_image", *IMAGE_ALIASES)
    decline = form.number(THRESHOLD, "decline_threshold", default=DECLINE_THRESHOLD)
    form.finish()
    thresholds = StandaloneThresholds(DECLINE_THRESHOLD if decline is None else decline)
    if call.by_scenario:
        await calls.require_pictures(call, (upload,))
        return {**call.frame(), "liveness": result(report_for(None, Feature.LIVENESS, "default", {}), USER_IMAGE)}
    selfie = await calls.look(call, upload, liveness=True, age=True)
    hits = await calls.find_similar(call, selfie, exclude_own=True)
    judged = liveness.assess_standalone(selfie, thresholds, passive_only_may_approve=call.passive_only_may_approve)
    report = with_screening(judged, hits)
    if not call.save:
        return {**call.frame(), "liveness": result(report, selfie.user_image())}
    scope = await caller.begin()
    session_id = scope.services.identifiers.uuid()
    media_id = await calls.keep_picture(scope, session_id, "user_image", selfie)
    kept = replace(report, facts={**report.facts, "reference_media_id": media_id})
    session = await calls.keep(call, scope, session_id, API_SERVICE, kept, selfie.durations_ms)
    await calls.enrol(scope, session, media_id, selfie)
    return {**call.frame(session_id), "liveness": result(report, selfie.user_image())}


def result(report: Report, user_image: JsonObject) -> dict[str, Any]:
    """The contract's ``liveness`` object."""
    return {
        "status": report.status.value,
        "method": "PASSIVE",
        "score": report.score,
        "user_image": user_image,
        "warnings": calls.warning_items(report.warnings),
        "face_quality": report.facts.get("face_quality"),
        "face_luminance": report.facts.get("face_luminance"),
    }

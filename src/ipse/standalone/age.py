"""``POST /v3/age-estimation/``: how old does the face look, and is it a live one?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ipse.checks import age_estimation
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.settings import DEFAULT_MINIMUM_AGE
from ipse.decision.thresholds import StandaloneThresholds
from ipse.decision.values import JsonObject
from ipse.edge.authentication import Caller
from ipse.sandbox.facts import USER_IMAGE
from ipse.sandbox.scenarios import report_for
from ipse.standalone import calls, passive_liveness
from ipse.standalone.calls import DECLINE_THRESHOLD, Call
from ipse.standalone.form import Form

API_SERVICE: Final = "AGE_ESTIMATION"


async def answer(caller: Caller, form: Form) -> dict[str, Any]:
    """Read the form, judge liveness and age, keep and enrol if asked, and answer under both documented keys."""
    call = Call.read(caller, form)
    upload = await form.image("user_image", *passive_liveness.IMAGE_ALIASES)
    decline = form.number(passive_liveness.THRESHOLD, "decline_threshold", default=DECLINE_THRESHOLD)
    minimum_age = form.whole("age_estimation_decline_threshold", default=DEFAULT_MINIMUM_AGE)
    form.finish()
    if call.by_scenario:
        await calls.require_pictures(call, (upload,))
        return _body(call.frame(), report_for(None, Feature.AGE_ESTIMATION, "default", {}), USER_IMAGE)
    selfie = await calls.look(call, upload, liveness=True, age=True)
    report = age_estimation.assess_standalone(
        selfie,
        StandaloneThresholds(DECLINE_THRESHOLD if decline is None else decline),
        minimum_age,
        passive_only_may_approve=call.passive_only_may_approve,
    )
    if not call.save:
        return _body(call.frame(), report, selfie.user_image())
    scope = await caller.begin()
    session_id = scope.services.identifiers.uuid()
    media_id = await calls.keep_picture(scope, session_id, "user_image", selfie)
    kept = replace(report, facts={**report.facts, "reference_media_id": media_id})
    session = await calls.keep(call, scope, session_id, API_SERVICE, kept, selfie.durations_ms)
    await calls.enrol(scope, session, media_id, selfie)
    return _body(call.frame(session_id), report, selfie.user_image())


def _body(frame: dict[str, Any], report: Report, user_image: JsonObject) -> dict[str, Any]:
    estimated = {
        **passive_liveness.result(report, user_image),
        "age_estimation": report.facts.get("age_estimation"),
    }
    return {**frame, "age_estimation": estimated, "liveness": estimated}

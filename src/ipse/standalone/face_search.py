"""``POST /v3/face-search/``: which stored faces resemble the one in the picture?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ipse.checks.liveness import several_faces
from ipse.checks.screening import FaceHit, ordered, screening_warnings
from ipse.checks.selfie import Selfie
from ipse.decision.features import Feature
from ipse.decision.reports import Report
from ipse.decision.statuses import FeatureStatus
from ipse.decision.values import JsonObject
from ipse.decision.warnings import LogType
from ipse.edge.authentication import Caller
from ipse.edge.errors import ProcessingError
from ipse.sandbox.facts import USER_IMAGE
from ipse.standalone import calls
from ipse.standalone.calls import Call
from ipse.standalone.form import Form
from ipse.standalone.passive_liveness import IMAGE_ALIASES

API_SERVICE: Final = "FACE_SEARCH"
SEARCH_TYPES: Final = ("most_similar", "blocklisted_or_approved")


async def answer(caller: Caller, form: Form) -> dict[str, Any]:
    """Read the form, search, keep the call if asked, and answer. The face itself is never enrolled."""
    call = Call.read(caller, form)
    upload = await form.image("user_image", *IMAGE_ALIASES)
    search_type = form.choice("search_type", SEARCH_TYPES, default=SEARCH_TYPES[0])
    form.finish()
    if call.by_scenario:
        await calls.require_pictures(call, (upload,))
        return _body(call, call.frame(), Report(Feature.FACE_SEARCH, "default", FeatureStatus.APPROVED), (), USER_IMAGE)
    selfie = await calls.look(call, upload, liveness=False, age=False)
    if selfie.template is None:
        raise ProcessingError("No face was found in the image.")
    hits = ordered(
        await calls.find_similar(call, selfie, exclude_own=False, only_approved=search_type != SEARCH_TYPES[0])
    )
    report = _report(selfie, hits, search_type)
    if not call.save:
        return _body(call, call.frame(), report, hits, selfie.user_image())
    scope = await caller.begin()
    session_id = scope.services.identifiers.uuid()
    media_id = await calls.keep_picture(scope, session_id, "user_image", selfie)
    kept = replace(report, facts={**report.facts, "user_media_id": media_id})
    await calls.keep(call, scope, session_id, API_SERVICE, kept, selfie.durations_ms)
    return _body(call, call.frame(session_id), report, hits, selfie.user_image())


def _report(selfie: Selfie, hits: tuple[FaceHit, ...], search_type: str) -> Report:
    """Only a blocklist hit declines; everything else informs (contract 30 section 3)."""
    warnings = (*screening_warnings(hits, None), *several_faces(selfie))
    declined = any(warning.log_type is LogType.ERROR for warning in warnings)
    return Report(
        feature=Feature.FACE_SEARCH,
        node_id="default",
        status=FeatureStatus.DECLINED if declined else FeatureStatus.APPROVED,
        warnings=warnings,
        facts={
            "search_type": search_type,
            "total_matches": len(hits),
            "matches": [hit.to_json() for hit in hits],
        },
    )


def _body(
    call: Call, frame: dict[str, Any], report: Report, hits: tuple[FaceHit, ...], user_image: JsonObject
) -> dict[str, Any]:
    return {
        **frame,
        "face_search": {
            "status": report.status.value,
            "total_matches": len(hits),
            "matches": [_match(call, hit) for hit in hits],
            "user_image": user_image,
            "warnings": calls.warning_items(report.warnings),
        },
    }


def _match(call: Call, hit: FaceHit) -> dict[str, Any]:
    shown = hit.to_json()
    media_id = shown.pop("media_id")
    if isinstance(media_id, str):
        shown["match_image_url"] = calls.link(call.caller, media_id)
    return shown

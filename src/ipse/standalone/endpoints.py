"""The four standalone calls about faces. Every picture that could be processed answers 200, whatever the verdict."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from ipse.edge.authentication import CallerParam
from ipse.edge.documented import documented
from ipse.edge.routing import router as transactional_router
from ipse.standalone import age, documentation, face_match, face_search, passive_liveness
from ipse.standalone.calls import DECLINE_THRESHOLD
from ipse.standalone.documentation import image, percent
from ipse.standalone.form import Form
from ipse.standalone.schemas import AgeAnswer, FaceMatchAnswer, FaceSearchAnswer, LivenessAnswer

router = transactional_router(prefix="/v3", tags=["Standalone APIs"])

_ERRORS = documented(400, 403, 413, 429, 503)


@router.post(
    "/face-match/",
    response_model=FaceMatchAnswer,
    responses=_ERRORS,
    openapi_extra=documentation.form(
        ("user_image", "ref_image"),
        user_image=image("The live or candidate face. Also: source_image, image_a, image_1, selfie."),
        ref_image=image("The reference face. Also: target_image, image_b, reference_image, image_2."),
        face_match_score_decline_threshold=percent(
            "A score at or below it is Declined. Also: decline_threshold.", DECLINE_THRESHOLD
        ),
        face_match_score_review_threshold=percent(
            "If sent, a score above the decline threshold and at or below this is In Review. Also: review_threshold."
        ),
    ),
)
async def match_faces(request: Request, caller: CallerParam) -> Any:
    """Compare two faces: the report of the hosted flow, at once and without a session to walk through."""
    return await face_match.answer(caller, await Form.read(request))


@router.post(
    "/passive-liveness/",
    response_model=LivenessAnswer,
    responses=_ERRORS,
    openapi_extra=documentation.form(
        ("user_image",),
        user_image=image("The uncropped selfie. Also: image, selfie."),
        face_liveness_score_decline_threshold=percent("A score at or below it is Declined.", DECLINE_THRESHOLD),
    ),
)
async def check_liveness(request: Request, caller: CallerParam) -> Any:
    """Judge whether one picture shows a live person, and whether the face was seen before."""
    return await passive_liveness.answer(caller, await Form.read(request))


@router.post(
    "/face-search/",
    response_model=FaceSearchAnswer,
    responses=_ERRORS,
    openapi_extra=documentation.form(
        ("user_image",),
        user_image=image("The face to look for. Also: image, selfie."),
        search_type={
            "type": "string",
            "enum": list(face_search.SEARCH_TYPES),
            "default": face_search.SEARCH_TYPES[0],
        },
    ),
)
async def search_faces(request: Request, caller: CallerParam) -> Any:
    """Look for a face among the application's stored ones; at most five matches."""
    return await face_search.answer(caller, await Form.read(request))


@router.post(
    "/age-estimation/",
    response_model=AgeAnswer,
    responses=_ERRORS,
    openapi_extra=documentation.form(
        ("user_image",),
        user_image=image("The uncropped selfie. Also: image, selfie."),
        face_liveness_score_decline_threshold=percent(
            "A liveness score at or below it is Declined.", DECLINE_THRESHOLD
        ),
        age_estimation_decline_threshold={
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "default": 18,
            "description": "An estimate below this age is Declined; 0 switches the limit off.",
        },
    ),
)
async def estimate_age(request: Request, caller: CallerParam) -> Any:
    """Estimate the apparent age of a live face. Off by about seven years on average: a hint, no proof of age."""
    return await age.answer(caller, await Form.read(request))

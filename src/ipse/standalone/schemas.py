"""What standalone calls answer. Keys that the contract does not allow to be null are left out instead."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

Status = Literal["Approved", "Declined", "In Review"]
"""Official: Approved or Declined. In Review comes with a review threshold, and in live applications whose liveness
engine is only the basic replay screening."""
Score = float | None


class Entity(TypedDict):
    """A face of a picture: box in pixels (x_min, y_min, x_max, y_max), confidence 0-1, apparent age in years."""

    bbox: list[int]
    confidence: float
    age: NotRequired[float]
    race: None


class Faces(TypedDict):
    """The faces of one picture, largest first, and how far it had to be turned clockwise."""

    entities: list[Entity]
    best_angle: int | None


class WarningItem(TypedDict):
    """A risk that was seen. ``log_type`` is its effect: error declines."""

    risk: str
    feature: str
    additional_data: dict[str, Any] | None
    log_type: Literal["error", "warning", "information"]
    short_description: str
    long_description: str


class Match(TypedDict):
    """A stored face that resembles the one sent."""

    session_id: str | None
    session_number: int | None
    similarity_percentage: float
    source: Literal["session", "imported", "list_entry"]
    vendor_data: str | None
    verification_date: str | None
    user_details: dict[str, str | None] | None
    match_image_url: str | None
    status: str | None
    is_blocklisted: bool
    is_allowlisted: bool
    api_service: str | None


class FaceMatchResult(TypedDict):
    """The comparison. ``source_image`` and ``target_image`` are signed links that die after 60 minutes."""

    status: Status
    score: Score
    user_image: Faces
    ref_image: Faces
    source_image_session_id: str | None
    source_image: str | None
    target_image: str | None
    warnings: list[WarningItem]


class LivenessResult(TypedDict):
    """Passive liveness of one picture; ``score``, ``face_quality`` and ``face_luminance`` are 0-100."""

    status: Status
    method: Literal["PASSIVE"]
    score: Score
    user_image: Faces
    warnings: list[WarningItem]
    face_quality: float | None
    face_luminance: float | None


class AgeResult(LivenessResult):
    """Passive liveness and the apparent age in years."""

    age_estimation: float | None


class FaceSearchResult(TypedDict):
    """Stored faces that resemble the one sent, at most five."""

    status: Status
    total_matches: int
    matches: list[Match]
    user_image: Faces
    warnings: list[WarningItem]


class Answer(BaseModel):
    """What every standalone answer carries. ``request_id`` is the session id of a saved call."""

    request_id: str
    vendor_data: str | None
    metadata: dict[str, Any] | None
    environment: Literal["live", "sandbox"]
    created_at: str = Field(description="ISO 8601 with microseconds and +00:00.")


_EXAMPLE_FACES: dict[str, Any] = {
    "entities": [{"bbox": [661, 728, 1688, 2188], "confidence": 0.98, "age": 26.9, "race": None}],
    "best_angle": 0,
}
_EXAMPLE_TAIL: dict[str, Any] = {
    "vendor_data": "user-42",
    "metadata": None,
    "environment": "live",
    "created_at": "2026-11-20T10:00:00.000000+00:00",
}
_EXAMPLE_LIVENESS: dict[str, Any] = {
    "status": "Approved",
    "method": "PASSIVE",
    "score": 96.4,
    "user_image": _EXAMPLE_FACES,
    "warnings": [],
    "face_quality": 84.21,
    "face_luminance": 50.33,
}


def _example(**keys: Any) -> ConfigDict:
    example = {"request_id": "f9f5a777-8002-44c6-baaf-128bcfd6e226", **keys, **_EXAMPLE_TAIL}
    return ConfigDict(json_schema_extra={"examples": [example]})


class FaceMatchAnswer(Answer):
    """Answer of ``/v3/face-match/``: nested as documented, and flat for readers that expect it so."""

    model_config = _example(
        face_match={
            "status": "Approved",
            "score": 87.42,
            "user_image": _EXAMPLE_FACES,
            "ref_image": _EXAMPLE_FACES,
            "source_image_session_id": None,
            "source_image": "https://ipse.example/media/1",
            "target_image": "https://ipse.example/media/2",
            "warnings": [],
        },
        status="Approved",
        score=87.42,
        similarity_score=0.8742,
    )

    face_match: FaceMatchResult
    status: Status
    score: Score
    similarity_score: float | None = Field(description="score / 100, four decimals.")


class LivenessAnswer(Answer):
    """Answer of ``/v3/passive-liveness/``."""

    model_config = _example(liveness=_EXAMPLE_LIVENESS)

    liveness: LivenessResult


class AgeAnswer(Answer):
    """Answer of ``/v3/age-estimation/``: the same object under both documented names."""

    model_config = _example(
        age_estimation={**_EXAMPLE_LIVENESS, "age_estimation": 26.9},
        liveness={**_EXAMPLE_LIVENESS, "age_estimation": 26.9},
    )

    age_estimation: AgeResult
    liveness: AgeResult


class FaceSearchAnswer(Answer):
    """Answer of ``/v3/face-search/``."""

    model_config = _example(
        face_search={
            "status": "Approved",
            "total_matches": 0,
            "matches": [],
            "user_image": _EXAMPLE_FACES,
            "warnings": [],
        }
    )

    face_search: FaceSearchResult

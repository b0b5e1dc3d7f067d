"""The judge itself is judged: a checker that accepts everything proves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract import regenerate
from tests.contract.contract import Contract, route_of

CONTRACT = Contract.load()
FACE_MATCH = CONTRACT.operations["POST /v3/face-match/"]

ANSWER: dict[str, Any] = {
    "request_id": "f9f5a777-8002-44c6-baaf-128bcfd6e226",
    "face_match": {
        "status": "Approved",
        "score": 87.42,
        "user_image": {"entities": [], "best_angle": 0},
        "ref_image": {"entities": [], "best_angle": 0},
        "warnings": [],
    },
    "vendor_data": None,
    "metadata": None,
    "created_at": "2026-11-20T10:00:00.000000+00:00",
}


def problems(answer: dict[str, Any], status: int = 200, media: str = "application/json") -> list[str]:
    return CONTRACT.response_problems(FACE_MATCH, status, media, answer)


def test_the_contract_has_142_operations() -> None:
    assert len(CONTRACT.operations) == 142


def test_an_answer_of_the_documented_shape_conforms() -> None:
    assert problems(ANSWER) == []
    assert problems({**ANSWER, "an_extra_key": 1}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"request_id": "not a uuid"}, "$.request_id"),
        ({"created_at": "2026-11-20T10:00:00"}, "$.created_at"),
        ({"metadata": "text"}, "$.metadata"),
        ({"face_match": {**ANSWER["face_match"], "status": "In Review"}}, "$.face_match.status"),
        ({"face_match": {**ANSWER["face_match"], "score": 100.5}}, "$.face_match.score"),
        ({"face_match": {k: v for k, v in ANSWER["face_match"].items() if k != "warnings"}}, "$.face_match.warnings"),
    ],
)
def test_a_departure_is_found_and_named(changes: dict[str, Any], expected: str) -> None:
    found = problems({**ANSWER, **changes})
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_an_undocumented_status_or_content_type_is_found() -> None:
    assert problems(ANSWER, status=202) != []
    assert problems(ANSWER, media="text/html") != []


def test_nullable_schemas_keep_their_enumeration_and_their_references() -> None:
    translate = regenerate.json_schema
    assert translate({"type": "string", "enum": ["M"], "nullable": True}) == {
        "type": ["string", "null"],
        "enum": ["M", None],
    }
    assert translate({"$ref": "#/components/schemas/A", "nullable": True}) == {
        "anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]
    }
    assert translate({"type": "object", "properties": {"description": {"type": "string", "description": "prose"}}}) == {
        "type": "object",
        "properties": {"description": {"type": "string"}},
    }


def test_routes_compare_without_parameter_names() -> None:
    assert route_of("get", "/v3/session/{session_id}/decision/") == "GET /v3/session/{}/decision"
    assert CONTRACT.operations["GET /v3/session/{sessionId}/decision/"].route == "GET /v3/session/{}/decision"


@pytest.mark.skipif(not regenerate.SOURCE.exists(), reason="the contract folder is not here")
def test_the_stored_form_is_current() -> None:
    assert regenerate.TARGET.read_text() == regenerate.render(
        regenerate.build(json.loads(regenerate.SOURCE.read_text()))
    )

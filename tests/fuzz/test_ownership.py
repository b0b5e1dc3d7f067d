"""Guarantee: for whoever is not their owner, things that exist cannot be told from things that do not (OWASP API1)."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from ipse.biometrics.engine import FaceEngine
from ipse.settings import Settings
from tests.fuzz.world import furnish
from tests.services.server import RunningServer, running_server

pytestmark = [pytest.mark.slow, pytest.mark.models, pytest.mark.timeout(900)]

_BODIES: Mapping[str, Any] = {
    "update-status": {"new_status": "Declined", "status": "BLOCKED"},
    "entries": {"value": "a key"},
    "merge": {"into": "somebody"},
    "reviews": {"comment": "x"},
    "PATCH": {"name": "x", "label": "x", "display_name": "x", "workflow_label": "x"},
}
"""Bodies that get past validation, by the end of the path or by method; others are sent empty."""


def test_what_belongs_to_another_application_cannot_be_told_from_what_does_not_exist(
    settings: Settings, face_engine: FaceEngine, portraits: Mapping[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings.model_copy(update={"rate_limits": False, "auto_verify_accounts": True})
    with running_server(settings, face_engine) as server:
        world = furnish(server, portraits)
        told, answers = [], Counter[int]()
        for method, path in sorted(_operations(server)):
            foreign = _ask(server, method, path, world["path"])
            unknown = _ask(server, method, path, {name: _unknown(value) for name, value in world["path"].items()})
            answers[foreign.status_code] += 1
            if foreign.is_success or foreign.is_server_error or _neutral(foreign, world) != _neutral(unknown, world):
                told.append(f"{method} {path}: {foreign.status_code} {foreign.text[:200]} / {unknown.status_code}")
        assert not told, "\n".join(told)
        assert answers[404] + answers[403] > sum(answers.values()) * 0.7, f"most bodies were refused first: {answers}"
        still = httpx2.get(f"{server.url}/v3/session/{world['path']['session_id']}/", headers={"x-api-key": server.key})
        assert still.is_success, "the owner's things are untouched"
    with capsys.disabled():
        print(f"\nownership: {sum(answers.values())} operations, {dict(answers)}")


def _operations(server: RunningServer) -> Iterator[tuple[str, str]]:
    """Every documented operation that names something in its path and wants the key of an application."""
    document = httpx2.get(f"{server.url}/openapi.json").json()
    for path, operations in document["paths"].items():
        for method in operations:
            if "{" in path and path.startswith("/v3/"):
                yield method.upper(), path


def _ask(server: RunningServer, method: str, path: str, ids: Mapping[str, str]) -> httpx2.Response:
    """Call as the other application, which belongs to another organisation too."""
    url = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], str(uuid.uuid4())), path)
    body = _BODIES.get(path.rstrip("/").rpartition("/")[2]) or _BODIES.get(method, {})
    content = None if method in {"GET", "DELETE"} else json.dumps(body)
    headers = {"x-api-key": server.real.key, "content-type": "application/json"}
    return httpx2.request(method, server.url + url, headers=headers, content=content, timeout=30)


def _unknown(value: str) -> str:
    """An id of the same kind that nobody has."""
    try:
        uuid.UUID(value)
    except ValueError:
        return f"nobody-{uuid.uuid4().hex[:8]}"
    return str(uuid.uuid4())


def _neutral(answer: httpx2.Response, world: Mapping[str, Any]) -> tuple[int, str]:
    """Status and body without the ids that the caller sent."""
    text = re.sub(r"nobody-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f-]{27}", "…", answer.text)
    for value in world["path"].values():
        text = text.replace(value, "…")
    return answer.status_code, text

"""``ipse faces index`` on an installation, in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import text

from ipse.runtime.services import Services
from tests.services.command import environment_for

pytestmark = pytest.mark.anyio


def ipse(services: Services, *arguments: str, code: int = 0) -> Any:
    environment = {**environment_for(services.settings), "IPSE_FACE_INDEX": "pgvector"}
    command = [sys.executable, "-m", "ipse.cli", "faces", "index", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in arguments and code == 0 else done.stdout + done.stderr


async def test_an_operator_builds_examines_and_drops_the_index(services: Services) -> None:
    if services.database.is_sqlite:
        pytest.skip("the vector index needs PostgreSQL: IPSE_TEST_DATABASE=postgresql")
    before = ipse(services, "status", "--json")
    assert (before["setting"], before["built"], before["applications"]) == ("pgvector", False, {})
    assert before["extension"] is not None
    assert ipse(services, "build", "--json")["built"] is True
    assert "built" in ipse(services, "status")
    assert ipse(services, "drop", "--json") == {"dropped": True}
    async with services.database.reading() as tx:
        assert await tx.scalar(text("SELECT to_regclass('face_vectors')")) is None


async def test_sqlite_says_why_there_is_no_index(services: Services) -> None:
    if not services.database.is_sqlite:
        pytest.skip("for SQLite")
    assert "PostgreSQL with pgvector" in ipse(services, "build", code=1)
    assert ipse(services, "status", "--json")["built"] is False

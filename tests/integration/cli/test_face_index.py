"""``ipse faces index`` on an installation, in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ipse.runtime.services import Services

pytestmark = pytest.mark.anyio


def ipse(folder: Path, url: str, *arguments: str, code: int = 0) -> Any:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IPSE_")}
    own = {"IPSE_DATA_DIR": str(folder), "IPSE_DATABASE_URL": url, "IPSE_FACE_INDEX": "pgvector"}
    command = [sys.executable, "-m", "ipse.cli", "faces", "index", *arguments]
    done = subprocess.run(command, env={**inherited, **own}, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in arguments and code == 0 else done.stdout + done.stderr


async def test_an_operator_builds_examines_and_drops_the_index(services: Services) -> None:
    if services.database.is_sqlite:
        pytest.skip("the vector index needs PostgreSQL: IPSE_TEST_DATABASE=postgresql")
    folder, url = services.settings.data_dir, services.settings.resolved_database_url
    before = ipse(folder, url, "status", "--json")
    assert (before["setting"], before["built"], before["applications"]) == ("pgvector", False, {})
    assert before["extension"] is not None
    assert ipse(folder, url, "build", "--json")["built"] is True
    assert "built" in ipse(folder, url, "status")
    assert ipse(folder, url, "drop", "--json") == {"dropped": True}
    async with services.database.reading() as tx:
        assert await tx.scalar(text("SELECT to_regclass('face_vectors')")) is None


async def test_sqlite_says_why_there_is_no_index(services: Services) -> None:
    if not services.database.is_sqlite:
        pytest.skip("for SQLite")
    folder, url = services.settings.data_dir, services.settings.resolved_database_url
    assert "PostgreSQL with pgvector" in ipse(folder, url, "build", code=1)
    assert ipse(folder, url, "status", "--json")["built"] is False

"""``ipse audit`` in real processes, on a database that was tampered with."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from ipse.audit.chain import Entry, LinkedEntry, verify
from ipse.audit.service import record
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from tests.services.applications import RegisteredApplication
from tests.services.command import environment_for

pytestmark = pytest.mark.anyio

SESSION = "11111111-1111-4111-8111-111111111111"


async def ipse(environment: Mapping[str, str], *arguments: str, code: int = 0) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IPSE_")}

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ipse.cli", "audit", *arguments]
        return subprocess.run(
            command, env={**inherited, **environment}, capture_output=True, text=True, timeout=120, check=False
        )

    done = await asyncio.to_thread(run)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


async def test_verify_names_the_place_from_which_an_entry_was_taken(
    services: Services, application: RegisteredApplication, tmp_path: Path
) -> None:
    chain = application.application.id
    environment = environment_for(services.settings)
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        for act in ("session.created", "session.decided"):
            await record(scope, act, object_type="session", object_id=SESSION, vendor_data="ada", details={"n": 1})

    kept = tmp_path / "checkpoints"
    kept.write_text(await ipse(environment, "checkpoint"))
    lines = [json.loads(line) for line in (await ipse(environment, "export", "--no-content")).splitlines()]
    entries = [line for line in lines if line["type"] == "entry" and line["chain"] == chain]
    assert all(entry["content"] is None for entry in entries)
    fields = Entry.__dataclass_fields__
    rebuilt = [
        LinkedEntry(Entry(**{name: one[name] for name in fields}), one["position"], one["digest"], one["chained"])
        for one in entries
    ]
    assert verify(chain, rebuilt).contradiction is None

    async with services.database.writing() as tx:
        if services.database.is_sqlite:
            await tx.execute(text("DROP TRIGGER audit_entries_no_delete"))
        else:
            await tx.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        await tx.execute(text("DELETE FROM audit_entries WHERE act = 'session.decided'"))
    gone = next(one["position"] for one in entries if one["act"] == "session.decided")
    told = json.loads(await ipse(environment, "verify", "--checkpoint", str(kept), "--json", code=1))
    wrong = {report["chain"]: report["contradiction"] for report in told if report["contradiction"]}
    assert wrong[chain]["position"] == gone

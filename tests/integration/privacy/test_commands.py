"""The privacy commands, in processes of their own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipse.runtime.services import Services
from ipse.step_up import signing_keys
from tests.integration.privacy.conftest import become_known, counted
from tests.services.command import environment_for

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


async def ipse(services: Services, *arguments: str, code: int = 0) -> str:
    environment = environment_for(services.settings)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ipse.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    done = await asyncio.to_thread(run)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


async def test_a_person_is_exported_and_erased_from_the_command_line_and_the_receipt_is_verified_offline(
    client: AsyncClient, services: Services, application: RegisteredApplication, tmp_path: Path
) -> None:
    await become_known(client, services, application, "ada")
    archive, file, keys = tmp_path / "ada.zip", tmp_path / "receipt.jws", tmp_path / "jwks.json"
    await ipse(services, "export-subject", "ada", str(archive), "--application", application.id, "--images")
    assert "users.jsonl" in zipfile.ZipFile(archive).namelist()
    assert archive.stat().st_mode & 0o077 == 0
    file.write_text(await ipse(services, "erase", "--application", application.id, "--person", "ada", "--yes"))
    left = await counted(services)
    assert (left["users"], left["sessions"], left["blobs"]) == (0, 0, 0)
    async with services.database.reading() as tx:
        keys.write_text(json.dumps(await signing_keys.jwks(tx, services)))
    stated = json.loads(await ipse(services, "receipt", "verify", str(file), "--keys", str(keys), "--json"))
    assert (stated["kind"], stated["destroyed"]["sessions"]) == ("user", 3)
    file.write_text(file.read_text().strip()[:-9] + "AAAAAAAAA")
    await ipse(services, "receipt", "verify", str(file), code=1)

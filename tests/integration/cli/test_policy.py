"""``ipse policy``: check, table tests and back-tests, in real processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from ipse.runtime.services import Services
from tests.services.command import environment_for

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

EXAMPLES = Path(__file__).parents[3] / "examples" / "policies"
METHODS = [{"up_to": None, "method": "PASSIVE", "workflow": "wf_ato_step_up"}]


async def ipse(*arguments: str, code: int = 0, environment: Mapping[str, str] | None = None) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IPSE_")}

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ipse.cli", "policy", *arguments]
        return subprocess.run(
            command, env={**inherited, **(environment or {})}, capture_output=True, text=True, timeout=120, check=False
        )

    done = await asyncio.to_thread(run)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def _write(folder: Path, **parts: Any) -> str:
    file = folder / "policy.json"
    file.write_text(json.dumps({"name": "tried", "rules": [], "methods": METHODS, "otherwise": "allow", **parts}))
    return str(file)


@pytest.mark.parametrize("name", ["banking", "login"])
async def test_the_examples_have_no_problems(name: str) -> None:
    assert "no problems" in await ipse("check", str(EXAMPLES / f"{name}.json"))


async def test_the_table_tests_of_the_example_pass() -> None:
    assert "9 of 9 cases pass" in await ipse("test", str(EXAMPLES / "banking.json"))


async def test_a_problem_is_printed_with_its_place(tmp_path: Path) -> None:
    file = _write(tmp_path, rules=[{"id": "a", "when": {"trigger": "moon"}}])
    printed = await ipse("check", file, code=1)
    assert "rules[0].when.trigger" in printed
    assert json.loads(await ipse("check", file, "--json", code=1))["valid"] is False


async def test_a_case_that_fails_shows_both_sides(tmp_path: Path) -> None:
    file = _write(tmp_path)
    cases = [{"name": "an empty world", "facts": {}, "expect": {"answer": "allow"}}]
    (tmp_path / "policy.cases.json").write_text(json.dumps(cases))
    printed = await ipse("test", file, code=1)
    assert "an empty world" in printed
    assert "0 of 1 cases pass" in printed


async def test_a_file_that_is_no_policy_is_named_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text("{")
    assert "is not JSON" in await ipse("test", str(file), code=2)


async def test_a_backtest_shows_what_another_policy_would_have_answered(
    services: Services, application: RegisteredApplication, client: AsyncClient, clock: ManualClock, tmp_path: Path
) -> None:
    lenient = {"name": "mine", "rules": [], "methods": METHODS, "otherwise": "allow"}
    assert (await client.post("/v3/step-up/policies/", json={"policy": lenient})).status_code == 201
    for number in range(3):
        body = {"action": {"type": "login"}, "vendor_data": "ada", "ip_address": f"45.10.0.{number}"}
        assert (await client.post("/v3/step-up/evaluate/", json=body)).status_code == 200
        clock.advance(timedelta(seconds=1))
    velocity = {"trigger": "velocity", "type": "login", "count": 2, "window_minutes": 10, "by": "user"}
    file = _write(tmp_path, rules=[{"id": "hurry", "when": velocity, "then": "deny", "reason": "hurry"}])
    where = environment_for(services.settings)
    found = json.loads(await ipse("backtest", file, "--application", application.id, "--json", environment=where))
    assert found["evaluations"] == 3
    assert [change["reasons_after"] for change in found["changed"]] == [["hurry"]], "counts are made from earlier rows"
    printed = await ipse("backtest", file, "--application", application.id, "--current", environment=where)
    assert "1 of 3 evaluations would be answered otherwise" in printed
    later = await ipse("backtest", file, "--application", application.id, "--since", "2030-01-01", environment=where)
    assert "0 of 0" in later
    assert "no application" in await ipse("backtest", file, "--application", "sandbox-9", code=1, environment=where)

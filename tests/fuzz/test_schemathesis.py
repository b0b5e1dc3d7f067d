"""Guarantee: whatever is sent to the served OpenAPI document's operations, no answer is a 5xx or outside its schema.

``make test`` gives the fuzzer a bounded, repeatable run. ``IPSE_FUZZ_SECONDS=1800 IPSE_FUZZ_EXAMPLES=500`` searches on.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from ipse.biometrics.engine import FaceEngine
from ipse.settings import Settings
from tests.fuzz.world import furnish
from tests.services.server import running_server

pytestmark = [pytest.mark.slow, pytest.mark.models, pytest.mark.timeout(7200)]

SECONDS = int(os.environ.get("IPSE_FUZZ_SECONDS", "90"))
EXAMPLES = int(os.environ.get("IPSE_FUZZ_EXAMPLES", "10"))

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
    "use_after_free",
)
"""Left out: ``negative_data_rejection``, because the contract tells us to accept aliases, numbers as text and unknown
keys, and ``positive_data_acceptance``, because ids and images of the right shape are still refused when they are not
known or hold no face."""


def test_no_answer_is_a_server_error_or_outside_its_schema(
    settings: Settings,
    face_engine: FaceEngine,
    portraits: Mapping[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running_server(
        settings.model_copy(update={"rate_limits": False, "auto_verify_accounts": True}), face_engine
    ) as server:
        world = tmp_path / "world.json"
        world.write_text(json.dumps(furnish(server, portraits)))
        command = [
            str(Path(sys.executable).with_name("st")),
            "run",
            f"{server.url}/openapi.json",
            f"--checks={','.join(CHECKS)}",
            "--phases=examples,coverage,fuzzing",
            f"--max-examples={EXAMPLES}",
            f"--max-time={SECONDS}",
            "--continue-on-failure",
            "--workers=1",  # threads make Python 3.11 lose count of the recursion depth in ast.parse
            "--request-timeout=30",
            "--no-color",
            "--warnings=off",
            "--suppress-health-check=all",
        ]
        if "IPSE_FUZZ_SECONDS" not in os.environ:
            command += ["--seed=20261122", "--generation-deterministic"]
        else:
            command += ["--generation-database=none"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "IPSE_FUZZ_WORLD": str(world),
                 "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )  # fmt: skip
        answers = statuses(httpx2.get(f"{server.url}/metrics").text)
    print(done.stdout[-20000:])
    assert done.returncode == 0, _failures(done.stdout)
    with capsys.disabled():
        print(f"\nschemathesis: {_total(done.stdout)}; answers {dict(sorted(answers.items()))}")
    assert answers["2xx"] > sum(answers.values()) / 20, "the fuzzer hardly got past the refusals"


def statuses(metrics: str) -> Counter[str]:
    """How often each class of status was answered, from the server's own metrics."""
    found: Counter[str] = Counter()
    for status, count in re.findall(r'^ipse_http_requests_total\{.*status="(\d)\d\d".*\} ([\d.e+]+)$', metrics, re.M):
        found[f"{status}xx"] += int(float(count))
    return found


def _total(output: str) -> str:
    found = re.search(r"(\d+ generated.*)", output)
    return found.group(1) if found else "no test cases"


def _failures(output: str) -> str:
    """The part of the report that says what went wrong, and how to repeat it."""
    start = re.search(r"=+ (FAILURES|ERRORS) =+", output)
    return output[start.start() :][:20000] if start else output[-5000:]

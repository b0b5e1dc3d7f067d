"""The verifiers that the documentation shows accept what this service signs and refuse everything else."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from tests.services.actions import approved, minted
from tests.services.applications import RegisteredApplication

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples/step-up"
FILES = ("verify_verdict.py", "verify-verdict.mjs", "action-hash.mjs")
NODE = """
import { verifyVerdict } from "./verify-verdict.mjs";
import { actionHash } from "./action-hash.mjs";
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { cases, actions } = JSON.parse(Buffer.concat(chunks));
const results = cases.map(({ token, jwks, expected }) => {
  try {
    return verifyVerdict(token, jwks, expected);
  } catch (error) {
    return null;
  }
});
console.log(JSON.stringify({ results, hashes: actions.map(actionHash) }));
"""


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def cases(
    client: AsyncClient, application: RegisteredApplication, clock: ManualClock
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The claims of a good verdict; cases of which only the first is one."""
    session = await approved(client)
    verdict = await minted(client, session["session_id"])
    token, jwks = verdict["token"], (await client.get("/.well-known/jwks.json")).json()
    good = {
        "issuer": "http://testserver",
        "application": application.id,
        "actionHash": session["action_hash"],
        "environment": "sandbox",
        "now": clock.now().timestamp(),
    }
    head, body, signature = token.split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(text + "==")) for text in (head, body))
    tokens = [
        token,
        f"{head}.{part({**claims, 'act': '0' * 64})}.{signature}",
        f"{part({**header, 'alg': 'none'})}.{body}.",
        f"{part({**header, 'alg': 'HS256'})}.{body}.{signature}",
        f"{part({**header, 'jwk': jwks['keys'][0]})}.{body}.{signature}",
        f"{part({**header, 'kid': 'nobody'})}.{body}.{signature}",
        f"{token}.x",
        "nonsense",
    ]
    found = [{"token": one, "jwks": jwks, "expected": good} for one in tokens]
    changes: tuple[dict[str, Any], ...] = (
        {"issuer": "x"},
        {"application": "x"},
        {"actionHash": "0" * 64},
        {"environment": "live"},
        {"now": good["now"] + 300},
    )
    others = [{"token": token, "jwks": jwks, "expected": {**good, **change}} for change in changes]
    return verdict["claims"], found + others


async def test_the_verifier_in_python_accepts_a_verdict_and_nothing_else(
    client: AsyncClient, application: RegisteredApplication, clock: ManualClock
) -> None:
    claims, found = await cases(client, application, clock)
    example = run_path(str(EXAMPLES / "verify_verdict.py"))
    for number, case in enumerate(found):
        expected = {**case["expected"], "action_hash": case["expected"]["actionHash"]}
        del expected["actionHash"]
        if number == 0:
            assert example["verify_verdict"](case["token"], case["jwks"], **expected) == claims
            continue
        with pytest.raises(example["NotAVerdict"]):
            example["verify_verdict"](case["token"], case["jwks"], **expected)


async def test_the_verifier_in_node_accepts_a_verdict_and_nothing_else_and_computes_the_published_hashes(
    client: AsyncClient, application: RegisteredApplication, clock: ManualClock
) -> None:
    node = shutil.which("node")
    assert node is not None
    claims, found = await cases(client, application, clock)
    vectors = json.loads((EXAMPLES / "action-vectors.json").read_text())
    given = json.dumps({"cases": found, "actions": [vector["canonical"] for vector in vectors]})
    done = subprocess.run(  # noqa: ASYNC221
        [node, "--input-type=module", "--eval", NODE],
        input=given,
        capture_output=True,
        text=True,
        cwd=EXAMPLES,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["results"] == [claims] + [None] * (len(found) - 1)
    assert answer["hashes"] == [vector["sha256"] for vector in vectors]


@pytest.mark.parametrize("name", FILES)
def test_the_documentation_shows_the_verifiers_as_they_are(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    assert text in (ROOT / "docs/verify-verdict.md").read_text()

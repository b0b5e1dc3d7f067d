"""Ten thousand random events, signed here, rebuilt and checked by a receiver written in JavaScript.

Node is part of the project's tool chain; where it is missing the test is skipped on a developer's machine and fails
in CI.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ipse.security.canonical_json import rebuild_hazards
from ipse.security.signatures import sign, verify

PAYLOADS = 10_000
NOW = 1_763_632_800
SECRET = "g7Qx_2vT-4wLr0uYbN8sKdEa6MfHc1ZpJi3oXy5tRlA"

RECEIVER = r"""
const crypto = require("crypto");
const lines = require("fs").readFileSync(process.argv[2], "utf8").split("\n");
const secret = process.argv[3];
function shortenFloats(value) {
  if (Array.isArray(value)) return value.map(shortenFloats);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shortenFloats(item)]));
  return typeof value === "number" && Number.isInteger(value) ? Math.trunc(value) : value;
}
function sortKeys(value) {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.keys(value).sort().reduce((sorted, key) => { sorted[key] = sortKeys(value[key]); return sorted; }, {});
}
const hmac = (text) => crypto.createHmac("sha256", secret).update(text, "utf8").digest("hex");
let canonical = 0, plain = 0, simple = 0;
const wrong = [];
for (const line of lines) {
  const [v2, simpleSignature] = line.split(" ", 2);
  const body = line.slice(v2.length + simpleSignature.length + 2);
  const event = JSON.parse(body);
  const rebuilt = hmac(JSON.stringify(sortKeys(shortenFloats(event)))) === v2;
  const parsed = hmac(JSON.stringify(event)) === v2;
  const envelope = [event.timestamp, event.session_id, event.status, event.webhook_type].map((v) => v ?? "").join(":");
  canonical += rebuilt; plain += parsed; simple += hmac(envelope) === simpleSignature;
  if (!rebuilt || !parsed) wrong.push(body);
}
console.log(JSON.stringify({ canonical, plain, simple, wrong: wrong.slice(0, 3) }));
"""

ALPHABET = (
    'abcXYZ 019_-/\\"\b\f\n\r\t\x00\x01\x1f\x7f<>&é\u00df日本\u2028\u2029\ufeff\ufffd\ue000\U0001f600\ud83d\udc00'
)


def random_text(rng: random.Random, longest: int) -> str:
    return "".join(rng.choices(ALPHABET, k=rng.randrange(longest)))


def random_key(rng: random.Random) -> str:
    # A letter first: integer-like and astral keys are the documented exceptions (contract 40, section 5, constraint 2).
    return rng.choice("abcdefgXYZ_é日") + "".join(rng.choices("abcXYZ019_-. é", k=rng.randrange(8)))


def random_number(rng: random.Random) -> int | float:
    kinds = (
        rng.uniform(-1, 1),
        rng.uniform(-1e16, 1e16),
        rng.uniform(-1, 1) * 10 ** rng.randrange(-12, 25),
        float(rng.randrange(-1000, 1000)),
        -0.0,
        rng.randrange(-(2**53), 2**53 + 1),
        rng.randrange(-(2**70), 2**70),
        round(rng.uniform(0, 100), 2),
    )
    return rng.choice(kinds)


def random_value(rng: random.Random, depth: int) -> object:
    match rng.randrange(7 if depth else 5):
        case 0:
            return None
        case 1:
            return rng.random() < 0.5
        case 2 | 3:
            return random_number(rng)
        case 4:
            return random_text(rng, 20)
        case 5:
            return [random_value(rng, depth - 1) for _ in range(rng.randrange(5))]
        case _:
            return {random_key(rng): random_value(rng, depth - 1) for _ in range(rng.randrange(6))}


def random_event(rng: random.Random, number: int) -> dict[str, object]:
    return {
        "event_id": f"event-{number}",
        "webhook_type": rng.choice(["status.updated", "data.updated"]),
        "session_id": random_text(rng, 12),
        "status": rng.choice(["Approved", "Declined", "In Review"]),
        "vendor_data": random_text(rng, 30),
        "metadata": {random_key(rng): random_value(rng, 3) for _ in range(rng.randrange(8))},
        "decision": random_value(rng, 4),
    }


def test_ten_thousand_events_verify_by_both_recipes_in_python_and_in_node(tmp_path: Path) -> None:
    rng = random.Random(20261122)
    lines: list[bytes] = []
    for number in range(PAYLOADS):
        event = random_event(rng, number)
        assert rebuild_hazards(event) == ()
        signed = sign(SECRET, event, timestamp=NOW)
        verified = verify(SECRET, signed.headers, signed.body, now=NOW)
        assert verified.raw
        assert verified.canonical
        assert verified.difference is None
        signatures = f"{signed.headers['X-Signature-V2']} {signed.headers['X-Signature-Simple']} "
        lines.append(signatures.encode() + signed.body)

    node = shutil.which("node")
    if node is None:
        assert not os.environ.get("CI"), "Node is part of the tool chain; install it"
        pytest.skip("Node is not installed")
    (tmp_path / "receiver.cjs").write_text(RECEIVER)
    (tmp_path / "events").write_bytes(b"\n".join(lines))
    finished = subprocess.run(
        [node, tmp_path / "receiver.cjs", tmp_path / "events", SECRET], capture_output=True, check=True, timeout=120
    )
    assert json.loads(finished.stdout) == {"canonical": PAYLOADS, "plain": PAYLOADS, "simple": PAYLOADS, "wrong": []}

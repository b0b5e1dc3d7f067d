"""The decision input: every request of a session that ran checks, canonical, beside the digest of what came out.

Kept inside ``SessionRow.evidence`` under :data:`KEY`, compressed (some 20 kB of repeated words become 3) and sealed for
its session under the look-up secret, which needs no second sealing when data keys rotate.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ipse.decision.evaluation import Awaiting, Decided
from ipse.decision.reports import MalformedReport, Report
from ipse.decision.trace import trace_json
from ipse.evidence.deciding import Step
from ipse.evidence.errors import InvalidRecord, NothingRecorded
from ipse.evidence.observed import ByHand, Observed, decode, plain
from ipse.security.canonical_json import serialise
from ipse.security.keyring import CannotOpen
from ipse.security.lookup import LookupKey

KEY: Final = "decision_input"
"""Of the entry in ``SessionRow.evidence``. Never shown by the API: it names other people's faces."""
SCHEMA: Final = 1
LARGEST: Final = 16 * 2**20
"""Bytes of a record after decompression; a session with nine attempts and metadata of 64 kB has a tenth of it."""


@dataclass(frozen=True, slots=True)
class Made:
    """With what a request was decided. ``workflow`` is the digest of graph and settings."""

    code: str
    calibration: str
    workflow: str | None
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pass:
    """One request: what was observed, with what it was decided, and the SHA-256 of the outcome."""

    observed: Observed
    made: Made
    outcome: str


@dataclass(frozen=True, slots=True)
class Record:
    """The requests of a session, in their order."""

    session_id: str
    passes: tuple[Pass, ...]


def canonical(value: Any) -> bytes:
    """The one spelling: keys sorted, no white space, UTF-8, whole floats as integers."""
    return serialise(plain(value))


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def outcome(session_id: str, steps: Mapping[str, Step], evaluation: Awaiting | Decided) -> dict[str, Any]:
    """What was decided, or awaited: status, every report, the walk, and the variants drawn."""
    found: dict[str, Any] = plain(
        {
            "session_id": session_id,
            "status": evaluation.status.value if isinstance(evaluation, Decided) else None,
            "awaits": None if isinstance(evaluation, Decided) else evaluation.node.id,
            "path": [report.node_id for report in evaluation.reports],
            "steps": [
                {"attempt": step.attempt, "final": step.final, "report": step.report.to_json()}
                for step in steps.values()
            ],
            "trace": trace_json(evaluation.trace),
            "experiments": dict(evaluation.experiments),
        }
    )
    return found


def by_hand(stored: bytes | None, steps: Mapping[str, Step]) -> tuple[ByHand, ...]:
    """Steps that are not as the latest recorded request left them."""
    left = _raw(stored)["passes"][-1]["left"] if stored is not None else {}
    changed = [
        ByHand(node_id, step.report.to_json(), step.attempt, step.final)
        for node_id, step in steps.items()
        if left.get(node_id) != _left(step)
    ]
    return (*changed, *(ByHand(node_id, None) for node_id in left if node_id not in steps))


def appended(
    stored: bytes | None,
    session_id: str,
    observed: Mapping[str, Any],
    made: Made,
    steps: Mapping[str, Step],
    evaluation: Awaiting | Decided,
) -> bytes:
    """Return the record with one more request; ``observed`` is encoded.

    A request that ran no check tells only where the session stood: the next one takes its place, so that reloading the
    page makes no record longer.
    """
    fresh: dict[str, Any] = {"schema": SCHEMA, "session_id": session_id, "passes": []}
    raw = fresh if stored is None else _raw(stored)
    left = {node_id: _left(step) for node_id, step in steps.items()}
    passes = raw["passes"]
    if passes and not passes[-1]["ran"]:
        passes.pop()
    before = passes[-1]["left"] if passes else {}
    passes.append(
        {
            "observed": observed,
            "made": plain(made),
            "left": left,
            "ran": before != left,
            "outcome": digest(serialise(outcome(session_id, steps, evaluation))),
        }
    )
    return serialise(raw)  # every part is plain already, and earlier requests are not walked again


def seal(lookup: LookupKey, session_id: str, content: bytes) -> str:
    """The record as a session stores it."""
    return lookup.seal(base64.b64encode(zlib.compress(content, 6)).decode(), field=f"{KEY}|{session_id}")


def stored_in(lookup: LookupKey, session_id: str, evidence: Mapping[str, Any]) -> bytes | None:
    """The canonical JSON of the record in a session's evidence; None before the first check.

    Raises:
        InvalidRecord: it was sealed for another session, or changed.
    """
    sealed = evidence.get(KEY)
    if sealed is None:
        return None
    try:
        packed = base64.b64decode(lookup.open(str(sealed), field=f"{KEY}|{session_id}"))
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, LARGEST)
    except (CannotOpen, zlib.error) as error:
        raise InvalidRecord("The stored input of the decision was changed, or is that of another session.") from error
    if not unpacker.eof:
        raise InvalidRecord("The stored input of the decision is cut or too large.")
    return content


def read(content: bytes) -> Record:
    """Read canonical JSON. Raises :class:`InvalidRecord`."""
    try:
        raw = json.loads(content)
        if raw["schema"] != SCHEMA:
            raise InvalidRecord(f"The input of the decision has schema {raw['schema']}; this program reads {SCHEMA}.")
        passes = tuple(Pass(decode(one["observed"]), Made(**one["made"]), str(one["outcome"])) for one in raw["passes"])
        session_id = str(raw["session_id"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidRecord(f"The input of the decision is not readable: {error}") from error
    if not passes:
        raise NothingRecorded("No check ran in this session, so there is no decision to replay.")
    return Record(session_id, passes)


def apply_by_hand(steps: dict[str, Step], changes: Sequence[ByHand]) -> None:
    """Put into ``steps`` what was changed by hand before a request. Raises :class:`InvalidRecord`."""
    for change in changes:
        if change.report is None:
            steps.pop(change.node_id, None)
            continue
        try:
            report = Report.from_json(change.report)
        except MalformedReport as error:
            raise InvalidRecord(f"A report that was changed by hand is not readable: {error}") from error
        steps[change.node_id] = Step(report, change.attempt, change.final)


def _raw(stored: bytes) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(stored)
    return raw


def _left(step: Step) -> str:
    """Digest of a step, to tell whether it was changed since."""
    return digest(canonical({"attempt": step.attempt, "final": step.final, "report": step.report.to_json()}))

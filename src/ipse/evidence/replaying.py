"""Replay: run the recorded requests again, through the workflow that decided or through another one, and compare.

Pure: a record, a graph, and what the store says the decision was. The automatic decision is what is replayed; what
people did by hand afterwards is told beside it and never compared away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ipse.decision.evaluation import Awaiting
from ipse.decision.graph import WorkflowGraph
from ipse.decision.graph_json import read_graph
from ipse.decision.problems import InvalidGraph
from ipse.evidence.deciding import Step, advance, evaluation_of, takes_face
from ipse.evidence.errors import EvidenceError
from ipse.evidence.observed import plain
from ipse.evidence.record import Record, apply_by_hand, canonical, digest, outcome


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where replay and record disagree; ``place`` reads like ``steps.liveness_1.report.score``."""

    place: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Rerun:
    """What came out of the requests. ``outcome`` is the one after the last that was used."""

    outcome: Mapping[str, Any]
    digests: tuple[str, ...]
    unused: int = 0
    """Requests that the other workflow had decided before."""

    @property
    def content(self) -> bytes:
        """The outcome in canonical JSON: the bytes that are signed."""
        return canonical(self.outcome)

    @property
    def sha256(self) -> str:
        """Of :attr:`content`."""
        return digest(self.content)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store says of a session: its decision, and what was done by hand since."""

    status: str
    steps: Mapping[str, Mapping[str, Any]]
    """Node id -> ``attempt``, ``final`` and ``report``."""
    trace: Sequence[Any]
    experiments: Mapping[str, Any]
    reviews: Sequence[Mapping[str, Any]] = ()
    """``activity_type``, ``actor_type``, ``previous_status``, ``new_status``, ``changes``, oldest first."""
    reopened: tuple[str, ...] = ()
    """Nodes whose reports a reviewer has asked for again and that were not repeated yet."""
    left: str | None = None
    """Why the person ended the session: ``not_me``, ``alternative``."""

    def to_json(self) -> dict[str, Any]:
        """As packs carry it; ``Standing(**…)`` reads it back."""
        shown: dict[str, Any] = plain(asdict(self))
        return shown


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer of a replay."""

    rerun: Rerun
    recorded_sha256: str
    differences: tuple[Difference, ...]
    by_hand: tuple[str, ...]
    """Sentences about what people changed after the automatic decision."""

    @property
    def is_same(self) -> bool:
        """Whether every byte of the decision came out again, and the store still says the same."""
        return not self.differences


def run_again(record: Record, graph: WorkflowGraph) -> Rerun:
    """Run the requests through the workflow that they were made under."""
    steps: dict[str, Step] = {}
    shown: list[dict[str, Any]] = []
    for one in record.passes:
        apply_by_hand(steps, one.observed.by_hand)
        stop = advance(graph, steps, one.observed, record.session_id)
        shown.append(outcome(record.session_id, steps, stop.evaluation))
    return Rerun(shown[-1], tuple(digest(canonical(one)) for one in shown))


def run_under(record: Record, graph: WorkflowGraph) -> Rerun:
    """Run the requests through another workflow.

    A face that was submitted goes to the step that awaits one. Requests after the other decision are not used, and
    where the other workflow wants more than was ever shown, its outcome has no status and says what it awaits.
    """
    steps: dict[str, Step] = {}
    last: dict[str, Any] = {}
    digests: list[str] = []
    for one in record.passes:
        apply_by_hand(steps, one.observed.by_hand)
        observed = one.observed
        if observed.captured_at is not None:
            awaited = evaluation_of(graph, steps, observed, record.session_id)
            if not isinstance(awaited, Awaiting):
                break
            fits = takes_face(awaited.node)
            observed = replace(observed, captured_at=awaited.node.id if fits else None)
        stop = advance(graph, steps, observed, record.session_id)
        last = outcome(record.session_id, steps, stop.evaluation)
        digests.append(digest(canonical(last)))
    return Rerun(last, tuple(digests), unused=len(record.passes) - len(digests))


def replay(record: Record, graph: WorkflowGraph, standing: Standing) -> Replayed:
    """Replay the decision under its own workflow and compare it with the record and with the store."""
    rerun = run_again(record, graph)
    found = [
        Difference(f"request {number + 1}", one.outcome, got)
        for number, (one, got) in enumerate(zip(record.passes, rerun.digests, strict=True))
        if one.outcome != got
    ]
    by_hand: list[str] = []
    found += _steps_apart(rerun.outcome, standing, by_hand)
    found += _status_apart(rerun.outcome, standing, by_hand)
    for name in ("trace", "experiments"):
        found += differences(name, getattr(standing, name), rerun.outcome[name])
    return Replayed(rerun, record.passes[-1].outcome, tuple(found), tuple(by_hand))


def compare_under(record: Record, graph: WorkflowGraph, recorded: Mapping[str, Any]) -> Replayed:
    """Say what another workflow makes of the same requests; ``recorded`` is the outcome under its own."""
    rerun = run_under(record, graph)
    found = [Difference("status", recorded["status"], rerun.outcome["status"])]
    found = [one for one in found if one.recorded != one.replayed]
    for name in ("trace", "experiments"):
        found += differences(name, recorded[name], rerun.outcome[name])
    found += differences("steps", by_node(recorded), by_node(rerun.outcome))
    return Replayed(rerun, record.passes[-1].outcome, tuple(found), ())


def graph_of(value: Any) -> WorkflowGraph:
    """Parse a graph. Raises :class:`EvidenceError`."""
    try:
        return read_graph(value)
    except InvalidGraph as error:
        raise EvidenceError(f"The workflow is not readable: {error}") from error


def by_node(shown: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps of an outcome by node id."""
    return {step["report"]["node_id"]: step for step in shown["steps"]}


def differences(place: str, recorded: Any, replayed: Any) -> Iterator[Difference]:
    """Every place, as deep as it goes, where two JSON values differ. Warnings are told apart by their risk."""
    one, other = plain(recorded), plain(replayed)
    if one == other:
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from differences(f"{place}.{key}", one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list):
        named, renamed = _named(one), _named(other)
        if named is not None and renamed is not None:
            for key in dict.fromkeys((*named, *renamed)):
                yield from differences(f"{place}[{key}]", named.get(key), renamed.get(key))
        else:
            yield Difference(place, one, other)
    else:
        yield Difference(place, one, other)


def _named(items: list[Any]) -> dict[str, Any] | None:
    """Items by the name that tells them apart; None where they have none, or share one."""
    for name in ("risk", "node_id", "branch_id"):
        if all(isinstance(item, dict) and isinstance(item.get(name), str) for item in items):
            named = {item[name]: item for item in items}
            return named if len(named) == len(items) else None
    return None


def _steps_apart(shown: Mapping[str, Any], standing: Standing, by_hand: list[str]) -> Iterator[Difference]:
    replayed = by_node(shown)
    for node_id in dict.fromkeys((*replayed, *standing.steps)):
        stored, got = plain(standing.steps.get(node_id)), replayed.get(node_id)
        if stored is None and node_id in standing.reopened:
            by_hand.append(f"A reviewer asked for {node_id} again; its report is gone.")
            continue
        if standing.left == "not_me" and stored is not None and _reported(stored):
            by_hand.append(f"The person reported the action at {node_id} as not theirs.")
            continue
        corrected = _corrected(node_id, standing)
        if corrected is not None and stored is not None and got is not None:
            was, now = got["report"]["status"], stored["report"]["status"]
            if now == corrected:
                by_hand.append(f"A reviewer changed {node_id} from {was} to {now}.")
                stored = {**stored, "report": {**stored["report"], "status": was}}
        yield from differences(f"steps.{node_id}", stored, got)


def _corrected(node_id: str, standing: Standing) -> str | None:
    """The status that a reviewer gave a step last."""
    given = [
        review["changes"]["current"]
        for review in standing.reviews
        if review["activity_type"] == "KYC_DATA_UPDATED" and review["changes"].get("field") == f"{node_id}.status"
    ]
    return given[-1] if given else None


def _reported(step: Mapping[str, Any]) -> bool:
    return any(warning["risk"] == "REPORTED_BY_PERSON" for warning in step["report"]["warnings"])


def _status_apart(shown: Mapping[str, Any], standing: Standing, by_hand: list[str]) -> Iterator[Difference]:
    """The status must be the automatic one, or that of a change written down after it."""
    moves = [review for review in standing.reviews if review["activity_type"] == "STATUS_UPDATED"]
    at = max((n for n, move in enumerate(moves) if move["new_status"] == shown["status"]), default=None)
    later = moves if shown["status"] is None else moves[len(moves) if at is None else at + 1 :]
    status = shown["status"]
    for move in later:
        if shown["status"] is not None:
            by_hand.append(
                f"{move['actor_type']} changed the session from {move['previous_status']} to {move['new_status']}."
            )
        status = move["new_status"]
    if status is not None and status != standing.status:
        yield Difference("status", standing.status, status)

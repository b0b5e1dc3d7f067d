"""Challenges of a session: drawn whole, told phase by phase, answered by commitments, used once (decision 0011).

Whoever changes a challenge has locked the row of its session.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import select, update

from ipse.biometrics.head_motion import draw_movements
from ipse.biometrics.screen_colours import draw_colours
from ipse.capture.errors import (
    ChallengeGone,
    ChallengeUnfinished,
    OtherPhase,
    TooManyChallenges,
)
from ipse.capture.schemas import ChallengeView, PhaseDone
from ipse.checks.challenge import EXPIRY_MS, Commitment, Instruction, Mark, too_late
from ipse.decision.config import CaptureMethod
from ipse.edge.authentication import as_uuid
from ipse.edge.errors import NotFound
from ipse.runtime.scope import Scope
from ipse.sessions.view import timestamp
from ipse.storage.tables import ChallengeRow

PER_ATTEMPT: Final = 5
"""Challenges of one attempt that may go beyond *hold still*: who could ask on would ask until one fits a recording."""
BEGUN_PER_ATTEMPT: Final = 20
"""Challenges of one attempt in all. The first phase gives nothing away, so a lost connection there costs little."""
COLOUR_MS: Final = 400
"""Each colour is shown so long: two and a half changes a second, where WCAG 2.3.1 allows three."""
_SEED_CHARACTERS: Final = 43
"""258 bits: as many as a challenge could ever need, and too many to guess."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A challenge that was answered to its end, as a submission finds it. ``drawn`` counts those of the attempt."""

    id: str
    method: CaptureMethod
    asked: tuple[Instruction, ...]
    marks: tuple[Mark, ...]
    drawn: int


def draw(method: CaptureMethod, random: Random) -> tuple[Instruction, ...]:
    """Draw a challenge; ``random`` decides, and nothing else does. Raises ``ValueError`` for PASSIVE."""
    match method:
        case CaptureMethod.ACTIVE_3D:
            turns = (Instruction.turn(direction.value) for direction in draw_movements(random))
            return (Instruction.hold(), *turns)
        case CaptureMethod.FLASHING:
            return (
                Instruction.hold(),
                Instruction.show([(rgb, COLOUR_MS) for rgb in draw_colours(random, ms=COLOUR_MS)]),
            )
        case CaptureMethod.PASSIVE:
            raise ValueError("the passive method has no challenge")


async def begin(scope: Scope, session_id: str, node_id: str, attempt: int, method: CaptureMethod) -> ChallengeView:
    """Make a challenge for an attempt and tell its first phase. It ends every earlier one of the session.

    Raises :class:`TooManyChallenges`.
    """
    await _require_allowance(scope, session_id, node_id, attempt)
    now = scope.services.clock.now()
    await scope.tx.execute(
        update(ChallengeRow)
        .where(ChallengeRow.session_id == session_id, ChallengeRow.used_at.is_(None))
        .values(used_at=now)
    )
    # Python's generator is no secret source; a seed of 258 bits from one is, for the few numbers that are drawn.
    random = Random(scope.services.identifiers.token(_SEED_CHARACTERS))  # noqa: S311
    row = ChallengeRow(
        id=scope.services.identifiers.uuid(),
        session_id=session_id,
        node_id=node_id,
        attempt=attempt,
        method=method.value,
        phases=[instruction.to_json() for instruction in draw(method, random)],
        marks=[{"revealed_at": 0.0}],
        created_at=now,
        expires_at=now + timedelta(milliseconds=EXPIRY_MS),
        used_at=None,
    )
    scope.tx.add(row)
    return _view(row)


async def commit(scope: Scope, session_id: str, challenge_id: str, done: PhaseDone, arrived: datetime) -> ChallengeView:
    """Take the commitments of a phase that arrived at ``arrived`` and reveal the next one.

    Repeating the latest commitment repeats the answer. Raises :class:`NotFound` for another session's challenge,
    :class:`ChallengeGone` when it was used, has expired or the phase took too long, and :class:`OtherPhase`.
    """
    row = await _find(scope, session_id, challenge_id)
    _require_usable(row, arrived)
    committed = [Mark.from_json(mark) for mark in row.marks if "committed_at" in mark]
    if committed and done.index == len(committed) - 1 and _says_the_same(committed[-1], done):
        return _view(row)
    if done.index != len(committed) or done.index >= len(row.phases):
        raise OtherPhase(len(committed))
    revealed_at = float(row.marks[done.index]["revealed_at"])
    committed_at = _since(row, arrived)
    if too_late(Instruction.from_json(row.phases[done.index]), revealed_at, committed_at):
        raise ChallengeGone
    now = scope.services.clock.now()
    marks: list[Any] = [*row.marks[:-1], _mark(revealed_at, committed_at, done).to_json()]
    if len(marks) < len(row.phases):
        marks.append({"revealed_at": _since(row, now)})
    else:
        # Every frame is bound by its digest now: a slow line may take its time to bring them.
        row.expires_at = now + timedelta(milliseconds=EXPIRY_MS)
    row.marks = marks
    return _view(row)


async def answered(scope: Scope, session_id: str, node_id: str, attempt: int, challenge_id: str) -> Answer:
    """Return the challenge that a submission names. Raises as :func:`commit` does.

    Raises :class:`ChallengeUnfinished` while a phase is missing.
    """
    row = await _find(scope, session_id, challenge_id)
    _require_usable(row, scope.services.clock.now())
    if (row.node_id, row.attempt) != (node_id, attempt):
        raise ChallengeGone
    marks = tuple(Mark.from_json(mark) for mark in row.marks if "committed_at" in mark)
    if len(marks) < len(row.phases):
        raise ChallengeUnfinished
    return Answer(
        id=row.id,
        method=CaptureMethod(row.method),
        asked=tuple(Instruction.from_json(phase) for phase in row.phases),
        marks=marks,
        drawn=(await _drawn(scope, session_id, node_id, attempt))[0],
    )


async def use(scope: Scope, session_id: str, challenge_id: str) -> None:
    """Use a challenge up, for good. Raises :class:`ChallengeGone` when another submission was faster."""
    row = await _find(scope, session_id, challenge_id)
    if row.used_at is not None:
        raise ChallengeGone
    row.used_at = scope.services.clock.now()


async def _find(scope: Scope, session_id: str, challenge_id: str) -> ChallengeRow:
    row: ChallengeRow | None = await scope.tx.scalar(
        select(ChallengeRow).where(ChallengeRow.id == as_uuid(challenge_id), ChallengeRow.session_id == session_id)
    )
    if row is None:
        raise NotFound
    return row


def _require_usable(row: ChallengeRow, now: datetime) -> None:
    if row.used_at is not None or row.expires_at <= now:
        raise ChallengeGone


async def _require_allowance(scope: Scope, session_id: str, node_id: str, attempt: int) -> None:
    begun, revealing = await _drawn(scope, session_id, node_id, attempt)
    if begun >= BEGUN_PER_ATTEMPT or revealing >= PER_ATTEMPT:
        raise TooManyChallenges


async def _drawn(scope: Scope, session_id: str, node_id: str, attempt: int) -> tuple[int, int]:
    """How many challenges an attempt has had, and how many of them revealed more than their first phase."""
    of_attempt = (
        ChallengeRow.session_id == session_id,
        ChallengeRow.node_id == node_id,
        ChallengeRow.attempt == attempt,
    )
    marks = list(await scope.tx.scalars(select(ChallengeRow.marks).where(*of_attempt)))
    return len(marks), sum(len(one) > 1 for one in marks)


def _mark(revealed_at: float, committed_at: float, done: PhaseDone) -> Mark:
    return Mark(
        revealed_at=revealed_at,
        committed_at=committed_at,
        started_ms=done.started_ms,
        ended_ms=done.ended_ms,
        colour_starts_ms=tuple(done.colour_starts_ms),
        frames=tuple(Commitment(frame.sha256, frame.at_ms) for frame in done.frames),
    )


def _says_the_same(mark: Mark, done: PhaseDone) -> bool:
    return mark == _mark(mark.revealed_at, mark.committed_at, done)


def _since(row: ChallengeRow, at: datetime) -> float:
    return round((at - row.created_at).total_seconds() * 1000, 3)


def _view(row: ChallengeRow) -> ChallengeView:
    index = sum("committed_at" in mark for mark in row.marks)
    return ChallengeView.model_validate(
        {
            "challenge": row.id,
            "method": row.method,
            "phases": len(row.phases),
            "index": index,
            "phase": row.phases[index] if index < len(row.phases) else None,
            "expires_at": timestamp(row.expires_at),
        }
    )

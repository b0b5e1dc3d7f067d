"""What a challenge asks for, and whether it was answered in time with the very frames that were submitted.

Pure rules over what the server wrote down (docs/decisions/0011). Times are milliseconds: ``_at`` times of the server's
clock since the challenge was made, ``_ms`` times of the page's clock since it received the first phase. The page's
clock is believed only where one and the same offset between the two clocks explains every phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from ipse.biometrics.frame_timing import Finding
from ipse.decision.values import JsonValue

Kind = Literal["hold", "turn", "colours"]
Direction = Literal["left", "right", "up", "down"]
Rgb = tuple[int, int, int]

HOLD_MS: Final = (300, 4_000)
TURN_MS: Final = (700, 6_000)
PATIENCE_MS: Final = 12_000
"""How long a phase of hold or turn may take although the page shows less: twice what most people need (WCAG 2.2.1)."""
GRACE_MS: Final = 5_000
"""What a slow line may add between the end of a phase and its commitment."""
EXPIRY_MS: Final = 120_000

_CLOCK_TOLERANCE_MS: Final = 150.0
"""Browsers that protect against fingerprinting round their clock to 100 ms; drawing a frame takes another 16 to 33."""
_SHOWN_SHARE: Final = 0.8
"""Of its time a colour must have been on the screen; a display refreshes at 16 to 33 ms steps."""
_FEW_UPLOADED: Final = 0.25


@dataclass(frozen=True, slots=True)
class Instruction:
    """One phase: what to do and for how long, in milliseconds. ``colours``: red, green, blue 0-255, and their ms."""

    kind: Kind
    min_ms: int
    max_ms: int
    direction: Direction | None = None
    colours: tuple[tuple[Rgb, int], ...] = ()

    @classmethod
    def hold(cls) -> Instruction:
        """Look straight ahead."""
        return cls("hold", *HOLD_MS)

    @classmethod
    def turn(cls, direction: Direction) -> Instruction:
        """Move the head in the person's own ``direction``."""
        return cls("turn", *TURN_MS, direction=direction)

    @classmethod
    def show(cls, colours: Sequence[tuple[Rgb, int]]) -> Instruction:
        """Show these colours one after the other."""
        length = sum(ms for _, ms in colours)
        return cls("colours", length, length, colours=tuple(colours))

    @property
    def deadline_ms(self) -> int:
        """How long after it was revealed a phase may be committed."""
        return (self.max_ms if self.kind == "colours" else max(self.max_ms, PATIENCE_MS)) + GRACE_MS

    def to_json(self) -> dict[str, JsonValue]:
        """The form that is stored and, phase by phase, told to the page (``Phase`` of the capture API)."""
        if self.kind == "colours":
            return {"kind": self.kind, "colours": [{"rgb": list(rgb), "ms": ms} for rgb, ms in self.colours]}
        told: dict[str, JsonValue] = {"kind": self.kind, "min_ms": self.min_ms, "max_ms": self.max_ms}
        return told if self.direction is None else {**told, "direction": self.direction}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Instruction:
        """Read what ``to_json`` wrote."""
        if stored["kind"] == "colours":
            return cls.show([(cast("Rgb", tuple(colour["rgb"])), colour["ms"]) for colour in stored["colours"]])
        return cls(stored["kind"], stored["min_ms"], stored["max_ms"], stored.get("direction"))


@dataclass(frozen=True, slots=True)
class Commitment:
    """A frame that was promised: the SHA-256 of its bytes in hexadecimal, and when it was recorded."""

    sha256: str
    recorded_ms: float


@dataclass(frozen=True, slots=True)
class Mark:
    """One phase as it went: ``revealed_at`` and ``committed_at`` by the server, the rest as the page tells it."""

    revealed_at: float
    committed_at: float
    started_ms: float
    ended_ms: float
    colour_starts_ms: tuple[float, ...]
    frames: tuple[Commitment, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """The form that is stored."""
        return {
            "revealed_at": self.revealed_at,
            "committed_at": self.committed_at,
            "started_ms": self.started_ms,
            "ended_ms": self.ended_ms,
            "colour_starts_ms": list(self.colour_starts_ms),
            "frames": [[frame.sha256, frame.recorded_ms] for frame in self.frames],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Mark:
        """Read what ``to_json`` wrote."""
        return cls(
            revealed_at=stored["revealed_at"],
            committed_at=stored["committed_at"],
            started_ms=stored["started_ms"],
            ended_ms=stored["ended_ms"],
            colour_starts_ms=tuple(stored["colour_starts_ms"]),
            frames=tuple(Commitment(digest, recorded) for digest, recorded in stored["frames"]),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where an uploaded frame belongs: the index of its phase, and when it was recorded."""

    phase: int
    recorded_ms: float


def too_late(instruction: Instruction, revealed_at: float, committed_at: float) -> bool:
    """Whether a phase took longer than it may. A slow line or a pause; nothing to hold against the person."""
    return committed_at - revealed_at > instruction.deadline_ms


def places(marks: Sequence[Mark], digests: Sequence[str]) -> list[Place | None]:
    """The place of each uploaded frame; None for a frame that no phase committed to. The first commitment counts."""
    known: dict[str, Place] = {}
    for index, mark in enumerate(marks):
        for frame in mark.frames:
            known.setdefault(frame.sha256, Place(index, frame.recorded_ms))
    return [known.get(digest) for digest in digests]


def colour_starts(instruction: Instruction, mark: Mark) -> tuple[float, ...]:
    """When each colour came on the screen: as the page noted it, or by the plan where it noted nothing usable."""
    noted = mark.colour_starts_ms
    if len(noted) == len(instruction.colours) and list(noted) == sorted(noted):
        return noted
    planned, at = [], mark.started_ms
    for _, length in instruction.colours:
        planned.append(at)
        at += length
    return tuple(planned)


def findings(
    asked: Sequence[Instruction], marks: Sequence[Mark], *, stills: Sequence[str], frames: Sequence[str]
) -> tuple[Finding, ...]:
    """Everything about a complete answer that does not fit. ``stills`` and ``frames`` are digests of what was uploaded.

    Lateness is refused when a phase is committed and does not appear here.
    """
    return (
        *_of_phases(asked, marks),
        *_of_clocks(marks),
        *_of_frames(marks, stills=stills, frames=frames),
    )


def _of_phases(asked: Sequence[Instruction], marks: Sequence[Mark]) -> Iterator[Finding]:
    for index, (instruction, mark) in enumerate(zip(asked, marks, strict=True)):
        took = mark.committed_at - mark.revealed_at
        # 1. By the server's clock alone: nobody can follow what was not shown yet.
        if took < instruction.min_ms - _CLOCK_TOLERANCE_MS:
            yield Finding("timing_too_fast", 0.9, f"Phase {index} was answered {took:.0f} ms after it was revealed.")
        # 2. The page says itself that it did not show the phase for as long as it lasts.
        shown = mark.ended_ms - mark.started_ms
        if shown < instruction.min_ms - _CLOCK_TOLERANCE_MS:
            yield Finding("phase_cut_short", 0.6, f"Phase {index} was shown for {shown:.0f} ms.")
        # 3. Frames belong to the time in which their phase was shown.
        low, high = mark.started_ms - _CLOCK_TOLERANCE_MS, mark.ended_ms + _CLOCK_TOLERANCE_MS
        outside = sum(not low <= frame.recorded_ms <= high for frame in mark.frames)
        if outside:
            yield Finding("frame_outside_phase", 0.7, f"{outside} frames of phase {index} lie outside its time.")
        # 4. Colours appear in order, each for its time.
        if instruction.colours:
            yield from _of_colours(index, instruction, mark)


def _of_colours(index: int, instruction: Instruction, mark: Mark) -> Iterator[Finding]:
    starts = mark.colour_starts_ms
    if len(starts) != len(instruction.colours):
        yield Finding("colours_not_noted", 0.3, f"Phase {index} notes {len(starts)} colours.")
        return
    ends = (*starts[1:], mark.ended_ms)
    short = sum(
        end - start < _SHOWN_SHARE * length
        for start, end, (_, length) in zip(starts, ends, instruction.colours, strict=True)
    )
    if short:
        yield Finding("colours_mistimed", 0.6, f"{short} colours of phase {index} were shown too briefly.")


def _of_clocks(marks: Sequence[Mark]) -> Iterator[Finding]:
    """No phase starts before it was revealed and none is committed before it ended: is there such an offset?

    The page's clock starts when the first phase arrives, so the offset is that trip's length and never negative.
    """
    earliest = max(0.0, *(mark.revealed_at - mark.started_ms for mark in marks))
    latest = min(mark.committed_at - mark.ended_ms for mark in marks)
    gap = earliest - latest
    if gap > _CLOCK_TOLERANCE_MS:
        yield Finding("clock_contradiction", 0.8, f"The page's times contradict the server's clock by {gap:.0f} ms.")


def _of_frames(marks: Sequence[Mark], *, stills: Sequence[str], frames: Sequence[str]) -> Iterator[Finding]:
    uncommitted = sum(place is None for place in places(marks, frames))
    if uncommitted:
        yield Finding("frames_not_committed", 0.9, f"{uncommitted} frames were not committed while they were recorded.")
    held = {frame.sha256 for frame in marks[0].frames}
    foreign = sum(digest not in held for digest in stills)
    if foreign:
        yield Finding("stills_not_committed", 0.9, f"{foreign} stills were not recorded in the first phase.")
    promised = sum(len(mark.frames) for mark in marks)
    if len(frames) + len(stills) < _FEW_UPLOADED * promised:
        yield Finding("frames_withheld", 0.3, f"Of {promised} committed frames {len(frames)} were uploaded.")

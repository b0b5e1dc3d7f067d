"""What the timing rules of a challenge guarantee."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.checks.challenge import (
    GRACE_MS,
    Commitment,
    Instruction,
    Mark,
    Place,
    colour_starts,
    findings,
    places,
    too_late,
)

COLOURS = [((255, 139, 97), 400), ((63, 177, 255), 400)]
ACTIVE = (Instruction.hold(), Instruction.turn("left"), Instruction.turn("up"), Instruction.turn("right"))
FLASHING = (Instruction.hold(), Instruction.show(COLOURS))


def digest(phase: int, number: int) -> str:
    return f"{phase:02x}{number:02x}".ljust(64, "0")


def answered(asked: tuple[Instruction, ...], *, trip_ms: float = 80.0, length_ms: float = 1500.0) -> list[Mark]:
    """The marks of an honest page: every message takes ``trip_ms``, every phase ``length_ms`` or its own length."""
    marks, server = [], 0.0
    for phase, instruction in enumerate(asked):
        shown = float(instruction.max_ms) if instruction.colours else length_ms
        start = server + trip_ms - trip_ms  # the page's clock started one trip after the server's
        marks.append(
            Mark(
                revealed_at=server,
                committed_at=server + trip_ms + shown + trip_ms,
                started_ms=start,
                ended_ms=start + shown,
                colour_starts_ms=tuple(start + 400 * i for i in range(len(instruction.colours))),
                frames=tuple(Commitment(digest(phase, n), start + shown * (n + 1) / 5) for n in range(4)),
            )
        )
        server = marks[-1].committed_at
    return marks


def names(asked: tuple[Instruction, ...], marks: list[Mark], **uploaded: list[str]) -> set[str]:
    stills = uploaded.get("stills", [marks[0].frames[0].sha256])
    frames = uploaded.get("frames", [frame.sha256 for mark in marks for frame in mark.frames])
    return {finding.name for finding in findings(asked, marks, stills=stills, frames=frames)}


@given(trip=st.floats(1, 3000), length=st.floats(700, 12_000))
@pytest.mark.parametrize("asked", [ACTIVE, FLASHING])
def test_an_honest_page_is_never_suspected_however_slow_its_line_or_the_person(
    asked: tuple[Instruction, ...], trip: float, length: float
) -> None:
    assert names(asked, answered(asked, trip_ms=trip, length_ms=length)) == set()


def test_nobody_can_answer_before_the_phase_could_be_shown() -> None:
    marks = answered(ACTIVE)
    marks[2] = replace(marks[2], committed_at=marks[2].revealed_at + 300)
    assert "timing_too_fast" in names(ACTIVE, marks)


def test_a_phase_that_the_page_cut_short_is_told() -> None:
    marks = answered(ACTIVE)
    marks[1] = replace(marks[1], ended_ms=marks[1].started_ms + 200)
    assert "phase_cut_short" in names(ACTIVE, marks)


def test_frames_recorded_before_the_prompt_was_revealed_are_found_out() -> None:
    """A page that claims to have started a phase before the server revealed it has another clock than ours."""
    marks = answered(ACTIVE)
    early = marks[3].started_ms - 2000
    marks[3] = replace(marks[3], started_ms=early, ended_ms=marks[3].ended_ms)
    assert "clock_contradiction" in names(ACTIVE, marks)


def test_frames_outside_of_their_phase_are_told() -> None:
    marks = answered(ACTIVE)
    marks[1] = replace(marks[1], frames=(*marks[1].frames, Commitment(digest(9, 9), marks[1].ended_ms + 900)))
    assert "frame_outside_phase" in names(ACTIVE, marks)


def test_frames_and_stills_that_were_not_committed_are_told() -> None:
    marks = answered(ACTIVE)
    everything = [frame.sha256 for mark in marks for frame in mark.frames]
    assert names(ACTIVE, marks, frames=[*everything, digest(7, 7)]) == {"frames_not_committed"}
    assert names(ACTIVE, marks, stills=[digest(7, 7)]) == {"stills_not_committed"}
    later = marks[1].frames[0].sha256
    assert names(ACTIVE, marks, stills=[later]) == {"stills_not_committed"}, "stills belong to the first phase"


def test_a_page_that_uploads_few_of_its_frames_is_told_and_not_accused() -> None:
    marks = answered(ACTIVE)
    found = findings(ACTIVE, marks, stills=[marks[0].frames[0].sha256], frames=[marks[1].frames[0].sha256])
    assert [(finding.name, finding.grade < 0.5) for finding in found] == [("frames_withheld", True)]


def test_colours_that_were_flicked_through_are_told() -> None:
    marks = answered(FLASHING)
    start = marks[1].started_ms
    marks[1] = replace(marks[1], colour_starts_ms=(start, start + 100))
    assert names(FLASHING, marks) == {"colours_mistimed"}


def test_colours_without_notes_are_placed_by_the_plan() -> None:
    marks = answered(FLASHING)
    silent = replace(marks[1], colour_starts_ms=())
    assert colour_starts(FLASHING[1], silent) == marks[1].colour_starts_ms
    marks[1] = silent
    assert names(FLASHING, marks) == {"colours_not_noted"}


@pytest.mark.parametrize("instruction", [*ACTIVE[:2], FLASHING[1]])
def test_a_phase_may_take_its_length_and_the_grace_and_no_more(instruction: Instruction) -> None:
    longest = 12_000 if instruction.kind != "colours" else instruction.max_ms
    assert not too_late(instruction, 1000.0, 1000.0 + longest + GRACE_MS)
    assert too_late(instruction, 1000.0, 1000.0 + longest + GRACE_MS + 1)


def test_each_uploaded_frame_has_the_place_of_its_first_commitment() -> None:
    marks = answered(ACTIVE)
    repeated = Commitment(marks[1].frames[0].sha256, marks[2].ended_ms)
    marks[2] = replace(marks[2], frames=(repeated,))
    found = places(marks, [repeated.sha256, digest(8, 8)])
    assert found == [Place(1, marks[1].frames[0].recorded_ms), None]


@pytest.mark.parametrize("asked", [ACTIVE, FLASHING])
def test_instructions_and_marks_survive_being_stored(asked: tuple[Instruction, ...]) -> None:
    assert tuple(Instruction.from_json(instruction.to_json()) for instruction in asked) == asked
    marks = answered(asked)
    assert [Mark.from_json(mark.to_json()) for mark in marks] == marks

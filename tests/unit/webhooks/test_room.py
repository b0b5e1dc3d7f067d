"""How a worker shares its slots between destinations (W9)."""

from __future__ import annotations

from ipse.webhooks.queue import Room, _Due, _fair


def due(destination_id: str, *, rank: int = 1, failing: bool = False) -> _Due:
    return _Due(f"{destination_id}-{rank}", destination_id, rank, failing)


ROOM = Room(free=8, busy={}, failing=0, per_destination=6, per_failing_destination=1, all_failing=2)


def test_a_failing_destination_gets_its_corner_and_the_others_the_rest() -> None:
    waiting = [due("dead", rank=rank, failing=True) for rank in (1, 2, 3)] + [due("a"), due("b")]
    assert [one.delivery_id for one in _fair(waiting, ROOM)] == ["dead-1", "a-1", "b-1"]


def test_all_failing_destinations_together_have_a_limit() -> None:
    waiting = [due(f"dead{number}", failing=True) for number in range(5)]
    assert len(_fair(waiting, ROOM)) == 2


def test_what_was_taken_counts_at_the_next_look() -> None:
    taken = [due("a"), due("dead", failing=True)]
    left = ROOM.after(taken)
    assert (left.free, left.busy, left.failing) == (6, {"a": 1, "dead": 1}, 1)
    assert _fair([due("dead", rank=1, failing=True)], left) == []


def test_no_more_is_taken_than_there_is_room_for() -> None:
    assert len(_fair([due(f"d{number}") for number in range(20)], ROOM)) == 8

"""The session machine moves only along its table."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.decision.statuses import (
    DECIDED,
    FINAL,
    REVIEWABLE,
    TRANSITIONS,
    UNFINISHED,
    Cause,
    FeatureStatus,
    IllegalTransition,
    SessionStatus,
    can_move,
    move,
)

EXITS: dict[str, set[str]] = {
    "Not Started": {"In Progress", "Expired"},
    "In Progress": {"Approved", "Declined", "In Review", "Awaiting User", "Abandoned"},
    "Awaiting User": {"Approved", "Declined", "In Review"},
    "In Review": {"Approved", "Declined", "Resubmitted"},
    "Approved": {"Declined", "Resubmitted", "Kyc Expired"},
    "Declined": {"Approved", "Resubmitted"},
    "Resubmitted": {"Approved", "Declined", "In Review"},
    "Expired": set(),
    "Abandoned": {"Approved", "Declined", "Resubmitted"},
    "Kyc Expired": {"Approved", "Declined", "Resubmitted"},
}
"""The contract's table, written down a second time (contract 10 section 4)."""


def test_the_ten_statuses_are_spelled_as_on_the_wire() -> None:
    assert {status.value for status in SessionStatus} == set(EXITS)
    assert {status.value for status in FeatureStatus} == {
        "Not Finished",
        "Approved",
        "Declined",
        "In Review",
        "Resub Requested",
        "Expired",
    }


def test_the_table_has_exactly_the_exits_of_the_contract() -> None:
    table: dict[str, set[str]] = {status.value: set() for status in SessionStatus}
    for current, target in TRANSITIONS:
        table[current.value].add(target.value)
    assert table == EXITS


def test_no_status_moves_to_itself_and_every_move_has_a_cause() -> None:
    for (current, target), causes in TRANSITIONS.items():
        assert current is not target
        assert causes


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("target", SessionStatus)
@pytest.mark.parametrize("current", SessionStatus)
def test_move_obeys_the_table(current: SessionStatus, target: SessionStatus, cause: Cause) -> None:
    if cause in TRANSITIONS.get((current, target), frozenset()):
        assert can_move(current, target, cause)
        assert move(current, target, cause) is target
    else:
        assert not can_move(current, target, cause)
        with pytest.raises(IllegalTransition) as caught:
            move(current, target, cause)
        assert (caught.value.current, caught.value.target, caught.value.cause) == (current, target, cause)
        assert current.value in str(caught.value)


def test_only_an_evaluation_or_a_reviewer_decides_and_the_person_only_against_the_action() -> None:
    for (_, target), causes in TRANSITIONS.items():
        if target in DECIDED:
            reporting = {Cause.REPORTED} if target is SessionStatus.DECLINED else set()
            assert causes <= {Cause.EVALUATED, Cause.REVIEWER} | reporting
        if target is SessionStatus.RESUBMITTED:
            assert causes == {Cause.RESUBMISSION}


def test_a_person_can_report_an_action_until_the_session_is_decided_and_not_after() -> None:
    reportable = {status for status in SessionStatus if can_move(status, SessionStatus.DECLINED, Cause.REPORTED)}
    assert reportable == UNFINISHED - {SessionStatus.NOT_STARTED}


def test_sets_of_statuses_agree_with_the_table() -> None:
    assert UNFINISHED.isdisjoint(FINAL)
    assert UNFINISHED | FINAL | {SessionStatus.IN_REVIEW} == set(SessionStatus)
    for status in SessionStatus:
        overruled = any(can_move(status, target, Cause.REVIEWER) for target in SessionStatus)
        assert overruled == (status in REVIEWABLE)


@given(st.lists(st.tuples(st.sampled_from(SessionStatus), st.sampled_from(Cause)), max_size=60))
def test_no_sequence_of_events_reaches_an_illegal_status(events: list[tuple[SessionStatus, Cause]]) -> None:
    status = SessionStatus.NOT_STARTED
    visited = [status]
    for target, cause in events:
        try:
            status = move(status, target, cause)
        except IllegalTransition:
            continue
        visited.append(status)
    for earlier, later in pairwise(visited):
        assert later.value in EXITS[earlier.value]
    if SessionStatus.EXPIRED in visited:
        assert visited[-1] is SessionStatus.EXPIRED
        assert len(visited) == 2

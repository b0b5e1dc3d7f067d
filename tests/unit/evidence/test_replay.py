"""Replay: the same bytes from the same input, and every change shown where it is."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipse.checks.screening import FaceHit
from ipse.evidence import record
from ipse.evidence.errors import InvalidRecord, NothingRecorded
from ipse.evidence.observed import Face, Observed, Terms, decode, encode, plain, without_identifiers
from ipse.evidence.record import Record, by_hand, canonical, read, seal, stored_in
from ipse.evidence.replaying import Replayed, compare_under, differences, graph_of, replay, run_again
from ipse.security.lookup import LookupKey
from tests.services.evidence import GRAPH, SESSION, observed, record_of, recorded, standing_of
from tests.unit.checks import locations, selfies

NO_FACE = Face.of(selfies.NO_FACE)
LIVENESS, MATCH = "feature_liveness", "feature_face_match"


def replayed(*requests: Observed, **standing: Any) -> Replayed:
    stored, _, shown = recorded(*requests)
    return replay(read(stored), graph_of(GRAPH), standing_of(shown, **standing))


def under(graph: Any, *requests: Observed) -> Replayed:
    kept = record_of(*requests)
    return compare_under(kept, graph_of(graph), run_again(kept, graph_of(GRAPH)).outcome)


def with_config(node: str, **config: Any) -> dict[str, Any]:
    graph = deepcopy(dict(GRAPH))
    graph["nodes"][node]["config"] |= config
    return graph


def tampered(kept: bytes, change: Any) -> Record:
    raw = json.loads(kept)
    change(raw)
    return read(canonical(raw))


@settings(max_examples=40, deadline=None)
@given(
    score=st.none() | st.floats(0, 100),
    live=st.floats(0, 100),
    age=st.none() | st.floats(1, 90),
    amount=st.floats(allow_nan=False, allow_infinity=False),
    by_scenario=st.booleans(),
    hits=st.lists(st.floats(0, 100), max_size=3),
)
def test_a_replayed_decision_is_the_same_byte_for_byte(
    score: float | None, live: float, age: float | None, amount: float, by_scenario: bool, hits: list[float]
) -> None:
    """Whatever was measured: stored, read back and decided again it gives the bytes that were recorded."""
    face = replace(observed().face or NO_FACE, age=age, liveness=replace(selfies.LIVE, score=live))
    found = replayed(
        observed(
            score=score,
            face=face,
            context={**observed().context, "metadata": {"amount": amount}},
            terms=Terms(by_scenario=by_scenario),
            hits=tuple(FaceHit(str(n), one, "s", status="Approved") for n, one in enumerate(hits)),
        )
    )
    assert found.is_same, found.differences
    assert found.rerun.sha256 == found.recorded_sha256


def test_tries_are_replayed_in_their_order() -> None:
    """No face, then a stranger whose mismatch reopens the capture, then the person."""
    found = replayed(observed(face=NO_FACE, probe_model=None, score=None), observed(score=2.0), observed())
    assert found.is_same
    steps = {step["report"]["node_id"]: step["attempt"] for step in found.rerun.outcome["steps"]}
    assert steps == {LIVENESS: 3, MATCH: 2}
    assert found.rerun.outcome["status"] == "Approved"


def test_what_was_observed_survives_storage() -> None:
    full = observed(
        history=locations.history(recovery=locations.recovery(), matches=({"user": "v", "n": [1, None]},)),
        hits=(FaceHit("f", 99.5, "session"),),
    )
    assert decode(encode(full)) == full
    assert decode(json.loads(canonical(encode(full)))) == full


def test_reloading_the_page_makes_no_record_longer() -> None:
    waiting = observed(captured_at=None, face=None, probe_model=None, media_id=None)
    once = recorded(waiting, observed())[0]
    often = recorded(*[waiting] * 9, observed())[0]
    assert len(read(often).passes) == len(read(once).passes) == 1


def test_a_record_holds_no_embedding_no_picture_and_no_device_identifier() -> None:
    device = replace(locations.device(), persistent_id="p" * 20, components={"canvas": "c" * 9}, details={"x": 1})
    stored = recorded(observed(device=without_identifiers(device)))[0].decode()
    assert "p" * 20 not in stored
    assert "c" * 9 not in stored
    assert '"image"' not in stored
    assert "vector" not in stored


def test_another_threshold_decides_otherwise_and_says_where() -> None:
    found = under(with_config(MATCH, face_match_score_decline_threshold=99, face_match_max_attempts=1), observed())
    assert not found.is_same
    assert found.differences[0].place == "status"
    assert (found.differences[0].recorded, found.differences[0].replayed) == ("Approved", "Declined")
    assert any(one.place == f"steps.{MATCH}.report.status" for one in found.differences)


def test_a_workflow_that_searches_approves_nobody_who_was_not_searched() -> None:
    """What a search would have found is not known, so its absence is no approval."""
    quiet = with_config(LIVENESS, face_search_enabled=False)
    kept = read(recorded(observed(searched=False), graph=quiet)[0])
    decided = run_again(kept, graph_of(quiet)).outcome
    assert decided["status"] == "Approved"
    assert compare_under(kept, graph_of(GRAPH), decided).rerun.outcome["status"] == "In Review"


def test_a_workflow_that_decides_earlier_uses_no_later_try() -> None:
    impatient = with_config(LIVENESS, face_liveness_max_attempts=1)
    impatient["nodes"][MATCH]["config"]["face_match_max_attempts"] = 1
    found = under(impatient, observed(face=NO_FACE, probe_model=None, score=None), observed())
    assert found.rerun.unused == 1
    assert found.rerun.outcome["status"] == "Declined"


def test_a_workflow_that_wants_more_than_was_shown_stays_undecided() -> None:
    patient = with_config(MATCH, face_match_score_decline_threshold=99, face_match_max_attempts=3)
    found = under(patient, observed())
    assert found.rerun.outcome["status"] is None
    assert found.rerun.outcome["awaits"] == LIVENESS


@pytest.mark.parametrize(
    ("field", "value"),
    [("score", 3), ("media_id", "other"), ("at", "2036-11-20T10:00:00.000000Z"), ("captured_at", None)],
)
def test_a_changed_input_is_shown(field: str, value: Any) -> None:
    stored, _, shown = recorded(observed())
    kept = tampered(stored, lambda raw: raw["passes"][0]["observed"].update({field: value}))
    assert not replay(kept, graph_of(GRAPH), standing_of(shown)).is_same


def test_a_changed_report_trace_or_status_is_shown() -> None:
    _, _, shown = recorded(observed())
    match = next(step for step in shown["steps"] if step["report"]["node_id"] == MATCH)
    better = {**match, "report": {**match["report"], "score": 99}}
    steps = {**standing_of(shown).steps, MATCH: better}
    assert [one.place for one in replayed(observed(), steps=steps).differences] == [f"steps.{MATCH}.report.score"]
    assert [one.place for one in replayed(observed(), status="Declined").differences] == ["status"]
    assert replayed(observed(), trace=shown["trace"][:-1]).differences
    assert replayed(observed(), steps={}).differences


def test_what_people_did_by_hand_is_told_and_not_taken_for_a_difference() -> None:
    _, _, shown = recorded(observed())
    base = standing_of(shown)
    move = {"activity_type": "STATUS_UPDATED", "actor_type": "API_KEY", "previous_status": "Approved", "changes": {}}
    overruled = replayed(observed(), status="Declined", reviews=[*base.reviews, {**move, "new_status": "Declined"}])
    assert overruled.is_same
    assert overruled.by_hand == ("API_KEY changed the session from Approved to Declined.",)
    correction = {
        **move,
        "activity_type": "KYC_DATA_UPDATED",
        "new_status": None,
        "changes": {"field": f"{MATCH}.status", "previous": "Approved", "current": "In Review"},
    }
    match = base.steps[MATCH]
    steps = {**base.steps, MATCH: {**match, "report": {**match["report"], "status": "In Review"}}}
    corrected = replayed(observed(), steps=steps, reviews=[*base.reviews, correction])
    assert corrected.is_same
    assert "In Review" in corrected.by_hand[0]
    without = {LIVENESS: base.steps[LIVENESS]}
    assert replayed(observed(), steps=without, reopened=(MATCH,)).is_same
    reported = {
        **match,
        "report": {**match["report"], "warnings": [{"risk": "REPORTED_BY_PERSON"}], "status": "Declined"},
    }
    assert replayed(observed(), steps={**base.steps, MATCH: reported}, left="not_me").is_same


def test_changes_by_hand_between_two_requests_are_part_of_the_record() -> None:
    stored, steps, _ = recorded(observed(face=NO_FACE, probe_model=None, score=None))
    assert by_hand(stored, steps) == ()
    report = replace(steps[LIVENESS].report, score=1.0)
    changed = by_hand(stored, {LIVENESS: replace(steps[LIVENESS], report=report)})
    assert [one.node_id for one in changed] == [LIVENESS]
    gone = by_hand(stored, {})
    assert gone[0].report is None
    again = record_of(observed(face=NO_FACE, probe_model=None, score=None), observed(by_hand=(*changed, *gone)))
    assert len(run_again(again, graph_of(GRAPH)).digests) == 2


def test_the_record_of_one_session_does_not_open_for_another() -> None:
    lookup = LookupKey.create()
    stored = recorded(observed())[0]
    evidence = {record.KEY: seal(lookup, SESSION, stored)}
    assert stored_in(lookup, SESSION, evidence) == stored
    assert stored_in(lookup, SESSION, {}) is None
    with pytest.raises(InvalidRecord, match="another session"):
        stored_in(lookup, "other", evidence)
    with pytest.raises(InvalidRecord):
        stored_in(LookupKey.create(), SESSION, evidence)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.update(schema=2),
        lambda raw: raw.pop("session_id"),
        lambda raw: raw["passes"][0].pop("made"),
        lambda raw: raw["passes"][0]["observed"].update(unknown=1),
        lambda raw: raw["passes"][0]["observed"].update(at=1),
        lambda raw: raw["passes"][0]["observed"].update(score="88"),
        lambda raw: raw["passes"][0]["observed"]["face"].update(entities="none"),
        lambda raw: raw["passes"][0]["observed"]["face"]["entities"][0].update(bbox=[1, 2]),
        lambda raw: raw["passes"][0]["observed"]["face"]["liveness"].update(engine="another"),
        lambda raw: raw["passes"][0]["observed"].update(network=[]),
        lambda raw: raw["passes"][0]["observed"].update(signals=[]),
        lambda raw: raw["passes"][0]["observed"].pop("terms"),
    ],
)
def test_a_record_of_another_shape_is_refused(change: Any) -> None:
    with pytest.raises(InvalidRecord):
        tampered(recorded(observed())[0], change)


def test_an_empty_record_decides_nothing() -> None:
    with pytest.raises(NothingRecorded):
        tampered(recorded(observed())[0], lambda raw: raw["passes"].clear())
    with pytest.raises(InvalidRecord):
        read(b"{}")


def test_values_that_no_store_keeps_alike_are_spelled_alike() -> None:
    assert plain([1.0, -0.0, 1e20, 0.5, True, None]) == [1, 0, 10**20, 0.5, True, None]
    with pytest.raises(ValueError, match="no number"):
        plain(float("nan"))
    with pytest.raises(TypeError):
        plain(object())


def test_the_drawn_variant_and_the_signals_of_the_moment_are_replayed() -> None:
    """An A/B split over a branch on a signal: another subject or another signal is another walk, and is shown."""
    graph: dict[str, Any] = {
        "start_node": "split",
        "nodes": {
            "split": {
                "node_type": "ab_split",
                "label": None,
                "variants": [
                    {"id": "a", "label": "A", "weight": 1, "goto": "place"},
                    {"id": "b", "label": "B", "weight": 1, "goto": "place"},
                ],
            },
            "place": {
                "node_type": "branch",
                "label": None,
                "branches": [
                    {
                        "id": "home",
                        "label": "home",
                        "logic": "AND",
                        "rules": [{"field": "signals.ip.country", "operator": "equals", "value": "ES"}],
                        "goto": "yes",
                    },
                    {"id": "else", "label": "else", "logic": "AND", "rules": [], "goto": "no"},
                ],
            },
            "yes": {"node_type": "status", "label": None, "session_status": "Approved"},
            "no": {"node_type": "status", "label": None, "session_status": "Declined"},
        },
    }
    stored, _, shown = recorded(observed(), graph=graph)
    found = replay(read(stored), graph_of(graph), standing_of(shown))
    assert found.is_same, found.differences
    assert shown["status"] == "Approved"
    assert shown["experiments"].keys() == {"split"}
    abroad = tampered(stored, lambda raw: raw["passes"][0]["observed"].update(signals={"ip.country": "FR"}))
    places = [one.place for one in replay(abroad, graph_of(graph), standing_of(shown)).differences]
    assert "status" in places
    drawn = {
        run_again(
            read(
                recorded(observed(context={**observed().context, "session": {"vendor_data": f"u{n}"}}), graph=graph)[0]
            ),
            graph_of(graph),
        ).outcome["experiments"]["split"]
        for n in range(16)
    }
    assert drawn == {"a", "b"}


def test_differences_name_the_place() -> None:
    one = {"warnings": [{"risk": "A", "x": 1}, {"risk": "B"}], "list": [1], "same": 0}
    other = {"warnings": [{"risk": "A", "x": 2}], "list": [2], "same": 0.0}
    assert [found.place for found in differences("r", one, other)] == ["r.list", "r.warnings[A].x", "r.warnings[B]"]

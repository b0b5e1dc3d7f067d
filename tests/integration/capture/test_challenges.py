"""The life of a challenge over the API: revealed phase by phase, bound to one attempt, used once, never for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from tests.services.challenges import Page, Phase
from tests.services.pictures import flat_jpeg

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

NODE = "feature_liveness"
STILL = flat_jpeg()
Open = Callable[..., Awaitable[Page]]


def film(phase: Phase, start_ms: float) -> Sequence[tuple[float, bytes]]:
    """Frames that differ; nobody looks at them where a scenario answers."""
    kind = phase["kind"] + str(phase.get("direction", ""))
    return [(start_ms + 100.0 * n, STILL + f"{kind}{start_ms}{n}".encode()) for n in range(1, 5)]


@pytest.fixture
async def opened(client: AsyncClient, clock: ManualClock) -> Open:
    async def open_session(method: str = "ACTIVE_3D", **config: Any) -> Page:
        features = [{"feature": "LIVENESS", "config": {"face_liveness_method": method, **config}}]
        workflow = (await client.post("/v3/workflows/", json={"features": features})).json()
        created = await client.post("/v3/session/", json={"workflow_id": workflow["workflow_id"]})
        assert created.status_code == 201, created.text
        page = Page(client, clock, created.json()["session_token"], [STILL])
        await page.start()
        return page

    return open_session


@pytest.mark.parametrize(("method", "phases"), [("ACTIVE_3D", 4), ("FLASHING", 2)])
async def test_a_challenge_answered_phase_by_phase_finishes_the_session(opened: Open, method: str, phases: int) -> None:
    page = await opened(method)
    view = (await page.ask(NODE, method)).json()
    assert (view["method"], view["phases"], view["index"], view["phase"]["kind"]) == (method, phases, 0, "hold")
    done = await page.answer(view, film)
    assert (done["index"], done["phase"]) == (phases, None)
    final = (await page.submit(NODE, view["challenge"])).json()
    assert (final["outcome"], final["status"]) == ("finished", "Approved")


async def test_the_next_phase_is_told_only_after_the_one_before_was_committed(opened: Open) -> None:
    page = await opened()
    asked = await page.ask(NODE, "ACTIVE_3D")
    assert "turn" not in asked.text
    ahead = await page.commit(asked.json()["challenge"], 1)
    assert ahead.status_code == 409
    assert ahead.json()["index"] == 0
    second = (await page.show(asked.json(), film)).json()
    assert second["index"] == 1
    assert second["phase"]["kind"] == "turn"


async def test_repeating_a_commitment_repeats_the_answer_and_other_frames_are_refused(opened: Open) -> None:
    page = await opened()
    view = (await page.ask(NODE, "ACTIVE_3D")).json()
    page.clock.advance(timedelta(seconds=1))
    first = await page.commit(view["challenge"], 0)
    page.clock.advance(timedelta(seconds=1))
    again = await page.commit(view["challenge"], 0)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    other = await page.commit(view["challenge"], 0, ended_ms=500)
    assert other.status_code == 409


async def test_a_challenge_works_once(opened: Open) -> None:
    page = await opened(sandbox_free=True)
    view = (await page.ask(NODE, "ACTIVE_3D")).json()
    await page.answer(view, film)
    first = await page.submit(NODE, view["challenge"], key="k1")
    assert first.status_code == 200
    repeated = await page.submit(NODE, view["challenge"], key="k1")
    assert repeated.json() == first.json(), "the same submission has the same answer"
    assert (await page.commit(view["challenge"], 3)).status_code == 409, "the session is finished"


async def test_a_new_challenge_ends_the_one_before(opened: Open) -> None:
    page = await opened()
    first = (await page.ask(NODE, "ACTIVE_3D")).json()
    second = (await page.ask(NODE, "FLASHING")).json()
    gone = await page.commit(first["challenge"], 0)
    assert gone.status_code == 410
    assert "no attempt was lost" in gone.json()["detail"]
    assert (await page.commit(second["challenge"], 0)).status_code == 200


async def test_an_expired_challenge_costs_no_attempt(opened: Open) -> None:
    page = await opened()
    view = (await page.ask(NODE, "FLASHING")).json()
    page.clock.advance(timedelta(seconds=120))
    assert (await page.commit(view["challenge"], 0)).status_code == 410
    assert (await page.start())["step"]["attempt"] == 1


async def test_a_slow_line_may_bring_the_committed_frames_later_but_not_for_ever(opened: Open) -> None:
    page = await opened()
    view = (await page.ask(NODE, "FLASHING")).json()
    await page.answer(view, film)
    page.clock.advance(timedelta(seconds=119))
    assert (await page.submit(NODE, view["challenge"])).status_code == 200
    late = await opened()
    view = (await late.ask(NODE, "FLASHING")).json()
    await late.answer(view, film)
    late.clock.advance(timedelta(seconds=121))
    assert (await late.submit(NODE, view["challenge"])).status_code == 410
    assert (await late.start())["step"]["attempt"] == 1


async def test_a_phase_that_took_too_long_ends_the_challenge(opened: Open) -> None:
    page = await opened()
    view = (await page.ask(NODE, "ACTIVE_3D")).json()
    page.clock.advance(timedelta(milliseconds=17_001))
    assert (await page.commit(view["challenge"], 0)).status_code == 410


async def test_a_person_who_needs_twelve_seconds_for_a_movement_has_them(opened: Open) -> None:
    page = await opened()
    view = (await page.show((await page.ask(NODE, "ACTIVE_3D")).json(), film)).json()
    page.clock.advance(timedelta(seconds=12))
    assert (await page.commit(view["challenge"], 1, ended_ms=page.now_ms + 12_000)).status_code == 200


async def test_challenges_of_an_attempt_are_few_once_they_reveal_something(opened: Open) -> None:
    page = await opened()
    for _ in range(3):
        assert (await page.ask(NODE, "ACTIVE_3D")).status_code == 200, "nothing was revealed, nothing is lost"
    for _ in range(5):
        view = (await page.ask(NODE, "ACTIVE_3D")).json()
        assert (await page.show(view, film)).status_code == 200
    assert (await page.ask(NODE, "ACTIVE_3D")).status_code == 429
    assert (await page.ask(NODE, "FLASHING")).status_code == 429, "every method counts"


async def test_the_challenge_of_another_session_does_not_exist(opened: Open) -> None:
    one, other = await opened(), await opened()
    view = (await one.ask(NODE, "FLASHING")).json()
    await one.answer(view, film)
    assert (await other.commit(view["challenge"], 0)).status_code == 404
    assert (await other.submit(NODE, view["challenge"], challenge_frames=one.frames)).status_code == 404
    assert (await other.commit("no-such-id", 0)).status_code == 404


async def test_an_unfinished_challenge_cannot_be_submitted(opened: Open) -> None:
    page = await opened()
    view = (await page.ask(NODE, "FLASHING")).json()
    await page.show(view, film)
    response = await page.submit(NODE, view["challenge"])
    assert response.status_code == 409


async def test_a_method_that_needs_a_challenge_is_refused_without_one_and_says_what_to_do(opened: Open) -> None:
    page = await opened("ACTIVE_3D")
    for form in ({}, {"method": "ACTIVE_3D"}, {"method": "FLASHING"}):
        response = await page.submit(NODE, None, **form)
        assert response.status_code == 400
        assert "/challenge/" in response.json()["challenge"]
    assert (await page.start())["step"]["attempt"] == 1


async def test_no_method_is_ever_weakened_to_passive(opened: Open) -> None:
    page = await opened("FLASHING")
    step = (await page.start())["step"]
    assert (step["method"], step["methods"]) == ("FLASHING", ["FLASHING", "ACTIVE_3D"])
    response = await page.submit(NODE, None, method="PASSIVE")
    assert response.status_code == 400
    assert "PASSIVE is not accepted" in response.json()["method"]


@pytest.mark.parametrize(
    ("own", "other"), [("PASSIVE", "ACTIVE_3D"), ("PASSIVE", "FLASHING"), ("FLASHING", "ACTIVE_3D")]
)
async def test_another_challenge_may_take_the_place_of_the_method(opened: Open, own: str, other: str) -> None:
    page = await opened(own)
    view = (await page.ask(NODE, other)).json()
    await page.answer(view, film)
    assert (await page.submit(NODE, view["challenge"])).json()["status"] == "Approved"


async def test_the_challenge_must_be_one_of_the_method_that_is_named(opened: Open) -> None:
    page = await opened("ACTIVE_3D")
    view = (await page.ask(NODE, "FLASHING")).json()
    await page.answer(view, film)
    assert (await page.submit(NODE, view["challenge"], method="ACTIVE_3D")).status_code == 400


async def test_frames_of_the_challenge_are_required_limited_and_small(opened: Open) -> None:
    page = await opened("FLASHING")
    view = (await page.ask(NODE, "FLASHING")).json()
    await page.answer(view, film)
    for frames in ([], [STILL] * 65, [STILL + b"\x00" * 200_000]):
        response = await page.submit(NODE, view["challenge"], challenge_frames=frames)
        assert response.status_code == 400
        assert "challenge_frames" in response.json()


@pytest.mark.parametrize("text", ["{", "[]", '{"camera": 3}', '{"frame_times_ms": ["soon"]}', '{"webdriver": NaN}'])
async def test_observations_that_cannot_be_read_are_refused(opened: Open, text: str) -> None:
    page = await opened("PASSIVE")
    assert (await page.submit(NODE, None, observations=text)).status_code == 400


async def test_no_challenge_is_made_for_another_step_or_a_finished_session(opened: Open) -> None:
    page = await opened("PASSIVE")
    assert (await page.ask("feature_nowhere", "ACTIVE_3D")).status_code == 409
    assert (await page.submit(NODE, None)).json()["status"] == "Approved"
    assert (await page.ask(NODE, "ACTIVE_3D")).status_code == 409


async def test_sequences_differ_from_challenge_to_challenge(opened: Open) -> None:
    drawn = set()
    for _ in range(4):
        page = await opened("FLASHING")
        view = (await page.show((await page.ask(NODE, "FLASHING")).json(), film)).json()
        drawn.add(str(view["phase"]["colours"]))
    assert len(drawn) == 4

"""Lock-out of the face over HTTP: what counts, who is refused, who is not, and how it is lifted."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, func, select

from ipse.clock import ManualClock
from ipse.intelligence.facts import DeviceFacts
from ipse.lockout import service as lockout
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.settings import Settings
from ipse.storage.tables import AttemptRow, AuditEntryRow, EventRow, LockRow
from tests.services.command import environment_for
from tests.services.pictures import flat_jpeg

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

FRAME = flat_jpeg()
PORTRAIT = base64.b64encode(FRAME).decode()
OWN_PHONE = "p" * 32
WRONG_FACE = "decline_face_match_low_similarity"
ATTACK = "decline_liveness_attack"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Small limits, so that few calls reach them; the real numbers are those of tests/unit/decision."""
    limits = {
        "lockout_failures_per_5_minutes": 2,
        "lockout_failures_in_a_row": 3,
        "lockout_stop_after": 5,
        "lockout_address_failures_per_5_minutes": 3,
    }
    return settings.model_copy(update={**limits, "lockout_of_scenarios": True, "trusted_proxies": ("127.0.0.1/32",)})


class Person:
    """Somebody who opens links of ``vendor_data`` from one device and address."""

    def __init__(
        self, client: AsyncClient, vendor_data: str, *, device: str | None = None, ip: str = "203.0.113.7"
    ) -> None:
        self.client, self.vendor_data = client, vendor_data
        self.headers = {"X-Forwarded-For": ip, **({"X-Didit-PID": device} if device else {})}

    async def link(self, scenario: str = WRONG_FACE, **body: Any) -> str:
        wish = {"workflow_id": "wf_ato_step_up", "portrait_image": PORTRAIT, "sandbox_scenario": scenario, **body}
        created = await self.client.post("/v3/session/", json={"vendor_data": self.vendor_data, **wish})
        assert created.status_code == 201, created.text
        return str(created.json()["session_token"])

    async def post(self, token: str, path: str, **body: Any) -> Response:
        return await self.client.post(path, headers={"Session-Token": token, **self.headers}, **body)

    async def attempt(self, scenario: str = WRONG_FACE, **body: Any) -> Response:
        """Open a link and show a face; the answer of the last call that was made."""
        token = await self.link(scenario, **body)
        started = await self.post(token, "/v1/capture/start/")
        if started.status_code != 200:
            return started
        node = started.json()["step"]["node_id"]
        return await self.post(
            token,
            f"/v1/capture/steps/{node}/",
            data={"submission_key": uuid.uuid4().hex},
            files=[("frames", ("1.jpg", FRAME, "image/jpeg"))],
        )


async def fail(person: Person, times: int, clock: ManualClock, pause: timedelta = timedelta(minutes=30)) -> None:
    for _ in range(times):
        answer = await person.attempt()
        assert answer.json().get("status") == "Declined", answer.text
        clock.advance(pause)


async def rows(services: Services, table: type[Any]) -> int:
    async with services.database.reading() as tx:
        return (await tx.execute(select(func.count()).select_from(table))).scalar_one()


async def test_after_too_many_refused_faces_in_five_minutes_the_person_waits_and_is_told_how_long(
    client: AsyncClient, clock: ManualClock
) -> None:
    person = Person(client, "ada")
    await fail(person, 2, clock, timedelta(seconds=10))
    token = await person.link()
    refused = await person.post(token, "/v1/capture/start/")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == str(5 * 60 - 20)
    assert refused.json() == {
        "detail": "Too many attempts failed. Please wait before you try again.",
        "locked": {"until": "2026-11-20T10:05:00Z", "alternative": None},
    }
    state = await client.get("/v1/capture/session/", headers={"Session-Token": token})
    assert state.json()["status"] == "Not Started", "the session keeps its tries"
    clock.advance(timedelta(seconds=280))
    assert (await person.attempt()).status_code == 200


async def test_a_refusal_offers_the_way_without_biometrics(client: AsyncClient, clock: ManualClock) -> None:
    way = "https://bank.example/branch"
    features = [{"feature": "LIVENESS", "config": {"non_biometric_alternative_url": way}}, {"feature": "FACE_MATCH"}]
    made = await client.post("/v3/workflows/", json={"workflow_label": "With a way out", "features": features})
    assert made.status_code == 201, made.text
    person = Person(client, "ada")
    await fail(person, 2, clock, timedelta(seconds=1))
    token = await person.link(workflow_id=made.json()["uuid"])
    refused = await person.post(token, "/v1/capture/start/")
    assert (refused.status_code, refused.json()["locked"]["alternative"]) == (429, {"url": way})
    left = await person.post(token, "/v1/capture/cancel/", json={"reason": "alternative"})
    assert left.json()["status"] == "Abandoned"


async def test_an_attacker_elsewhere_never_locks_the_persons_own_device_out(
    client: AsyncClient, clock: ManualClock, services: Services
) -> None:
    at_home = Person(client, "ada", device=OWN_PHONE, ip="198.51.100.1")
    assert (await at_home.attempt("approve")).json()["status"] == "Approved"
    await fail(Person(client, "ada", device="a" * 32), 5, clock)
    for elsewhere in (
        Person(client, "ada", device="b" * 32),
        Person(client, "ada", ip="198.51.100.1"),
    ):
        stopped = await elsewhere.attempt("approve")
        assert (stopped.status_code, stopped.json()["locked"]["until"]) == (429, None)
        assert "retry-after" not in stopped.headers
    assert (await at_home.attempt("approve")).json()["status"] == "Approved"
    locks = (await client.get("/v3/users/ada/locks/")).json()
    assert [(lock["is_own_device"], lock["is_stopped"], lock["failures_in_a_row"]) for lock in locks] == [
        (False, True, 5)
    ]
    assert await rows(services, LockRow) == 1


async def test_recognising_the_person_ends_a_run_and_a_full_run_costs_a_wait(
    client: AsyncClient, clock: ManualClock
) -> None:
    person = Person(client, "ada")
    await fail(person, 2, clock)
    assert (await person.attempt("approve")).json()["status"] == "Approved"
    await fail(person, 2, clock)
    assert (await person.attempt()).json()["status"] == "Declined"
    waits = await person.attempt("approve")
    assert (waits.status_code, waits.headers["retry-after"]) == (429, "30")
    clock.advance(timedelta(seconds=30))
    assert (await person.attempt("approve")).json()["status"] == "Approved"


async def test_passing_where_no_face_is_compared_ends_no_run(client: AsyncClient, clock: ManualClock) -> None:
    person = Person(client, "ada")
    await fail(person, 2, clock)
    assert (await person.attempt("approve", workflow_id="wf_enrolment")).json()["status"] == "Approved"
    await fail(person, 1, clock, timedelta())
    assert (await person.attempt()).status_code == 429


async def test_an_address_is_slowed_down_whoever_is_tried_from_it(client: AsyncClient, clock: ManualClock) -> None:
    for n in range(3):
        await fail(Person(client, f"victim-{n}", ip=f"2001:db8:1:2::{n:x}"), 1, clock, timedelta(seconds=1))
    assert (await Person(client, "victim-3", ip="2001:db8:1:2:ffff::1").attempt()).status_code == 429
    assert (await Person(client, "victim-3", ip="2001:db8:1:3::1").attempt()).status_code == 200


async def test_every_lock_is_in_the_audit_log_and_told_to_the_integrator(
    client: AsyncClient, clock: ManualClock, services: Services
) -> None:
    await fail(Person(client, "ada"), 2, clock, timedelta(seconds=1))
    async with services.database.reading() as tx:
        acts = list(await tx.scalars(select(AuditEntryRow.act).where(AuditEntryRow.act == "lock.raised")))
        told = list(await tx.scalars(select(EventRow.webhook_type).where(EventRow.webhook_type == "data.updated")))
    assert (acts, told) == (["lock.raised"], ["data.updated"])


async def test_lifting_lets_the_person_try_again_and_only_the_owner_may_lift(
    client: AsyncClient, make_client: Any, make_application: Any, clock: ManualClock, services: Services
) -> None:
    person = Person(client, "ada/2")
    await fail(person, 2, clock, timedelta(seconds=1))
    assert (await person.attempt()).status_code == 429
    stranger = make_client(await make_application())
    assert (await stranger.post("/v3/users/ada/2/unlock/")).status_code == 404
    assert (await stranger.get("/v3/users/ada/2/locks/")).status_code == 404
    assert (await client.post("/v3/users/nobody/unlock/")).status_code == 404
    lifted = await client.post("/v3/users/ada/2/unlock/")
    assert (lifted.status_code, lifted.json()) == (200, {"forgotten": 3})
    assert (await client.get("/v3/users/ada/2/locks/")).json() == []
    assert (await person.attempt("approve")).json()["status"] == "Approved"
    assert await rows(services, AttemptRow) == 0


async def test_an_operator_sees_and_lifts_a_lock_at_the_command_line(
    client: AsyncClient, clock: ManualClock, settings: Settings
) -> None:
    person = Person(client, "ada")
    await fail(person, 2, clock, timedelta(seconds=1))

    async def ipse(*arguments: str) -> Any:
        command = [sys.executable, "-m", "ipse.cli", "lockout", *arguments, "ada", "--application", "sandbox", "--json"]
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            env=environment_for(settings),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    (shown,) = await ipse("show")
    assert (shown["is_own_device"], shown["failures_in_a_row"]) == (False, 2)
    assert (await ipse("lift"))["forgotten"] == 3
    assert (await person.attempt("approve")).json()["status"] == "Approved"


async def test_attempts_are_forgotten_after_a_day_and_with_the_person(
    client: AsyncClient, application: RegisteredApplication, clock: ManualClock, services: Services
) -> None:
    await fail(Person(client, "ada"), 2, clock, timedelta(seconds=1))
    await fail(Person(client, "bob"), 1, clock, timedelta(hours=25))
    await fail(Person(client, "bob"), 1, clock, timedelta(seconds=1))
    assert await lockout.forget_old(services) == 3
    assert await rows(services, AttemptRow) == 1
    async with services.database.writing() as tx:
        scope = Scope(tx, application.application, services)
        assert await lockout.forget(scope, vendor_data="bob") == 2
        assert await lockout.forget(scope, vendor_data="ada") == 1
    assert await rows(services, LockRow) == 0


async def test_scenarios_do_not_lock_unless_the_operator_wants_to_see_it(
    application: RegisteredApplication, services: Services
) -> None:
    plain = replace(services, settings=services.settings.model_copy(update={"lockout_of_scenarios": False}))
    async with services.database.reading() as tx:
        scope = Scope(tx, application.application, plain)
        assert await lockout.trial_of(scope, vendor_data="ada", device=DeviceFacts(), ip=None) is None


class Statements:
    """Counts what one call asks of the database."""

    def __init__(self, services: Services) -> None:
        self._engine, self.seen = services.database.engine.sync_engine, 0
        event.listen(self._engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self.seen += 1

    async def of(self, call: Any) -> tuple[Response, int]:
        self.seen = 0
        return await call, self.seen


async def test_unknown_never_enrolled_and_locked_people_get_the_same_answers(
    client: AsyncClient, clock: ManualClock, services: Services
) -> None:
    await fail(Person(client, "locked"), 2, clock, timedelta(seconds=1))
    for name in ("locked", "never-enrolled"):
        assert (await client.post("/v3/users/create/", json={"vendor_data": name})).status_code in {201, 400}
    statements = Statements(services)

    async def answers(name: str) -> Sequence[tuple[int, list[str], int]]:
        session = {"workflow_id": "wf_enrolment", "vendor_data": name}
        action = {"type": "transfer", "amount": "10.00", "currency": "EUR"}
        created, asked = await statements.of(client.post("/v3/session/", json=session))
        token = {"Session-Token": created.json()["session_token"]}
        found = [(created, asked)]
        found.append(
            await statements.of(client.post("/v3/step-up/evaluate/", json={"vendor_data": name, "action": action}))
        )
        found.append(await statements.of(client.get("/v1/capture/session/", headers=token)))
        return [(answer.status_code, sorted(answer.json()), count) for answer, count in found]

    first = await answers("first-of-all")  # whatever is only asked once
    unknown, enrolled_never, locked = [await answers(name) for name in ("unknown", "never-enrolled", "locked")]
    assert enrolled_never == locked, "not one statement more or less: the same work, the same time"
    assert [one[:2] for one in unknown] == [one[:2] for one in locked] == [one[:2] for one in first]
    assert unknown[1:] == locked[1:]

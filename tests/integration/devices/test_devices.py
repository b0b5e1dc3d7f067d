"""What is remembered of devices and places, and what it says about the next visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from ipse.checks.history import History
from ipse.clock import ManualClock
from ipse.devices import service as devices
from ipse.devices.tasks import forget_unseen
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.privacy import erasure
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.sessions import deletion
from ipse.storage.tables import (
    DeviceRow,
    EvaluationRow,
    SightingRow,
)
from ipse.users.service import ensure_user
from tests.integration.devices.visits import COMPONENTS, LAPTOP, MADRID, PHONE, TOKYO, Visits
from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


async def test_a_device_is_known_by_the_id_it_keeps(visits: Visits) -> None:
    _, device_id = await visits.seen("ada")
    again = await visits.past(device=replace(LAPTOP, fingerprint="0" * 64, components={}))
    assert (again.device_id, again.is_known_device, again.recovery) == (device_id, True, None)
    assert (again.sightings, again.user_devices, again.session_devices) == (1, 1, 1)
    assert again.device_first_seen_at is not None
    assert again.is_known_network
    assert again.is_known_country


async def test_a_first_visit_knows_nothing(visits: Visits) -> None:
    first = await visits.past()
    assert first == History(
        is_known_device=False,
        is_trusted_device=False,
        user_devices=1,
        is_known_network=False,
        is_known_country=False,
    )


async def test_an_attempt_that_did_not_end_well_makes_nothing_known(visits: Visits) -> None:
    for status in ("Declined", "In Progress", "Abandoned", "In Review"):
        await visits.seen("ada", status=status)
    past = await visits.past()
    assert past.sightings == 4
    assert (past.is_known_device, past.is_known_network, past.is_known_country) == (False, False, False)
    assert past.last_place is None


@pytest.mark.parametrize(("answer", "known"), [("allow", True), ("step_up", False), ("deny", False)])
async def test_an_allowed_evaluation_makes_a_device_known(visits: Visits, answer: str, known: bool) -> None:
    scope = visits.scope
    await ensure_user(scope, "ada")
    evaluation = EvaluationRow(
        id=scope.services.identifiers.uuid(),
        application_id=scope.application_id,
        evaluated_at=scope.services.clock.now(),
        vendor_data="ada",
        action_type="login",
        action_hash="0" * 64,
        facts={},
        answer=answer,
        reasons=[],
    )
    scope.tx.add(evaluation)
    await devices.remember(scope, vendor_data="ada", device=LAPTOP, network=MADRID, evaluation_id=evaluation.id)
    assert (await visits.past()).is_known_device is known
    session = await visits.session("ada", "In Progress", evaluation_id=evaluation.id)
    own = await visits.past(session_id=session.id)
    assert (own.is_known_device, own.sightings) == (False, 0), "the evaluation that asked for the session is no past"


async def test_history_is_the_same_before_and_after_the_visit_is_remembered(visits: Visits) -> None:
    await visits.seen("ada")
    await visits.seen("eve", PHONE)
    fresh = replace(LAPTOP, persistent_id="C" * 22)
    session = await visits.session("ada", "In Progress")
    before = await visits.past(device=fresh, session_id=session.id)
    device_id = await devices.remember(
        visits.scope, vendor_data="ada", device=fresh, network=MADRID, session_id=session.id
    )
    after = await visits.past(device=fresh, session_id=session.id)
    assert before.recovery is not None
    assert replace(after, device_id=None) == before
    assert after.device_id == device_id


async def test_a_cleared_storage_is_recovered_but_never_trusted(visits: Visits, scope: Scope) -> None:
    session, device_id = await visits.seen("ada")
    assert device_id is not None
    assert session.user_id is not None
    await devices.trust(scope, user_id=session.user_id, device_id=device_id, by="integrator")
    assert (await visits.past()).is_trusted_device
    cleared = await visits.past(device=replace(LAPTOP, persistent_id="C" * 22))
    assert cleared.recovery is not None
    assert (cleared.recovery.device_id, cleared.recovery.similarity) == (device_id, 1.0)
    assert cleared.recovery.gate_reason is None
    assert cleared.recovery.confidence >= 0.95
    assert cleared.is_known_device
    assert cleared.is_trusted_device is False


async def test_a_browser_that_keeps_nothing_is_known_by_its_fingerprint_and_not_trusted(
    visits: Visits, scope: Scope
) -> None:
    session, device_id = await visits.seen("ada")
    assert device_id is not None
    assert session.user_id is not None
    await devices.trust(scope, user_id=session.user_id, device_id=device_id, by="integrator")
    past = await visits.past(device=replace(LAPTOP, persistent_id=None))
    assert (past.device_id, past.is_known_device, past.is_trusted_device) == (device_id, True, False)


async def test_two_persons_whose_browsers_keep_nothing_have_two_devices(visits: Visits) -> None:
    private = replace(LAPTOP, persistent_id=None)
    _, first = await visits.seen("ada", private)
    _, second = await visits.seen("eve", private)
    assert first != second
    assert (await visits.past("ada", private)).device_users == 0


async def test_a_session_remembers_a_device_and_address_once(visits: Visits, scope: Scope) -> None:
    session = await visits.session(None, "In Progress")
    for device in (LAPTOP, LAPTOP, replace(LAPTOP, persistent_id=None)):
        await devices.remember(scope, vendor_data=None, device=device, network=MADRID, session_id=session.id)
    await devices.remember(scope, vendor_data=None, device=LAPTOP, network=TOKYO, session_id=session.id)
    rows = (await scope.tx.scalars(select(SightingRow))).all()
    assert sorted(row.ip or "" for row in rows) == ["198.51.100.9", "203.0.113.7"]


async def test_what_cannot_be_told_apart_is_no_device(visits: Visits) -> None:
    bare = DeviceFacts(browser="Chrome")
    _, device_id = await visits.seen("ada", bare)
    assert device_id is None
    past = await visits.past("ada", bare)
    assert (past.is_known_device, past.is_trusted_device, past.sightings, past.user_devices) == (None, None, 1, 0)


async def test_each_device_of_a_session_counts(visits: Visits, scope: Scope) -> None:
    session = await visits.session("ada", "In Progress")
    for device in (LAPTOP, PHONE):
        await devices.remember(scope, vendor_data="ada", device=device, network=MADRID, session_id=session.id)
    assert (await visits.past(session_id=session.id)).session_devices == 2
    other = replace(LAPTOP, persistent_id="D" * 22, fingerprint="1" * 64)
    assert (await visits.past(device=other, session_id=session.id)).session_devices == 3


async def test_matches_are_sessions_of_others_with_what_ties_them(visits: Visits) -> None:
    eve, _ = await visits.seen("eve", status="Declined")
    nobody, _ = await visits.seen(None, replace(LAPTOP, persistent_id="N" * 22), TOKYO)
    await visits.seen("ada")
    past = await visits.past("ada")
    tied = {(match["session_id"], match["match_source"]): match for match in past.matches}
    assert set(tied) == {
        (eve.id, "ip_address"),
        (eve.id, "persistent_id"),
        (nobody.id, "legacy_fp"),
    }
    assert {key[1]: (match["confidence"], match["match_mode"]) for key, match in tied.items()} == {
        "ip_address": (0.0, "co_occurrence"),
        "persistent_id": (1.0, "deterministic"),
        "legacy_fp": (0.5, "deterministic"),
    }
    strong = tied[eve.id, "persistent_id"]
    assert (strong["vendor_data"], strong["status"], strong["matched_value"]) == ("eve", "Declined", "f" * 64)
    assert isinstance(strong["location_info"], Mapping)
    assert strong["location_info"]["ip_country"] == "Spain"
    assert "A" * 22 not in str(past.matches), "the persistent id leaves nothing readable behind"
    assert (past.device_users, past.address_users) == (1, 1)


async def test_no_more_than_five_matches_of_each_kind(visits: Visits) -> None:
    for number in range(8):
        await visits.seen(f"user-{number}")
    past = await visits.past("ada")
    sources = [match["match_source"] for match in past.matches]
    assert sources == ["ip_address"] * 5 + ["persistent_id"] * 5
    assert (past.device_users, past.address_users) == (8, 8)


async def test_an_old_sighting_of_others_does_not_count(visits: Visits, clock: ManualClock) -> None:
    await visits.seen("eve")
    clock.advance(timedelta(days=31))
    assert (await visits.past("ada")).matches == ()


async def test_a_device_that_another_person_cleared_is_told_with_its_confidence(visits: Visits) -> None:
    _, device_id = await visits.seen("eve")
    past = await visits.past("ada", replace(LAPTOP, persistent_id="C" * 22), TOKYO)
    assert past.recovery is not None
    assert past.recovery.device_id == device_id
    assert [match["match_source"] for match in past.matches] == ["recovered_high"]
    assert past.matches[0]["confidence"] == past.recovery.confidence
    assert past.matches[0]["recovery_similarity"] == 1.0
    assert past.is_known_device is False, "it is known of somebody else"


@pytest.mark.parametrize("special", ["private", "loopback", "carrier_nat"])
async def test_an_address_that_many_share_by_its_kind_ties_nobody(visits: Visits, special: str) -> None:
    shared = NetworkFacts("100.64.0.1", 4, special=special)
    await visits.seen("eve", PHONE, shared)
    past = await visits.past("ada", network=shared)
    assert (past.address_users, past.matches) == (0, ())


async def test_the_last_place_is_not_one_behind_a_vpn(visits: Visits, clock: ManualClock) -> None:
    await visits.seen("ada", network=MADRID)
    clock.advance(timedelta(hours=1))
    await visits.seen("ada", network=replace(TOKYO, is_vpn=True))
    place = (await visits.past()).last_place
    assert place is not None
    assert (place.country, place.is_anonymous, place.latitude) == ("ES", False, 40.4)


async def test_nothing_is_shared_between_applications(
    visits: Visits, services: Services, make_application: Any
) -> None:
    await visits.seen("ada")
    other: RegisteredApplication = await _beside(visits.scope, make_application)
    theirs = Scope(visits.scope.tx, other.application, services)
    past = await devices.history(theirs, vendor_data="eve", device=LAPTOP, network=MADRID)
    assert (past.device_id, past.matches, past.recovery) == (None, (), None)


async def _beside(scope: Scope, make_application: Any) -> RegisteredApplication:
    """A second application in the same transaction: on SQLite nobody else could write now."""
    import uuid
    from dataclasses import replace as changed

    from ipse.storage.tables import ApplicationRow
    from tests.services.applications import RegisteredApplication

    own = await scope.tx.get_one(ApplicationRow, scope.application_id)
    columns = {column.name: getattr(own, column.key) for column in ApplicationRow.__table__.columns}
    columns |= {"id": str(uuid.uuid4()), "client_id": uuid.uuid4().hex[:22]}
    scope.tx.add(ApplicationRow(**columns))
    await scope.tx.flush()
    return RegisteredApplication(changed(scope.application, id=columns["id"]), "", columns["client_id"])


async def test_deleted_sessions_and_users_leave_no_sighting(visits: Visits, scope: Scope) -> None:
    session, _ = await visits.seen("ada")
    await visits.seen("eve", PHONE)
    await deletion.delete_one(scope, session.id)
    await erasure.erase_user(scope, "eve")
    assert (await scope.tx.execute(select(func.count()).select_from(SightingRow))).scalar_one() == 0


async def test_the_schedule_removes_devices_that_nobody_was_seen_on(
    services: Services, application: RegisteredApplication, clock: ManualClock
) -> None:
    async with services.database.writing() as tx:
        visits = Visits(Scope(tx, application.application, services))
        session, _ = await visits.seen("ada")
        _, kept = await visits.seen("eve", PHONE)
        await tx.execute(delete(SightingRow).where(SightingRow.session_id == session.id))
    assert await forget_unseen(services) == 0, "the sighting may be on its way"
    clock.advance(timedelta(hours=2))
    assert await forget_unseen(services) == 1
    async with services.database.reading() as tx:
        assert (await tx.scalars(select(DeviceRow.id))).all() == [kept]


async def test_two_requests_at_once_store_one_device(services: Services, application: RegisteredApplication) -> None:
    """Both found nothing; the later one gets the device that the earlier one stored."""

    async def remember() -> str | None:
        async with services.database.writing() as tx:
            return await devices.remember(
                Scope(tx, application.application, services),
                vendor_data="ada",
                device=LAPTOP,
                network=NetworkFacts(address=None),
                evaluation_id=services.identifiers.uuid(),
                known=History(device_id=None),
            )

    first = await remember()
    assert first is not None
    assert await remember() == first


async def test_a_device_without_an_id_that_was_found_is_not_looked_up_again(visits: Visits, scope: Scope) -> None:
    plain = replace(LAPTOP, persistent_id=None)
    _, device_id = await visits.seen("ada", plain)
    for known, is_same in ((History(device_id=device_id), True), (History(device_id=None), False)):
        found = await devices.remember(
            scope,
            vendor_data="ada",
            device=plain,
            network=NetworkFacts(address=None),
            evaluation_id=scope.services.identifiers.uuid(),
            known=known,
        )
        assert (found == device_id) is is_same


async def test_a_device_that_was_deleted_meanwhile_is_stored_anew(visits: Visits, scope: Scope) -> None:
    plain = replace(LAPTOP, persistent_id=None)
    gone = scope.services.identifiers.uuid()
    found = await devices.remember(
        scope, vendor_data="ada", device=plain, network=NetworkFacts(address=None), known=History(device_id=gone)
    )
    assert found not in (None, gone)


async def test_the_persistent_id_is_stored_as_a_digest_that_differs_between_applications() -> None:
    from ipse.devices.identity import persistent_hash, without_secret

    one, two = persistent_hash("app-1", "A" * 22), persistent_hash("app-2", "A" * 22)
    assert one is not None
    assert one != two
    assert persistent_hash("app-1", without_secret("app-1", LAPTOP)) == one
    assert without_secret("app-1", DeviceFacts()) is None


async def test_old_components_are_renewed_with_each_report(visits: Visits, scope: Scope) -> None:
    _, device_id = await visits.seen("ada")
    changed = replace(LAPTOP, components={**COMPONENTS, "canvas": "c2"}, fingerprint="9" * 64)
    await visits.seen("ada", changed)
    row = await scope.tx.get_one(DeviceRow, device_id)
    assert (row.components["canvas"], row.fingerprint) == ("c2", "9" * 64)

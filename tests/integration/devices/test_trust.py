"""When a device of a person is trusted, and when that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ipse.clock import ManualClock
from ipse.decision.statuses import Cause
from ipse.devices import service as devices
from ipse.edge.errors import NotFound
from ipse.intelligence.facts import NetworkFacts
from ipse.runtime.scope import Scope
from ipse.storage.tables import (
    UserDeviceRow,
    UserRow,
)
from ipse.users.service import ensure_user
from tests.integration.devices.visits import LAPTOP, MADRID, PHONE, TOKYO, Visits

pytestmark = pytest.mark.anyio


async def test_an_approved_face_makes_its_device_trusted(visits: Visits, scope: Scope) -> None:
    session, _ = await visits.seen("ada")
    await devices.on_approved(scope, session)
    assert (await visits.past()).is_trusted_device is False, "no face was shown"
    await visits.report(session, "Approved")
    await devices.on_approved(scope, session)
    await scope.tx.flush()
    assert (await visits.past()).is_trusted_device
    use = (await scope.tx.scalars(select(UserDeviceRow))).one()
    assert use.trusted_by == "session"


async def test_a_handed_over_session_makes_the_device_of_the_face_trusted(
    visits: Visits, scope: Scope, clock: ManualClock
) -> None:
    session, _ = await visits.seen("ada", LAPTOP)
    clock.advance(timedelta(seconds=30))
    await devices.remember(scope, vendor_data="ada", device=PHONE, network=MADRID, session_id=session.id)
    await visits.report(session, "Approved")
    await devices.on_approved(scope, session)
    await scope.tx.flush()
    assert (await visits.past(device=PHONE)).is_trusted_device
    assert (await visits.past(device=LAPTOP)).is_trusted_device is False


@pytest.mark.parametrize(
    ("changed", "network", "trusted"),
    [({}, MADRID, True), ({"fingerprint": "d" * 64}, MADRID, False), ({}, TOKYO, False)],
)
async def test_the_integrators_id_of_the_same_device_is_trusted_with_it(
    visits: Visits, scope: Scope, changed: dict[str, Any], network: NetworkFacts, trusted: bool
) -> None:
    shop = replace(LAPTOP, persistent_id="C" * 22, **changed)
    evaluation = scope.services.identifiers.uuid()
    await devices.remember(scope, vendor_data="ada", device=shop, network=network, evaluation_id=evaluation)
    session = await visits.session("ada", evaluation_id=evaluation)
    await devices.remember(scope, vendor_data="ada", device=LAPTOP, network=MADRID, session_id=session.id)
    await visits.report(session, "Approved")
    await devices.on_approved(scope, session)
    await scope.tx.flush()
    assert (await visits.past(device=LAPTOP)).is_trusted_device
    assert (await visits.past(device=shop, network=network)).is_trusted_device is trusted


@pytest.mark.parametrize(
    ("cause", "risks", "trusted"),
    [
        (Cause.EVALUATED, ["LIVENESS_FACE_ATTACK"], False),
        (Cause.EVALUATED, ["LOW_LIVENESS_SCORE"], True),
        (Cause.REPORTED, [], False),
        (Cause.REVIEWER, [], False),
    ],
)
async def test_an_attack_or_a_report_takes_the_trust_back(
    visits: Visits, scope: Scope, cause: Cause, risks: list[str], trusted: bool
) -> None:
    first, device_id = await visits.seen("ada")
    assert device_id is not None
    assert first.user_id is not None
    await devices.trust(scope, user_id=first.user_id, device_id=device_id, by="integrator")
    session, _ = await visits.seen("ada", status="Declined")
    await visits.report(session, "Declined", *risks)
    await devices.on_declined(scope, session, cause)
    await scope.tx.flush()
    assert (await visits.past()).is_trusted_device is trusted


async def test_trust_is_refused_for_devices_the_person_never_used(visits: Visits, scope: Scope) -> None:
    user = await ensure_user(scope, "ada")
    _, device_id = await visits.seen("eve")
    assert device_id is not None
    with pytest.raises(NotFound):
        await devices.trust(scope, user_id=user.id, device_id=device_id, by="integrator")
    with pytest.raises(NotFound):
        await devices.revoke(scope, user_id=user.id, device_id=device_id)


async def test_devices_of_a_user_are_listed_newest_first(visits: Visits, scope: Scope, clock: ManualClock) -> None:
    session, laptop = await visits.seen("ada")
    clock.advance(timedelta(days=1))
    _, phone = await visits.seen("ada", PHONE)
    assert session.user_id is not None
    listed = await devices.devices_of(scope, session.user_id)
    assert [own.device.id for own in listed] == [phone, laptop]
    assert [own.use.times_seen for own in listed] == [1, 1]


async def test_merging_users_keeps_what_was_revoked_revoked(visits: Visits, scope: Scope) -> None:
    first, device_id = await visits.seen("ada")
    await visits.seen("ada.old", PHONE)
    await visits.seen("ada.old", LAPTOP)
    source = (await scope.tx.scalars(select(UserRow).where(UserRow.vendor_data == "ada.old"))).one()
    target = (await scope.tx.scalars(select(UserRow).where(UserRow.vendor_data == "ada"))).one()
    assert device_id is not None
    await devices.trust(scope, user_id=target.id, device_id=device_id, by="integrator")
    await devices.revoke(scope, user_id=source.id, device_id=device_id)
    await devices.move_user(scope, source, target)
    assert len(await devices.devices_of(scope, target.id)) == 2
    past = await visits.past("ada")
    assert (past.sightings, past.is_trusted_device) == (3, False)
    assert first.user_id == target.id

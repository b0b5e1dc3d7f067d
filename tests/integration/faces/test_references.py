"""What stored references guarantee."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from ipse.biometrics.templates import cosine
from ipse.clock import ManualClock
from ipse.faces import service as faces
from ipse.faces.errors import NoTemplate
from ipse.runtime.scope import Scope
from ipse.security.keyring import CannotOpen
from ipse.storage.tables import FaceRow, UserRow
from ipse.users.service import ensure_user
from tests.unit.checks.selfies import template

pytestmark = pytest.mark.anyio

FIRST, SECOND = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


async def probe(scope: Scope, user: UserRow | None, session_id: str, seed: int = 1) -> FaceRow:
    return await faces.add(
        scope,
        user=user,
        session_id=session_id,
        media_id=None,
        template=template(seed),
        purpose="probe",
        source="session",
        supplied_by="person",
        searchable=True,
    )


async def test_a_promoted_probe_is_the_reference_until_the_next_one(scope: Scope, clock: ManualClock) -> None:
    user = await ensure_user(scope, "user-42")
    assert await faces.current_reference(scope, user.id) is None
    first = await faces.promote_to_reference(scope, await probe(scope, user, FIRST), user)
    assert await faces.current_reference(scope, user.id) is first
    clock.advance(timedelta(days=1))
    second = await faces.promote_to_reference(scope, await probe(scope, user, SECOND, 2), user)
    assert await faces.current_reference(scope, user.id) is second
    kept = (await scope.tx.scalars(select(FaceRow).where(FaceRow.id == first.id))).one()
    await scope.tx.refresh(kept)
    assert kept.superseded_at is not None


async def test_a_revoked_reference_gives_way_to_the_one_before_it(scope: Scope, clock: ManualClock) -> None:
    user = await ensure_user(scope, "user-42")
    first = await faces.promote_to_reference(scope, await probe(scope, user, FIRST), user)
    clock.advance(timedelta(days=1))
    await faces.promote_to_reference(scope, await probe(scope, user, SECOND, 2), user)
    await faces.revoke_reference_from(scope, SECOND)
    current = await faces.current_reference(scope, user.id)
    assert current is not None
    assert current.id == first.id


async def test_revoking_an_older_reference_leaves_the_present_one(scope: Scope, clock: ManualClock) -> None:
    user = await ensure_user(scope, "user-42")
    await faces.promote_to_reference(scope, await probe(scope, user, FIRST), user)
    clock.advance(timedelta(days=1))
    second = await faces.promote_to_reference(scope, await probe(scope, user, SECOND, 2), user)
    await faces.revoke_reference_from(scope, FIRST)
    current = await faces.current_reference(scope, user.id)
    assert current is not None
    assert current.id == second.id


async def test_a_profile_face_is_used_only_without_an_enrolled_reference(scope: Scope) -> None:
    user = await ensure_user(scope, "user-42")
    profile = await faces.add(
        scope,
        user=user,
        session_id=None,
        media_id=None,
        template=template(3),
        purpose="profile",
        source="imported",
        supplied_by="integrator",
        searchable=False,
    )
    assert await faces.current_reference(scope, user.id) is profile
    enrolled = await faces.promote_to_reference(scope, await probe(scope, user, FIRST), user)
    assert await faces.current_reference(scope, user.id) is enrolled


async def test_a_template_is_sealed_and_opens_only_in_its_own_row(scope: Scope) -> None:
    one, other = await probe(scope, None, FIRST), await probe(scope, None, FIRST, 2)
    opened = await faces.open_template(scope, one)
    assert opened.compare(template(1)) > 0.9998
    assert abs(opened.compare(template(2)) - cosine(template(1), template(2))) < 0.005
    one.template_sealed = other.template_sealed
    with pytest.raises(CannotOpen):
        await faces.open_template(scope, one)


async def test_a_face_without_a_template_is_neither_compared_nor_found(scope: Scope) -> None:
    row = await faces.add(
        scope,
        user=None,
        session_id=FIRST,
        media_id=None,
        template=None,
        purpose="probe",
        source="session",
        supplied_by="person",
        searchable=True,
    )
    assert not row.searchable
    with pytest.raises(NoTemplate):
        await faces.open_template(scope, row)

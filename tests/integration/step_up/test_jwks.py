"""Anyone can fetch the keys, check a verdict with them alone, and go on doing so while keys are replaced."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ipse.clock import ManualClock
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.step_up import signing_keys
from ipse.storage.tables import SigningKeyRow
from tests.conftest import MakeClient
from tests.services.actions import approved, minted, redeem

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio


async def published(client: AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    keys: list[dict[str, Any]] = answer.json()["keys"]
    return keys


async def rotate(services: Services) -> str:
    async with services.database.writing() as tx:
        return (await signing_keys.rotate(tx, services)).kid


async def test_the_keys_are_public_cacheable_and_without_a_private_part(
    client: AsyncClient, make_client: MakeClient
) -> None:
    assert await published(client) == []
    await minted(client, (await approved(client))["session_id"])
    answer = await make_client(None).get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")


async def test_every_verdict_of_an_installation_is_signed_by_one_key_until_it_is_replaced(
    client: AsyncClient, services: Services
) -> None:
    for _ in range(2):
        await minted(client, (await approved(client))["session_id"])
    assert len(await published(client)) == 1
    fresh = await rotate(services)
    await minted(client, (await approved(client))["session_id"])
    assert fresh in {key["kid"] for key in await published(client)}
    assert len(await published(client)) == 2


async def test_a_retired_key_stays_published_until_its_last_token_has_expired(
    client: AsyncClient, services: Services, clock: ManualClock
) -> None:
    before = (await minted(client, (await approved(client))["session_id"]))["token"]
    (old,) = await published(client)
    await rotate(services)
    clock.advance(timedelta(seconds=299))
    assert (await redeem(client, before)).status_code == 200, "signed before the change, redeemed after it"
    assert old in await published(client)
    clock.advance(timedelta(seconds=301))
    assert old not in await published(client)
    assert len(await published(client)) == 1


async def test_a_key_that_leaked_is_destroyed_and_what_it_signed_is_invalid(
    client: AsyncClient, services: Services
) -> None:
    token = (await minted(client, (await approved(client))["session_id"]))["token"]
    async with services.database.writing() as tx:
        fresh = await signing_keys.rotate(tx, services, compromised=True)
    assert [key["kid"] for key in await published(client)] == [fresh.kid]
    assert (await redeem(client, token)).json()["error_code"] == "TOKEN_INVALID"


async def test_a_rotation_destroys_the_keys_that_nothing_needs_any_more(
    client: AsyncClient, services: Services, clock: ManualClock
) -> None:
    for _ in range(3):
        await rotate(services)
        clock.advance(timedelta(seconds=601))
    async with services.database.reading() as tx:
        assert len((await tx.scalars(select(SigningKeyRow))).all()) == 2, "the active one and the one before"


async def test_two_processes_that_make_the_first_key_at_once_do_no_harm(
    client: AsyncClient, services: Services
) -> None:
    async with services.database.writing() as tx:
        await signing_keys.create(tx, services)
        await signing_keys.create(tx, services)
    first = await minted(client, (await approved(client))["session_id"])
    second = await minted(client, (await approved(client))["session_id"])
    assert first["token"].split(".")[0] == second["token"].split(".")[0], "both processes choose the same one"
    assert len(await published(client)) == 2


async def test_the_private_key_is_sealed_and_bound_to_its_row(client: AsyncClient, services: Services) -> None:
    await minted(client, (await approved(client))["session_id"])
    async with services.database.reading() as tx:
        row = await tx.scalar(select(SigningKeyRow))
    assert row is not None
    ring = services.ordinary_ring
    private = json.loads(ring.open(row.private_sealed, context=signing_keys.private_context(row.id)))
    assert private["d"].encode() not in row.private_sealed
    assert "d" not in row.public_jwk
    with pytest.raises(CannotOpen):
        ring.open(row.private_sealed, context=signing_keys.private_context("another"))

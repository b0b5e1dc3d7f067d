"""From nothing to a working key by four calls (contract 70, section 1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from ipse.clock import ManualClock
from ipse.runtime.services import Services

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

EMAIL, PASSWORD = "ada@bank.dev", "Tr0ub4dor&3"
BASE = "/auth/v2/programmatic"


@pytest.fixture
def anonymous(make_client: Callable[..., AsyncClient]) -> AsyncClient:
    return make_client(None)


def _waiting_code(services: Services) -> str:
    (path,) = (services.settings.data_dir / "verification-codes").iterdir()
    return path.read_text().strip()


async def _register(client: AsyncClient, email: str = EMAIL) -> Any:
    return await client.post(f"{BASE}/register/", json={"email": email, "password": PASSWORD})


async def _verified(client: AsyncClient, services: Services) -> dict[str, Any]:
    assert (await _register(client)).status_code == 201
    answer = await client.post(f"{BASE}/verify-email/", json={"email": EMAIL, "code": _waiting_code(services)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_stranger_gets_a_sandbox_key_that_works(anonymous: AsyncClient, services: Services) -> None:
    answer = await _register(anonymous)
    assert answer.status_code == 201
    assert answer.json().keys() == {"message", "email"}
    code = _waiting_code(services)
    verified = await anonymous.post(f"{BASE}/verify-email/", json={"email": EMAIL.upper(), "code": code.lower()})
    body = verified.json()
    assert verified.status_code == 200
    assert body["expires_in"] == 86400
    assert body["application"]["mode"] == "sandbox"
    assert body["application"]["api_key"].startswith("ipse_test_")
    users = await anonymous.get("/v3/users/", headers={"x-api-key": body["application"]["api_key"]})
    assert users.status_code == 200


async def test_a_code_works_once(anonymous: AsyncClient, services: Services) -> None:
    await _register(anonymous)
    code = _waiting_code(services)
    first = await anonymous.post(f"{BASE}/verify-email/", json={"email": EMAIL, "code": code})
    second = await anonymous.post(f"{BASE}/verify-email/", json={"email": EMAIL, "code": code})
    assert (first.status_code, second.status_code) == (200, 400)
    assert not list((services.settings.data_dir / "verification-codes").iterdir())


async def test_a_code_is_dead_after_fifteen_minutes(
    anonymous: AsyncClient, services: Services, clock: ManualClock
) -> None:
    await _register(anonymous)
    clock.advance(timedelta(minutes=15))
    answer = await anonymous.post(f"{BASE}/verify-email/", json={"email": EMAIL, "code": _waiting_code(services)})
    assert answer.status_code == 400


async def test_five_wrong_codes_kill_the_right_one(anonymous: AsyncClient, services: Services) -> None:
    await _register(anonymous)
    for _ in range(5):
        wrong = await anonymous.post(f"{BASE}/verify-email/", json={"email": EMAIL, "code": "!!!!!!"})
        assert wrong.status_code == 400
    right = await anonymous.post(f"{BASE}/verify-email/", json={"email": EMAIL, "code": _waiting_code(services)})
    assert right.status_code == 400
    assert right.json() == wrong.json()


async def test_another_code_is_sent_at_most_once_a_minute_and_replaces_the_first(
    anonymous: AsyncClient, services: Services, clock: ManualClock
) -> None:
    await _register(anonymous)
    first = _waiting_code(services)
    early = await anonymous.post(f"{BASE}/resend-otp/", json={"email": EMAIL})
    assert early.status_code == 429
    assert early.headers["retry-after"] == "60"
    clock.advance(timedelta(seconds=60))
    assert (await anonymous.post(f"{BASE}/resend-otp/", json={"email": EMAIL})).status_code == 200
    assert _waiting_code(services) != first
    stale = await anonymous.post(f"{BASE}/verify-email/", json={"email": EMAIL, "code": first})
    assert stale.status_code == 400


async def test_asking_for_a_code_does_not_tell_who_has_an_account(anonymous: AsyncClient, services: Services) -> None:
    await _verified(anonymous, services)
    known = await anonymous.post(f"{BASE}/resend-otp/", json={"email": EMAIL})
    unknown = await anonymous.post(f"{BASE}/resend-otp/", json={"email": "nobody@bank.dev"})
    assert known.status_code == unknown.status_code == 200
    assert known.json() == unknown.json()


async def test_an_address_registers_once(anonymous: AsyncClient, services: Services) -> None:
    await _verified(anonymous, services)
    answer = await _register(anonymous)
    assert answer.status_code == 400
    assert list(answer.json()) == ["email"]


async def test_bad_registrations_name_the_field(anonymous: AsyncClient) -> None:
    for body, field in (
        ({"email": "x", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": "short"}, "password"),
        ({"email": EMAIL}, "password"),
        ({}, "email"),
    ):
        answer = await anonymous.post(f"{BASE}/register/", json=body)
        assert answer.status_code == 400
        assert isinstance(answer.json()[field], list)


async def test_the_sixth_registration_of_an_address_in_an_hour_is_refused(anonymous: AsyncClient) -> None:
    for number in range(5):
        answer = await anonymous.post(
            f"{BASE}/register/", json={"email": f"a{number}@bank.dev", "password": "too weak"}
        )
        assert answer.status_code == 400
    sixth = await _register(anonymous)
    assert sixth.status_code == 429
    assert int(sixth.headers["retry-after"]) > 0


async def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(
    anonymous: AsyncClient, services: Services, clock: ManualClock
) -> None:
    await _verified(anonymous, services)

    async def sign_in(password: str) -> Any:
        return await anonymous.post(f"{BASE}/login/", json={"email": EMAIL, "password": password})

    assert [(await sign_in("Wr0ng&wrong")).status_code for _ in range(5)] == [401] * 5
    locked = await sign_in(PASSWORD)
    assert locked.status_code == 429
    assert locked.headers["retry-after"] == str(15 * 60)
    clock.advance(timedelta(minutes=15))
    assert (await sign_in(PASSWORD)).status_code == 200
    assert (await sign_in("Wr0ng&wrong")).status_code == 401
    assert (await sign_in(PASSWORD)).status_code == 200


async def test_an_unverified_account_does_not_sign_in(anonymous: AsyncClient) -> None:
    await _register(anonymous)
    right = await anonymous.post(f"{BASE}/login/", json={"email": EMAIL, "password": PASSWORD})
    wrong = await anonymous.post(f"{BASE}/login/", json={"email": EMAIL, "password": "Wr0ng&wrong"})
    assert (right.status_code, wrong.status_code) == (403, 401)


async def test_access_tokens_end_after_a_day_and_a_refresh_token_works_once(
    anonymous: AsyncClient, services: Services, clock: ManualClock
) -> None:
    tokens = await _verified(anonymous, services)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await anonymous.get("/auth/v2/organizations/me/", headers=bearer)).status_code == 200
    clock.advance(timedelta(days=1))
    assert (await anonymous.get("/auth/v2/organizations/me/", headers=bearer)).status_code == 401
    renewed = await anonymous.post(f"{BASE}/refresh/", json={"refresh_token": tokens["refresh_token"]})
    again = await anonymous.post(f"{BASE}/refresh/", json={"refresh_token": tokens["refresh_token"]})
    assert (renewed.status_code, again.status_code) == (200, 401)
    bearer = {"Authorization": f"Bearer {renewed.json()['access_token']}"}
    assert (await anonymous.get("/auth/v2/organizations/me/", headers=bearer)).status_code == 200


async def test_no_secret_of_an_account_is_readable_in_the_database(anonymous: AsyncClient, services: Services) -> None:
    body = await _verified(anonymous, services)
    secrets = [PASSWORD, body["access_token"], body["refresh_token"], body["application"]["api_key"]]
    async with services.database.reading() as tx:
        rows = [
            str(tuple(row))
            for table in ("accounts", "access_tokens", "api_keys")
            for row in (await tx.execute(text(f"SELECT * FROM {table}"))).all()  # noqa: S608 - three constants
        ]
    assert len(rows) == 4
    assert not [secret for secret in secrets if any(secret in row for row in rows)]


async def test_a_closed_installation_may_answer_a_registration_with_the_key(
    anonymous: AsyncClient, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    monkeypatch.setitem(services.settings.__dict__, "auto_verify_accounts", True)
    answer = await _register(anonymous)
    assert answer.status_code == 201
    assert answer.json()["application"]["api_key"].startswith("ipse_test_")
    assert not (services.settings.data_dir / "verification-codes").exists()

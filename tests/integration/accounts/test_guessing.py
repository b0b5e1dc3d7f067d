"""Wrong passwords over HTTP: an attacker elsewhere locks nobody out, and learns not even who has an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ipse.settings import Settings

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

pytestmark = pytest.mark.anyio

BASE = "/auth/v2/programmatic"
EMAIL, PASSWORD = "ada@bank.dev", "Tr0ub4dor&3"
HOME, ELSEWHERE = "198.51.100.1", "203.0.113.7"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"auto_verify_accounts": True, "trusted_proxies": ("127.0.0.1/32",)})


@pytest.fixture
def anonymous(make_client: Callable[..., AsyncClient]) -> AsyncClient:
    return make_client(None)


async def sign_in(client: AsyncClient, password: str, ip: str, email: str = EMAIL) -> Response:
    body: dict[str, Any] = {"email": email, "password": password}
    return await client.post(f"{BASE}/login/", json=body, headers={"X-Forwarded-For": ip})


async def test_guessing_elsewhere_neither_locks_an_account_nor_tells_whether_it_exists(anonymous: AsyncClient) -> None:
    registered = await anonymous.post(f"{BASE}/register/", json={"email": EMAIL, "password": PASSWORD})
    assert registered.status_code == 201, registered.text
    answers = {}
    for email in (EMAIL, "nobody@bank.dev"):
        answers[email] = [await sign_in(anonymous, "Wr0ng&wrong", ELSEWHERE, email) for _ in range(6)]
    known, unknown = ([(one.status_code, one.json()) for one in tried] for tried in answers.values())
    assert [status for status, _ in known] == [401] * 5 + [429]
    assert known == unknown
    assert {tried[-1].headers["retry-after"] for tried in answers.values()} == {"900"}
    assert (await sign_in(anonymous, PASSWORD, ELSEWHERE)).status_code == 429
    assert (await sign_in(anonymous, PASSWORD, HOME)).status_code == 200

"""What tests of lists share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from httpx2 import AsyncClient

SystemList = Callable[..., Awaitable[str]]


async def system_list_of(client: AsyncClient, entry_type: str, list_type: str = "blocklist") -> str:
    """The path of the entries of a system list."""
    answer = await client.get("/v3/lists/", params={"entry_type": entry_type, "list_type": list_type})
    (found,) = [one for one in answer.json()["results"] if one["is_system"]]
    return f"/v3/lists/{found['uuid']}/entries/"


async def put(client: AsyncClient, entries: str, **fields: Any) -> dict[str, Any]:
    """Add an entry that must be accepted."""
    answer = await client.post(entries, json=fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def blocklist(client: AsyncClient) -> SystemList:
    """``await blocklist("email")``: the path of the entries of a system list of ``application``."""

    async def path(entry_type: str, list_type: str = "blocklist") -> str:
        return await system_list_of(client, entry_type, list_type)

    return path

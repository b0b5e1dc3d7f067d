"""Many values at once: streamed in batches, with a summary that hides nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ipse.clock import ManualClock
from ipse.lists import importing
from ipse.runtime.services import Services
from ipse.storage.tables import SightingRow
from tests.integration.lists.conftest import SystemList, put, system_list_of

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.conftest import MakeApplication, MakeClient
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio


async def _import(client: AsyncClient, entries: str, body: str, kind: str = "text/csv") -> dict[str, Any]:
    answer = await client.post(f"{entries}import/", content=body.encode(), headers={"content-type": kind})
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = answer.json()
    return summary


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of three lines, and at most ten lines."""
    monkeypatch.setattr(importing, "BATCH", 3)
    monkeypatch.setattr(importing, "MAX_LINES", 10)


@pytest.mark.usefixtures("small_batches")
async def test_the_summary_counts_every_line_and_names_the_bad_ones(client: AsyncClient, blocklist: SystemList) -> None:
    entries = await blocklist("ip_address")
    await put(client, entries, value="198.51.100.1")
    body = (
        "value,comment\n203.0.113.0/24,Botnet\n203.0.113.7/24\n\n198.51.100.1\n2001:db8::/32\n::ffff:198.51.100.1\n9\n"
    )
    assert await _import(client, entries, body) == {
        "lines": 6,
        "added": 2,
        "duplicates": 2,
        "refused": 2,
        "problems": [
            {"line": 3, "reason": "203.0.113.7/24 has host bits set. Did you mean 203.0.113.0/24?"},
            {"line": 8, "reason": "Enter an IPv4 or IPv6 address or a network such as 203.0.113.0/24."},
        ],
    }
    page = (await client.get(entries)).json()
    assert {one["value"]: one["comment"] for one in page["results"]} == {
        "198.51.100.1": None,
        "203.0.113.0/24": "Botnet",
        "2001:db8::/32": None,
    }
    again = await _import(client, entries, body)
    assert (again["added"], again["duplicates"], again["refused"]) == (0, 4, 2)


async def test_json_lines_carry_remarks(client: AsyncClient, blocklist: SystemList) -> None:
    entries = await blocklist("email")
    body = '"a@b.dev"\n{"value": "c@d.dev", "metadata": {"case": 7}, "expires_at": "2026-12-01T00:00:00Z"}\n'
    summary = await _import(client, entries, body, "application/x-ndjson")
    assert (summary["added"], summary["refused"]) == (2, 0)
    found = {one["value"]: one for one in (await client.get(entries)).json()["results"]}
    assert found["c@d.dev"]["metadata"] == {"case": 7}
    assert found["c@d.dev"]["expires_at"].startswith("2026-12-01")
    assert found["a@b.dev"]["metadata"] == {}
    assert found["a@b.dev"]["added_by"] == "API Client"


async def test_only_the_first_twenty_problems_are_shown(client: AsyncClient, blocklist: SystemList) -> None:
    summary = await _import(client, await blocklist("email"), "nonsense\n" * 30)
    assert (summary["refused"], len(summary["problems"])) == (30, 20)


@pytest.mark.usefixtures("small_batches")
async def test_more_than_a_million_lines_are_refused_after_the_first_million(
    client: AsyncClient, blocklist: SystemList
) -> None:
    entries = await blocklist("key")
    body = "\n".join(f"key {number}" for number in range(11)).encode()
    answer = await client.post(f"{entries}import/", content=body, headers={"content-type": "text/csv"})
    assert (answer.status_code, "Those are stored" in answer.json()["detail"]) == (400, True)
    assert (await client.get(entries)).json()["count"] == 10


async def test_a_body_that_is_too_large_or_of_another_kind_is_refused(
    client: AsyncClient, blocklist: SystemList, services: Services
) -> None:
    entries = await blocklist("key")
    headers = {"content-type": "text/csv", "content-length": str(services.settings.max_body_bytes + 1)}
    assert (await client.post(f"{entries}import/", content=b"x", headers=headers)).status_code == 413
    assert (await client.post(f"{entries}import/", json={"value": "x"})).status_code == 415
    long = b"x" * 70_000
    answer = await client.post(f"{entries}import/", content=long, headers={"content-type": "text/csv"})
    assert (answer.status_code, "Line 1" in answer.json()["detail"]) == (400, True)


async def test_faces_and_lists_of_others_take_no_import(
    client: AsyncClient, make_client: MakeClient, make_application: MakeApplication, blocklist: SystemList
) -> None:
    headers = {"content-type": "text/csv"}
    faces = await client.post(f"{await blocklist('face')}import/", content=b"x", headers=headers)
    assert (faces.status_code, list(faces.json())) == (400, ["entry_type"])
    other = make_client(await make_application())
    theirs = await system_list_of(other, "key")
    assert (await client.post(f"{theirs}import/", content=b"x", headers=headers)).status_code == 404


async def test_imported_people_are_blocked(client: AsyncClient, blocklist: SystemList) -> None:
    for vendor_data in ("eve", "mallory"):
        await client.post("/v3/users/create/", json={"vendor_data": vendor_data})
    await _import(client, await blocklist("user"), "eve\nnobody\n")
    assert (await client.get("/v3/users/eve/")).json()["status"] == "BLOCKED"
    assert (await client.get("/v3/users/mallory/")).json()["status"] == "ACTIVE"


async def test_shared_devices_and_passed_moments_are_refused_line_by_line(
    client: AsyncClient, services: Services, application: RegisteredApplication, blocklist: SystemList
) -> None:
    async with services.database.writing() as tx:
        for number in range(21):
            tx.add(
                SightingRow(
                    id=services.identifiers.uuid(),
                    application_id=application.id,
                    seen_at=services.clock.now(),
                    vendor_data=f"user-{number}",
                    fingerprint="fp-of-many",
                )
            )
    body = "fp-of-many\nfp-of-one\nfp-of-two,,,2026-11-20T09:00:00Z\n"
    summary = await _import(client, await blocklist("device_fingerprint"), body)
    assert (summary["added"], [one["line"] for one in summary["problems"]]) == (1, [1, 3])
    allowed = await _import(client, await blocklist("device_fingerprint", "allowlist"), body)
    assert (allowed["added"], [one["line"] for one in allowed["problems"]]) == (2, [3])


async def test_an_entry_whose_time_is_over_is_replaced_by_an_import(
    client: AsyncClient, clock: ManualClock, blocklist: SystemList
) -> None:
    entries = await blocklist("key")
    await put(client, entries, value="one", expires_at="2026-11-20T11:00:00Z")
    assert (await _import(client, entries, "one\n"))["duplicates"] == 1
    clock.advance(timedelta(hours=1))
    assert (await _import(client, entries, "one\n"))["added"] == 1
    assert (await client.get(entries)).json()["results"][0]["expires_at"] is None

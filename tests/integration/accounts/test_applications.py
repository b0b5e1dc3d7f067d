"""Applications and keys of a signed-in person (contract 70, section 2; requirements 9 to 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ipse.accounts.first_run import create_local_organization, issue_local_key
from ipse.runtime.application import Mode
from ipse.runtime.services import Services

if TYPE_CHECKING:
    from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio

PASSWORD = "Tr0ub4dor&3"


class Person:
    """Somebody who registered, with a client that carries the bearer token."""

    def __init__(self, client: AsyncClient, verified: dict[str, Any]) -> None:
        self.client = client
        self.verified = verified
        self.root = f"/auth/v2/organizations/me/{verified['organization']['uuid']}/applications/"
        self.application = f"{self.root}{verified['application']['uuid']}/"
        self.key: str = verified["application"]["api_key"]


@pytest.fixture
def join(
    make_client: Callable[..., AsyncClient], services: Services, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    monkeypatch.setitem(services.settings.__dict__, "auto_verify_accounts", True)

    async def registered(email: str) -> Person:
        client = make_client(None)
        answer = await client.post("/auth/v2/programmatic/register/", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return Person(client, answer.json())

    return registered


@pytest.fixture
async def ada(join: Callable[[str], Any]) -> Person:
    person: Person = await join("ada@bank.dev")
    return person


async def _status_with(client: AsyncClient, key: str) -> int:
    headers = {"x-api-key": key, "Authorization": ""}
    return (await client.get("/v3/users/", headers=headers)).status_code


async def test_a_person_sees_the_organisation_and_its_applications(ada: Person) -> None:
    (organization,) = (await ada.client.get("/auth/v2/organizations/me/")).json()
    assert organization["contact_email"] == "ada@bank.dev"
    (application,) = (await ada.client.get(ada.root)).json()
    assert application["mode"] == "sandbox"
    assert len(application["client_id"]) == 22


async def test_a_key_is_shown_when_it_is_issued_and_never_again(ada: Person) -> None:
    created = (await ada.client.post(ada.root, json={"name": "Shop", "mode": "live"})).json()
    assert created["api_key"].startswith("ipse_live_")
    again = await ada.client.get(f"{ada.root}{created['uuid']}/")
    listed = await ada.client.get(f"{ada.root}{created['uuid']}/api-keys/")
    assert again.json()["api_key"] is None
    assert created["api_key"] not in listed.text
    assert created["api_key"].startswith(listed.json()[0]["prefix"])


async def test_going_live_is_one_switch_and_the_sandbox_key_does_not_come_along(ada: Person) -> None:
    answer = await ada.client.patch(ada.application, json={"mode": "live"})
    assert answer.status_code == 200
    assert answer.json()["mode"] == answer.json()["environment"] == "live"
    new = answer.json()["api_key"]
    assert new.startswith("ipse_live_")
    assert await _status_with(ada.client, ada.key) == 403
    assert await _status_with(ada.client, new) == 200
    unchanged = await ada.client.patch(ada.application, json={"mode": "live"})
    assert unchanged.json()["api_key"] is None
    assert await _status_with(ada.client, new) == 200


async def test_a_revoked_key_stops_at_once_and_the_last_one_cannot_be_revoked(ada: Person) -> None:
    keys = f"{ada.application}api-keys/"
    issued = await ada.client.post(keys)
    assert issued.status_code == 201
    listed = (await ada.client.get(keys)).json()
    first, second = sorted(listed, key=lambda one: not ada.key.startswith(one["prefix"]))
    assert (await ada.client.delete(f"{keys}{first['uuid']}/")).status_code == 204
    assert (await ada.client.delete(f"{keys}{first['uuid']}/")).status_code == 204
    assert await _status_with(ada.client, ada.key) == 403
    assert await _status_with(ada.client, issued.json()["api_key"]) == 200
    assert (await ada.client.delete(f"{keys}{second['uuid']}/")).status_code == 400


async def test_settings_change_one_by_one(ada: Person) -> None:
    patch = {
        "name": "Step-up",
        "sandbox_engine": "real",
        "reference_source": "stored_only",
        "enroll_on_first_use": True,
        "kyc_validity_days": 365,
        "website_url": "https://bank.dev/",
        "redirect_uris": ["https://bank.dev/back"],
    }
    for name, value in patch.items():
        answer = await ada.client.patch(ada.application, json={name: value})
        assert answer.status_code == 200, answer.text
    body = (await ada.client.get(ada.application)).json()
    assert {name: body[name] for name in patch} == patch
    cleared = await ada.client.patch(ada.application, json={"kyc_validity_days": None})
    assert cleared.json()["kyc_validity_days"] is None
    assert cleared.json()["name"] == "Step-up"


@pytest.mark.parametrize(
    "patch",
    [
        {"mode": "production"},
        {"mode": None},
        {"name": ""},
        {"sandbox_engine": "magic"},
        {"kyc_validity_days": 0},
        {"website_url": "javascript:alert(1)"},
        {"redirect_uris": "https://bank.dev"},
    ],
)
async def test_a_bad_setting_is_refused_by_name_and_changes_nothing(ada: Person, patch: dict[str, Any]) -> None:
    before = (await ada.client.get(ada.application)).json()
    answer = await ada.client.patch(ada.application, json={**patch, "description": "changed"})
    assert answer.status_code == 400
    assert list(answer.json()) == list(patch)
    assert (await ada.client.get(ada.application)).json() == before


async def test_a_public_installation_never_delivers_to_private_addresses(
    ada: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await ada.client.get(ada.application)).json()["allow_private_webhooks"] is False
    refused = await ada.client.patch(ada.application, json={"allow_private_webhooks": True})
    assert refused.status_code == 400
    monkeypatch.setitem(services.settings.__dict__, "public_url", "http://127.0.0.1:8000")
    allowed = await ada.client.patch(ada.application, json={"allow_private_webhooks": True})
    assert allowed.json()["allow_private_webhooks"] is True


async def test_what_belongs_to_another_organisation_does_not_exist(ada: Person, join: Callable[[str], Any]) -> None:
    eve = await join("eve@thief.dev")
    stranger = eve.root + ada.verified["application"]["uuid"] + "/"
    for path in (ada.root, ada.application, stranger, f"{stranger}api-keys/", f"{eve.root}not-a-uuid/"):
        assert (await eve.client.get(path)).status_code == 404
    assert (await eve.client.patch(stranger, json={"name": "mine"})).status_code == 404
    assert (await eve.client.post(ada.root, json={})).status_code == 404


async def test_without_a_token_the_answer_is_401(make_client: Callable[..., AsyncClient]) -> None:
    client = make_client(None)
    assert (await client.get("/auth/v2/organizations/me/")).status_code == 401
    wrong = await client.get("/auth/v2/organizations/me/", headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code == 401


async def test_the_first_run_makes_both_environments_and_the_second_shows_no_secret(services: Services) -> None:
    first = await create_local_organization(services)
    second = await create_local_organization(services)
    assert first.created
    assert not second.created
    assert [one.mode for one in first.applications] == [Mode.SANDBOX, Mode.LIVE]
    assert [one.api_key is not None for one in first.applications] == [True, True]
    assert [one.api_key for one in second.applications] == [None, None]
    assert [one.id for one in second.applications] == [one.id for one in first.applications]


async def test_another_local_key_works_beside_the_first(
    services: Services, make_client: Callable[..., AsyncClient]
) -> None:
    first = (await create_local_organization(services)).of_mode(Mode.LIVE)
    another = await issue_local_key(services, Mode.LIVE)
    assert first is not None
    assert first.api_key is not None
    assert another.api_key is not None
    assert len(another.key_prefixes) == 2
    client = make_client(None)
    assert [await _status_with(client, key) for key in (first.api_key, another.api_key)] == [200, 200]

"""Master keys in a key-management service, and no live traffic without keys that are kept apart."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Awaitable, Callable, Iterator

import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr
from sqlalchemy import select

from ipse.runtime.application import Mode
from ipse.runtime.live_traffic import DevelopmentKeys, require_real_keys
from ipse.runtime.services import Services
from ipse.security import keysets
from ipse.security.key_management import KeyServiceUnavailable, ManagedMasterKey
from ipse.security.keyring import CannotOpen, Ring, WrongMasterKey
from ipse.security.master_key_change import change_master_key, move_master_key
from ipse.settings import Settings
from ipse.storage.tables import KeysetRow
from tests.services.applications import RegisteredApplication
from tests.services.kms import REGION, KeyService, running_kms

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def kms() -> Iterator[KeyService]:
    with running_kms() as service:
        yield service


def test_key_of_the_service_opens_what_it_wrapped_and_nothing_else(kms: KeyService) -> None:
    ours, other = ManagedMasterKey(kms.new_key()), ManagedMasterKey(kms.new_key())
    keyset = bytes(10_000)
    wrapped = ours.wrap(keyset, context=b"here")
    assert keyset[:64] not in wrapped
    assert ours.unwrap(wrapped, context=b"here") == keyset
    for key, place, content in (
        (other, b"here", wrapped),
        (ours, b"there", wrapped),
        (ours, b"here", wrapped[:-1] + bytes([wrapped[-1] ^ 1])),
    ):
        with pytest.raises(CannotOpen):
            key.unwrap(content, context=place)


async def test_rings_move_into_the_service_and_open_only_through_it(services: Services, kms: KeyService) -> None:
    uri = kms.new_key()
    sealed = services.ordinary_ring.seal(b"kept", context=b"c")
    tag = services.lookup.tag("p", "x")
    change = await move_master_key(services.settings, services.database, Ring.ORDINARY, uri)
    assert (change.uri, change.in_effect) == (uri, False)
    with pytest.raises(WrongMasterKey):
        await keysets.open_rings(services.settings, services.database, services.clock)
    moved = services.settings.model_copy(update={"ordinary_master_key_uri": uri})
    ordinary, _ = await keysets.open_rings(moved, services.database, services.clock)
    assert ordinary.open(sealed, context=b"c") == b"kept"
    lookup = await keysets.load_lookup_key(services.database, keysets.load_master_keys(moved), services.clock)
    assert lookup.tag("p", "x") == tag
    back = await change_master_key(moved, services.database, Ring.ORDINARY)
    assert not back.in_effect, "a configured key is moved by hand"
    assert back.path is not None
    assert back.path.exists()


async def test_key_that_the_service_withdraws_stops_the_start_with_the_reason(
    services: Services, kms: KeyService
) -> None:
    uri = kms.new_key()
    await move_master_key(services.settings, services.database, Ring.BIOMETRIC, uri)
    kms.lose_every_key()
    moved = services.settings.model_copy(update={"biometric_master_key_uri": uri})
    with pytest.raises(KeyServiceUnavailable, match="Check the URI, the credentials and the network"):
        await keysets.open_rings(moved, services.database, services.clock)


@pytest.mark.usefixtures("kms")
async def test_key_that_cannot_be_used_changes_nothing(services: Services) -> None:
    async with services.database.reading() as tx:
        before = {row.ring: row.wrapped for row in await tx.scalars(select(KeysetRow))}
    unknown = f"aws-kms://arn:aws:kms:{REGION}:123456789012:key/{uuid.uuid4()}"
    for uri in ("aws-kms://nonsense", "pigeon://key", "gcp-kms://projects/p", unknown):
        with pytest.raises(KeyServiceUnavailable):
            await move_master_key(services.settings, services.database, Ring.ORDINARY, uri)
    async with services.database.reading() as tx:
        assert {row.ring: row.wrapped for row in await tx.scalars(select(KeysetRow))} == before


async def test_public_installation_refuses_live_traffic_with_development_keys(
    application: RegisteredApplication,
    make_application: Callable[..., Awaitable[RegisteredApplication]],
    make_client: Callable[..., AsyncClient],
    services: Services,
    kms: KeyService,
) -> None:
    live_application = await make_application(mode=Mode.LIVE)
    on_files = Settings(public_url="https://ipse.example.org")
    require_real_keys(on_files, application.application)
    require_real_keys(Settings(public_url="http://127.0.0.1:8000"), live_application.application)
    key = base64.b64encode(bytes(32)).decode()
    for settings in (on_files, on_files.model_copy(update={"ordinary_master_key": SecretStr(key)})):
        with pytest.raises(DevelopmentKeys):
            require_real_keys(settings, live_application.application)
    apart = {"ordinary_master_key": SecretStr(key), "biometric_master_key_uri": kms.new_key()}
    require_real_keys(on_files.model_copy(update=apart), live_application.application)

    no_keys = {"ordinary_master_key": None, "biometric_master_key": None, "public_url": on_files.public_url}
    object.__setattr__(services, "settings", services.settings.model_copy(update=no_keys))
    for caller, status in ((application, 200), (live_application, 503)):
        answer = await make_client(caller).get("/v3/workflows/")
        assert answer.status_code == status, answer.text
    assert "ipse doctor" in answer.json()["detail"]

"""Erasure with the images in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from ipse.media import service as media
from ipse.runtime.services import Services
from ipse.settings import Settings
from tests.integration.privacy.conftest import become_known, counted
from tests.services.s3 import CREDENTIALS, S3Server, running_s3

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.services.applications import RegisteredApplication

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an installation whose images lie in the bucket."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return settings.model_copy(update={"blob_url": s3.url})


async def test_deleting_a_user_leaves_no_object_in_the_bucket(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    await become_known(client, services, application, "ada", sessions=2)
    assert (await counted(services))["blobs"] == 3
    assert (await client.post("/v3/users/delete/", json={"vendor_data_list": ["ada"]})).json() == {"deleted": 1}
    await media.erasures_finished()
    assert (await counted(services))["blobs"] == 0

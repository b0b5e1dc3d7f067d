"""An application chooses how the hosted page looks, and strangers see its logos and nothing else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import PIL.Image
import pytest

from ipse.branding.service import Branding, brand_of
from ipse.runtime.scope import Scope

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from ipse.runtime.services import Services
    from tests.conftest import MakeClient
    from tests.services.applications import RegisteredApplication

pytestmark = pytest.mark.anyio

URL = "/v3/customization/"


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (width, height), (29, 78, 216)).save(buffer, kind)
    return buffer.getvalue()


async def brand(services: Services, application: RegisteredApplication) -> Branding:
    async with services.database.reading() as tx:
        return await brand_of(Scope(tx, application.application, services))


async def test_the_page_wears_only_what_was_chosen(
    client: AsyncClient, services: Services, application: RegisteredApplication
) -> None:
    plain = await brand(services, application)
    assert plain.name == application.application.name
    assert plain.colors == {}
    await client.patch(URL, json={"color_primary": "#0F766E", "app_public_name": "ACME"})
    await client.patch(URL, json={"texts": {"es": {"common.continue": "Vamos"}}})
    worn = await brand(services, application)
    assert worn.name == "ACME"
    assert worn.colors == {"color_primary": "#0f766e"}
    assert worn.texts == {"es": {"common.continue": "Vamos"}}


async def test_null_gives_the_name_back(client: AsyncClient) -> None:
    await client.patch(URL, json={"app_public_name": "ACME"})
    answer = await client.patch(URL, json={"app_public_name": None})
    assert answer.json()["app_public_name"] is None


async def test_a_logo_is_public_kept_for_ever_and_harmless(client: AsyncClient, make_client: MakeClient) -> None:
    logo = picture(64, 64)
    shown = await client.patch(URL, files={"image_square": ("logo.png", logo)}, data={"callback_seconds": "7"})
    assert shown.json()["callback_seconds"] == 7
    answer = await make_client(None).get(shown.json()["logo_square"])
    assert answer.content == logo
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_new_logo_has_a_new_address_and_the_old_one_is_gone(client: AsyncClient) -> None:
    first = (await client.patch(URL, files={"image_square": ("a.png", picture(64, 64))})).json()["logo_square"]
    second = (await client.patch(URL, files={"image_square": ("b.png", picture(32, 32))})).json()["logo_square"]
    assert first != second
    assert (await client.get(first)).status_code == 404
    assert (await client.get(second)).status_code == 200


async def test_deleting_keeps_the_rest_and_an_upload_wins_over_it(client: AsyncClient) -> None:
    logos = {"image_square": ("a.png", picture(64, 64)), "image_favicon": ("f.ico", picture(32, 32, "ICO"))}
    await client.patch(URL, files=logos)
    without = (await client.patch(URL, json={"delete_logo_square": True})).json()
    assert without["logo_square"] is None
    assert without["favicon"]
    assert "delete_logo_square" not in without
    again = await client.patch(URL, files={"image_square": logos["image_square"]}, data={"delete_logo_square": "true"})
    assert again.json()["logo_square"]


@pytest.mark.parametrize(
    ("field", "content", "reason"),
    [
        ("image_square", picture(64, 60), "must be 1:1"),
        ("image_rectangular", picture(64, 64), "must be 2:1"),
        ("image_square", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "PNG, JPEG, WebP or ICO"),
        ("image_square", picture(64, 64, "GIF"), "PNG, JPEG, WebP or ICO"),
        ("image_square", picture(64, 64)[:60], "damaged"),
        ("image_square", b"", "empty"),
        ("image_square", b"\x89PNG" + bytes(2**20), "larger than 1024 kB"),
        ("image_favicon", bytes(501 * 1024), "larger than 500 kB"),
    ],
)
async def test_what_is_no_fitting_picture_is_refused_with_the_reason(
    client: AsyncClient, field: str, content: bytes, reason: str
) -> None:
    answer = await client.patch(URL, files={field: ("logo.png", content)})
    assert answer.status_code == 400
    assert reason in answer.json()[field][0]
    assert (await client.get(URL)).json()["logo_square"] is None


async def test_a_refused_change_changes_nothing(client: AsyncClient) -> None:
    answer = await client.patch(URL, json={"callback_seconds": 9, "color_panel": "blue"})
    assert answer.status_code == 400
    assert (await client.get(URL)).json()["callback_seconds"] == 2


async def test_addresses_of_logos_cannot_be_guessed_by_pattern(
    client: AsyncClient, application: RegisteredApplication
) -> None:
    await client.patch(URL, files={"image_square": ("a.png", picture(64, 64))})
    for digest in ("%25" * 16, "_" * 16, "0", "0" * 16):
        assert (await client.get(f"/hosted/brand/{application.application.id}/{digest}")).status_code == 404
    assert (await client.get(f"/hosted/brand/not-an-id/{'0' * 16}")).status_code == 404

"""Customisation of the hosted page (contract file 60, section 6)."""

from __future__ import annotations

from tests.contract.world import World, exercises
from tests.services.pictures import flat_jpeg, flat_png

URL = "/v3/customization/"


@exercises("GET /v3/customization/")
async def get_customization(world: World) -> None:
    assert (await world.good(200))["app_public_name"] is None
    await world.setup("PATCH", URL, 200, json={"app_public_name": "ACME Bank"})
    assert (await world.good(200))["app_public_name"] == "ACME Bank"
    assert (await world.good(200, as_=world.foreign))["app_public_name"] is None
    await world.refuses_strangers()


@exercises("PATCH /v3/customization/")
async def update_customization(world: World) -> None:
    changed = await world.good(
        200,
        json={
            "color_primary": "#0F766E",
            "border_radius_buttons": 4,
            "font_family": "Georgia, serif",
            "privacy_policy_url": "https://acme.example/privacy",
            "callback_seconds": 5,
            "hide_progress_bar": True,
        },
    )
    assert changed["color_primary"] == "#0f766e"
    shown = await world.good(
        200,
        files={
            "image_square": ("logo.png", flat_png(64, 64)),
            "image_rectangular": ("wide.jpg", flat_jpeg(128, 64)),
            "image_favicon": ("favicon.png", flat_png(32, 32)),
        },
    )
    assert shown["callback_seconds"] == 5
    assert shown["favicon"].startswith("http://testserver/hosted/brand/")
    assert (await world.good(200, json={"delete_favicon": True}))["favicon"] is None
    await world.tolerated(200, json={"texts": {"en": {"common.continue": "Go on"}}, "unknown": 1})
    await world.tolerated(200, data={"app_public_name": "ACME", "callback_seconds": "3"})
    for changes, field in (
        ({"color_primary": "red"}, "color_primary"),
        ({"border_radius_panel": -1}, "border_radius_panel"),
        ({"callback_seconds": 61}, "callback_seconds"),
        ({"privacy_policy_url": "javascript:alert(1)"}, "privacy_policy_url"),
        ({"font_family": "x; } body {"}, "font_family"),
        ({"font_weight": None}, "font_weight"),
        ({"texts": {"tlh": {"common.continue": "x"}}}, "texts"),
    ):
        assert field in await world.bad(400, json=changes)
    assert "image_square" in await world.bad(400, files={"image_square": ("logo.png", flat_png(64, 32))})
    await world.bad(400, json=[])
    await world.bad(400, content=b"{", headers={"content-type": "application/json"})
    await world.bad(400, content=b"<a/>", headers={"content-type": "text/xml"})
    await world.refuses_strangers(json={"callback_seconds": 3})

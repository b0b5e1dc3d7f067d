"""Read and change how an application presents itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipse.audit.service import record
from ipse.branding import repository
from ipse.branding.images import KINDS, ImageKind
from ipse.branding.schemas import CHOICES, COLORS, BrandingCustomization, BrandingCustomizationUpdate
from ipse.runtime.scope import Scope
from ipse.storage.tables import BrandingImageRow, BrandingRow

_DIGEST_SHOWN: Final = 16
"""Characters of the digest in an address: 64 bits tell the few images of an application apart."""


@dataclass(frozen=True, slots=True)
class Branding:
    """What the hosted page shows of the operator. Addresses are paths: the page lies on the same origin.

    ``colors`` holds only what was chosen: the page's own defaults, light and dark, fill the rest.
    """

    name: str
    logo: str | None
    wide_logo: str | None
    favicon: str | None
    colors: Mapping[str, str]
    font_family: str | None
    font_weight: str | None
    border_radius_panel: int | None
    border_radius_buttons: int | None
    privacy_policy_url: str | None
    skip_welcome_screen: bool
    hide_progress_bar: bool
    callback_seconds: int
    """0 to 60."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """An upload that :func:`ipse.branding.images.check` let through."""

    kind: ImageKind
    content: bytes
    content_type: str


async def brand_of(scope: Scope) -> Branding:
    """Return the brand of the application, for the hosted page."""
    row = await repository.find(scope)
    chosen = row.choices if row is not None else {}
    every = BrandingCustomizationUpdate.model_validate(chosen)
    paths = await _paths(scope)
    return Branding(
        name=every.app_public_name or scope.application.name,
        logo=paths.get("logo_square"),
        wide_logo=paths.get("logo_rectangular"),
        favicon=paths.get("favicon"),
        colors={name: chosen[name] for name in COLORS if name in chosen},
        font_family=chosen.get("font_family"),
        font_weight=chosen.get("font_weight"),
        border_radius_panel=chosen.get("border_radius_panel"),
        border_radius_buttons=chosen.get("border_radius_buttons"),
        privacy_policy_url=every.privacy_policy_url,
        skip_welcome_screen=every.skip_welcome_screen,
        hide_progress_bar=every.hide_progress_bar,
        callback_seconds=every.callback_seconds,
        texts=every.texts,
    )


async def customization(scope: Scope) -> BrandingCustomization:
    """Return every key with its value, images as absolute addresses."""
    row = await repository.find(scope)
    address = scope.services.settings.public_url.rstrip("/")
    images: dict[str, Any] = {kind.shown_as: None for kind in KINDS}
    images |= {shown_as: address + path for shown_as, path in (await _paths(scope)).items()}
    return BrandingCustomization.model_validate({**(row.choices if row is not None else {}), **images})


async def change(scope: Scope, wanted: BrandingCustomizationUpdate, images: Mapping[str, CheckedImage]) -> None:
    """Keep the fields that were sent and the images that were uploaded; an upload wins over its ``delete_`` key.

    Args:
        images: by name of their kind.
    """
    now = scope.services.clock.now()
    row = await repository.find(scope, lock=True)
    if row is None:
        row = BrandingRow(application_id=scope.application_id, choices={}, updated_at=now)
        scope.tx.add(row)
    sent = wanted.model_dump(mode="json", include=wanted.model_fields_set & CHOICES)
    row.choices = {**row.choices, **sent}
    row.updated_at = now
    for kind in KINDS:
        if kind.name in images:
            await _keep(scope, images[kind.name])
        elif getattr(wanted, f"delete_{kind.shown_as}"):
            gone = await repository.image(scope, kind.name)
            if gone is not None:
                await scope.tx.delete(gone)
    fields = sorted({*sent, *images})
    await record(scope, "branding.changed", object_type="branding", object_id=None, details={"fields": fields})
    await scope.tx.flush()


async def _keep(scope: Scope, image: CheckedImage) -> None:
    row = await repository.image(scope, image.kind.name)
    if row is None:
        row = BrandingImageRow(application_id=scope.application_id, kind=image.kind.name)
        scope.tx.add(row)
    row.content = image.content
    row.content_type = image.content_type
    row.digest = hashlib.sha256(image.content).hexdigest()


async def _paths(scope: Scope) -> Mapping[str, str]:
    """Return the path of each image under its key in the contract."""
    digests = await repository.digests(scope)
    return {
        kind.shown_as: f"/hosted/brand/{scope.application_id}/{digests[kind.name][:_DIGEST_SHOWN]}"
        for kind in KINDS
        if kind.name in digests
    }

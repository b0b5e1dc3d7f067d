"""Queries on brandings and their images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, select

from ipse.runtime.scope import Scope
from ipse.storage.columns import Id
from ipse.storage.database import Transaction
from ipse.storage.tables import BrandingImageRow, BrandingRow

# Every step of a capture asks: built once.
_CHOICES: Final = select(BrandingRow).where(BrandingRow.application_id == bindparam("application", type_=Id))
_DIGESTS: Final = select(BrandingImageRow.kind, BrandingImageRow.digest).where(
    BrandingImageRow.application_id == bindparam("application", type_=Id)
)


async def find(scope: Scope, *, lock: bool = False) -> BrandingRow | None:
    """Return what the application chose, or nothing when it never chose anything."""
    row: BrandingRow | None = await scope.tx.scalar(
        _CHOICES.with_for_update() if lock else _CHOICES, {"application": scope.application_id}
    )
    return row


async def digests(scope: Scope) -> Mapping[str, str]:
    """Return the SHA-256 of each image of the application by kind, without reading the images."""
    rows = await scope.tx.execute(_DIGESTS, {"application": scope.application_id})
    return {row.kind: row.digest for row in rows}


async def image(scope: Scope, kind: str) -> BrandingImageRow | None:
    """Return one image of the application."""
    row: BrandingImageRow | None = await scope.tx.get(BrandingImageRow, (scope.application_id, kind))
    return row


async def image_by_digest(tx: Transaction, application_id: str, beginning: str) -> BrandingImageRow | None:
    """Return the image of an application whose digest starts with ``beginning``; images are public."""
    row: BrandingImageRow | None = await tx.scalar(
        select(BrandingImageRow)
        .where(
            BrandingImageRow.application_id == application_id,
            BrandingImageRow.digest.startswith(beginning, autoescape=True),
        )
        .limit(1)
    )
    return row

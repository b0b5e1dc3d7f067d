"""Receipts as the API shows them."""

from __future__ import annotations

from ipse.privacy.receipts import Kind, Reason
from ipse.privacy.schemas import ReceiptItem
from ipse.storage.tables import ErasureReceiptRow


def receipt(row: ErasureReceiptRow) -> ReceiptItem:
    """One receipt."""
    return ReceiptItem(
        uuid=row.id,
        kind=Kind(row.kind),
        reason=Reason(row.reason),
        destroyed={name: int(count) for name, count in row.destroyed.items()},
        receipt=row.signed,
        created_at=row.created_at,
    )

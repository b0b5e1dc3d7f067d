"""Shapes of the privacy endpoints."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from ipse.privacy.receipts import Kind, Reason


class ReceiptItem(BaseModel):
    """A receipt of an erasure. It names nobody."""

    uuid: str
    kind: Kind
    reason: Reason
    destroyed: dict[str, int] = Field(description="Rows by table.")
    receipt: str = Field(description="Compact JWS; `ipse receipt verify` checks it without this service.")
    created_at: datetime

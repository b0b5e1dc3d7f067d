"""Answers of the calls about locks. Ours; the contract has none."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class UserLock(BaseModel):
    """Failed attempts of one budget: a device of the person's own, or all other devices together."""

    is_own_device: bool = Field(description="A device on which the person was approved; it has a budget of its own.")
    failures_in_a_row: int = Field(ge=0)
    failures_today: int = Field(ge=0, description="In the last 24 hours.")
    until: datetime | None = Field(description="No face is tried before; null: now, unless stopped.")
    is_stopped: bool = Field(description="No face is tried until the lock is lifted.")


class Unlocked(BaseModel):
    """What lifting changed."""

    forgotten: int = Field(ge=0, description="Failed attempts and locks that count no more.")

"""What a person, a device, an address and a payee did before: counted over the recorded evaluations.

The rows are the counter, so that it survives restarts and is one for all processes. :func:`lock` lets requests about
the same person, device, address or payee pass one after another; without it two could both be the last allowed one.
A row dated in the future, after a clock was set back, counts: forgetting it would hand out fresh allowances.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, case, distinct, func, select, text, true, update

from ipse.decision.policy.fields import decimal_of
from ipse.decision.policy.model import Outcome, Subject, Tally
from ipse.runtime.scope import Scope
from ipse.signals.velocity import PastActions
from ipse.step_up.actions import CanonicalAction
from ipse.storage.columns import Id, UtcDateTime
from ipse.storage.tables import EvaluationRow

DAY: Final = timedelta(hours=24)

_PAYEE_PURPOSE: Final = "step-up-payee"


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whose actions are counted. ``payees`` are the digests of one payee, the one to store first."""

    user: str
    device: str | None = None
    ip: str | None = None
    payees: tuple[str, ...] = ()

    def has(self, subject: Subject) -> bool:
        """Whether it is known who that is."""
        return bool({"user": self.user, "device": self.device, "ip": self.ip, "payee": self.payees}[subject.value])


@dataclass(frozen=True, slots=True)
class Past:
    """What the recorded evaluations say."""

    counts: Mapping[str, int]
    """Key of a tally -> count; a subject that is not known has none."""
    actions: PastActions
    is_known_payee: bool | None


def payee_keys(scope: Scope, action: CanonicalAction) -> tuple[str, ...]:
    """Digests of who gets the money, under every key of the ordinary ring, newest first; none without a payee.

    The account says it best; a name is folded, because people write it in many ways.
    """
    account, payee = action.value.get("account"), action.value.get("payee")
    if account is None and payee is None:
        return ()
    named = f"account|{account}" if account is not None else f"payee|{' '.join(str(payee).casefold().split())}"
    tags = scope.services.ordinary_ring.tags(f"{scope.application_id}|{named}".encode(), purpose=_PAYEE_PURPOSE)
    return tuple(base64.urlsafe_b64encode(tag).decode() for tag in tags)


async def lock(scope: Scope, names: Sequence[str | None]) -> None:
    """Wait until no other transaction counts for one of ``names``; SQLite has one writer anyway."""
    if scope.services.database.is_sqlite:
        return
    keys = sorted({_lock_key(scope.application_id, name) for name in names if name})
    await scope.tx.execute(
        text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS k(key)"),
        {"keys": keys},
    )


def _lock_key(application_id: str, name: str) -> int:
    digest = hashlib.sha256(f"step-up|{application_id}|{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def past(scope: Scope, subjects: Subjects, action_type: str, tallies: frozenset[Tally]) -> Past:
    """Count everything in one statement."""
    asked = tuple(sorted((tally for tally in tallies if subjects.has(tally.subject)), key=lambda tally: tally.key))
    statement = _statement(asked, subjects.device is not None, subjects.ip is not None, len(subjects.payees))
    now = scope.services.clock.now()
    values: dict[str, Any] = {
        "application": scope.application_id,
        "user": subjects.user,
        "device": subjects.device,
        "ip": subjects.ip,
        "payees": list(subjects.payees),
        "type": action_type,
        "minutes10": now - timedelta(minutes=10),
        "hour": now - timedelta(hours=1),
        "day": now - DAY,
        **{f"since{number}": now - timedelta(minutes=tally.minutes) for number, tally in enumerate(asked)},
        **{f"type{number}": tally.action_type for number, tally in enumerate(asked)},
    }
    row = (await scope.tx.execute(statement, values)).mappings().one()
    return Past(
        counts={tally.key: row[f"count{number}"] for number, tally in enumerate(asked)},
        actions=PastActions(
            user_10m=row["user_10m"] or 0,
            user_1h=row["user_1h"] or 0,
            user_24h=row["user_24h"] or 0,
            user_same_type_24h=row["user_same_type_24h"] or 0,
            user_payees_24h=row["user_payees_24h"] or 0,
            user_denied_24h=row["user_denied_24h"] or 0,
            user_unfinished_24h=row["user_unfinished_24h"] or 0,
            device_1h=row.get("device_1h"),
            device_users_24h=row.get("device_users_24h"),
            ip_10m=row.get("ip_10m"),
            ip_1h=row.get("ip_1h"),
            ip_users_1h=row.get("ip_users_1h"),
        ),
        is_known_payee=bool(row["payee_known"]) if subjects.payees else None,
    )


@lru_cache(maxsize=256)
def _statement(tallies: tuple[Tally, ...], has_device: bool, has_ip: bool, payees: int) -> Select[Any]:
    """One select of sub-selects. Built once for each shape: building it costs more than running it."""
    row = EvaluationRow.__table__.c
    mine = row.application_id == bindparam("application", type_=Id)
    whose: dict[Subject, ColumnElement[bool]] = {
        Subject.USER: row.vendor_data == bindparam("user"),
        Subject.DEVICE: row.device_id == bindparam("device", type_=Id),
        Subject.IP: row.ip == bindparam("ip"),
        Subject.PAYEE: row.payee_key.in_(bindparam("payees", expanding=True)),
    }

    def after(name: str) -> ColumnElement[bool]:
        return row.evaluated_at > bindparam(name, type_=UtcDateTime())

    def counted(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.sum(case((condition, 1), else_=0))

    unfinished = (row.answer == Outcome.STEP_UP.value) & row.completed_at.is_(None)
    user = (
        select(
            counted(after("minutes10")).label("user_10m"),
            counted(after("hour")).label("user_1h"),
            func.count().label("user_24h"),
            counted(row.action_type == bindparam("type")).label("user_same_type_24h"),
            func.count(distinct(row.payee_key)).label("user_payees_24h"),
            counted(row.answer == Outcome.DENY.value).label("user_denied_24h"),
            counted(unfinished).label("user_unfinished_24h"),
        )
        .where(mine, whose[Subject.USER], after("day"))
        .subquery("of_user")
    )
    parts: list[Any] = [user]
    if has_device:
        parts.append(
            select(
                counted(after("hour")).label("device_1h"),
                func.count(distinct(row.vendor_data)).label("device_users_24h"),
            )
            .where(mine, whose[Subject.DEVICE], after("day"))
            .subquery("of_device")
        )
    if has_ip:
        parts.append(
            select(
                counted(after("minutes10")).label("ip_10m"),
                func.count().label("ip_1h"),
                func.count(distinct(row.vendor_data)).label("ip_users_1h"),
            )
            .where(mine, whose[Subject.IP], after("hour"))
            .subquery("of_ip")
        )
    columns: list[Any] = [column for part in parts for column in part.c]
    for number, tally in enumerate(tallies):
        conditions = [mine, whose[tally.subject], after(f"since{number}")]
        if tally.action_type is not None:
            conditions.append(row.action_type == bindparam(f"type{number}"))
        columns.append(
            select(func.count())
            .select_from(EvaluationRow.__table__)
            .where(*conditions)
            .scalar_subquery()
            .label(f"count{number}")
        )
    if payees:
        known = select(row.id).where(mine, whose[Subject.USER], whose[Subject.PAYEE], row.completed_at.is_not(None))
        columns.append(known.exists().label("payee_known"))
    joined: Any = user
    for part in parts[1:]:
        joined = joined.join(part, true())  # each part is one row
    return select(*columns).select_from(joined)


_TABLE: Final = EvaluationRow.__table__
_SPENT: Final = select(_TABLE.c.amount).where(
    _TABLE.c.application_id == bindparam("application", type_=Id),
    _TABLE.c.vendor_data == bindparam("user"),
    _TABLE.c.evaluated_at > bindparam("day", type_=UtcDateTime()),
    _TABLE.c.currency == bindparam("currency"),
    _TABLE.c.completed_at.is_not(None),
)
"""The amounts that a person completed in one currency."""


async def spent_today(scope: Scope, vendor_data: str, currency: str) -> Decimal:
    """Sum of what the person completed in this currency in the last 24 hours."""
    amounts = await scope.tx.scalars(
        _SPENT,
        {
            "application": scope.application_id,
            "user": vendor_data,
            "day": scope.services.clock.now() - DAY,
            "currency": currency,
        },
    )
    return sum((decimal_of(amount) or Decimal(0) for amount in amounts), Decimal(0))


async def complete(scope: Scope, evaluation_id: str) -> None:
    """Write down that the action was carried out, once: from now on its payee is known and its amount is spent."""
    await scope.tx.execute(
        update(EvaluationRow)
        .where(
            EvaluationRow.id == evaluation_id,
            EvaluationRow.application_id == scope.application_id,
            EvaluationRow.completed_at.is_(None),
        )
        .values(completed_at=scope.services.clock.now())
    )

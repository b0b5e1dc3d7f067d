"""The signals of a session as they are stored: written while it runs, read by decisions and analysts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ipse.decision.signal_catalogue import SIGNALS
from ipse.decision.values import JsonValue, items_of
from ipse.runtime.scope import Scope
from ipse.signals.paths import at
from ipse.storage.tables import SessionRow, SessionSignalsRow

_FIELDS: Final = "signals."


async def stored(scope: Scope, session: SessionRow) -> dict[str, JsonValue]:
    """Code -> value in the order of the catalogue. Codes that a later version dropped are left out."""
    row = await _row(scope, session)
    kept: Mapping[str, JsonValue] = {} if row is None else row.signals
    return {code: kept[code] for code in SIGNALS if code in kept}


async def store(scope: Scope, session: SessionRow, values: Mapping[str, JsonValue]) -> None:
    """Put ``values`` in place of what was stored."""
    row, now = await _row(scope, session), scope.services.clock.now()
    if row is None:
        scope.tx.add(SessionSignalsRow(session_id=session.id, signals=dict(values), updated_at=now))
    elif row.signals != values:
        row.signals, row.updated_at = dict(values), now
    await scope.tx.flush()


async def _row(scope: Scope, session: SessionRow) -> SessionSignalsRow | None:
    return await scope.tx.get(SessionSignalsRow, session.id)


def decisive(trace: Sequence[JsonValue]) -> list[str]:
    """Signals that the rules of the workflow read, in the order of the walk, each once."""
    fields = (
        at(rule, "field")
        for step in trace
        for branch in items_of(at(step, "branches"))
        for rule in items_of(at(branch, "rules"))
    )
    codes = (field.removeprefix(_FIELDS) for field in fields if isinstance(field, str) and field.startswith(_FIELDS))
    return list(dict.fromkeys(codes))

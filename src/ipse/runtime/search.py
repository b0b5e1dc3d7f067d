"""Searching what is sealed: every word asked for must begin a word of the object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, false, func, insert, select
from sqlalchemy.orm import QueryableAttribute

from ipse.runtime.scope import Scope
from ipse.storage.sealed import Vault, vault_of
from ipse.storage.search_terms import asked_tags, stored_tags
from ipse.storage.tables import SearchTermRow

_ROWS = 5000
"""Rows of one insertion."""


class Kind(StrEnum):
    """What an object is found by."""

    VENDOR_DATA = "vendor_data"
    NAME = "name"
    LIST_ENTRY = "list entry"


async def index(scope: Scope, kind: Kind, texts: Iterable[tuple[str, Sequence[str | None]]]) -> None:
    """Let new objects be found by their texts: pairs of an id and its texts."""
    vault = _vault(scope)
    rows = [
        {"application_id": scope.application_id, "kind": kind.value, "tag": tag, "object_id": object_id}
        for object_id, some in texts
        for tag in stored_tags(vault, scope.application_id, some)
    ]
    connection = await scope.tx.connection()
    for start in range(0, len(rows), _ROWS):
        await connection.execute(insert(SearchTermRow.__table__), rows[start : start + _ROWS])  # type: ignore[arg-type]


async def reindex(scope: Scope, kind: Kind, object_id: str, texts: Sequence[str | None]) -> None:
    """Let an object be found by the texts it has now. Deleted ones need no call: a trigger takes their terms along."""
    await scope.tx.execute(
        delete(SearchTermRow).where(
            SearchTermRow.application_id == scope.application_id,
            SearchTermRow.object_id == object_id,
            SearchTermRow.kind == kind.value,
        )
    )
    await index(scope, kind, [(object_id, texts)])


def matches(scope: Scope, column: QueryableAttribute[Any], kind: Kind, text: str) -> ColumnElement[bool]:
    """Whether ``column`` holds the id of an object whose words begin with those of ``text``."""
    tags = asked_tags(_vault(scope), scope.application_id, text)
    return column.in_(_having(scope, kind, tags)) if tags else false()


def _having(scope: Scope, kind: Kind, tags: set[str]) -> Select[Any]:
    query = select(SearchTermRow.object_id).where(
        SearchTermRow.application_id == scope.application_id,
        SearchTermRow.kind == kind.value,
        SearchTermRow.tag.in_(sorted(tags)),
    )
    if len(tags) == 1:
        return query
    return query.group_by(SearchTermRow.object_id).having(func.count() == len(tags))


def _vault(scope: Scope) -> Vault:
    return vault_of(scope.services.database.engine.dialect)

"""Column types that behave the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, DateTime, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator, TypeEngine

from ipse.storage.sealed import NotQueryable, vault_of


class JsonDocument(TypeDecorator[Any]):
    """JSON document: ``JSON`` on SQLite, ``JSONB`` on PostgreSQL; ``None`` is stored as SQL NULL."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = JSONB if dialect.name == "postgresql" else JSON
        return dialect.type_descriptor(kind(none_as_null=True))


Json = JsonDocument()

Id = Uuid(as_uuid=False)
"""UUID, carried through the code as its 36-character text."""


class UtcDateTime(TypeDecorator[datetime]):
    """Timezone-aware instants. SQLite hands back naive values; they are UTC by construction."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database; every instant must carry its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Pseudonym(TypeDecorator[str]):
    """Text stored under deterministic encryption: equal values of one ``field`` are equal in every table.

    Equality, ``IN``, joins and unique constraints go on working; everything that depends on the letters is refused.
    ``length`` is that of the clear text; the stored one is up to 4/3 of its UTF-8 bytes and 22 characters more, and has
    no limit.
    """

    impl = String
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[str]):
        """Refuses what would silently compare ciphertext."""

        def operate(self, op: Any, *other: Any, **options: Any) -> Any:
            if op not in _BY_EQUALITY:
                raise NotQueryable(f"{self.expr} is a pseudonym: it can be compared for equality only.")
            return super().operate(op, *other, **options)

    comparator_factory = Comparator

    def __init__(self, field: str, length: int) -> None:
        super().__init__()
        self.field = field
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else vault_of(dialect).pseudonym(value, field=self.field)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else vault_of(dialect).reveal(value, field=self.field)


class PseudonymNumber(TypeDecorator[float]):
    """A number stored as a :class:`Pseudonym`."""

    impl = String
    cache_ok = True

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field

    def process_bind_param(self, value: float | None, dialect: Dialect) -> str | None:
        return None if value is None else vault_of(dialect).pseudonym(repr(float(value)), field=self.field)

    def process_result_value(self, value: str | None, dialect: Dialect) -> float | None:
        return None if value is None else float(vault_of(dialect).reveal(value, field=self.field))


_BY_EQUALITY: Final = frozenset(
    (
        operators.eq,
        operators.ne,
        operators.in_op,
        operators.not_in_op,
        operators.is_,
        operators.is_not,
        operators.is_distinct_from,
        operators.is_not_distinct_from,
        operators.distinct_op,
    )
)

"""Personal fields that only this service can read: sealed in the database, ordinary attributes in the code.

Two mechanisms, one for each purpose (decision 0017):

* :class:`SealedField` is for what is only shown: names, comments, reports. The value is JSON under the ordinary key
  ring, bound to its table, field, application and row, so that it opens nowhere else. It cannot be used in a query.
* :class:`~ipse.storage.columns.Pseudonym` is for what is looked up: equal values are equal bytes.

Both get their keys from the :class:`Vault` that the database was given (``Database.unlock``); it lies on the engine's
dialect, which mapper events and column types both see, so that no global holds a key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar, overload

from sqlalchemy import LargeBinary, Table, event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm import Mapper, QueryContext, mapped_column

T = TypeVar("T")

SUFFIX: Final = "_sealed"
"""The column of a field ``x`` is ``x_sealed``."""

_VAULT: Final = "ipse_vault"
_HELD: Final = "_ipse_held"
_FIELDS: Final = "_ipse_sealed_fields"


class Vault(Protocol):
    """What seals and opens; ``ipse.security.vault`` implements it over the ordinary ring and the look-up secret."""

    def seal(self, content: bytes, *, context: bytes) -> bytes:
        """Encrypt ``content``; ``context`` is authenticated and not stored."""
        ...

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Return what was sealed, or raise: another context, another key, changed bytes."""
        ...

    def pseudonym(self, text: str, *, field: str) -> str:
        """Encrypt ``text`` so that equal texts of one field are equal."""
        ...

    def reveal(self, pseudonym: str, *, field: str) -> str:
        """Return the text behind a pseudonym, or raise."""
        ...

    def tag(self, purpose: str, *parts: str) -> str:
        """Return a keyed digest in hex, which nothing opens."""
        ...


class VaultMissing(RuntimeError):
    """A sealed field was touched through a database that was never unlocked."""

    def __init__(self) -> None:
        super().__init__("The database was not unlocked: no key for its sealed fields.")


class NotQueryable(TypeError):
    """A sealed field was used in a query."""


def absent() -> None:
    """What an empty column of an optional field means."""


def attach(dialect: Dialect, vault: Vault) -> None:
    """Let everything that goes through the engine of ``dialect`` use ``vault``."""
    vars(dialect)[_VAULT] = vault


def vault_of(dialect: Dialect) -> Vault:
    """Return the vault of an engine.

    Raises:
        VaultMissing: it has none.
    """
    vault: Vault | None = vars(dialect).get(_VAULT)
    if vault is None:
        raise VaultMissing
    return vault


class _Unqueryable:
    """What a row class answers in place of a column."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, *_: object) -> NoReturn:
        raise NotQueryable(f"{self._name} is sealed: load the rows and read the attribute.")

    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __getitem__ = __invert__ = _refuse
    __hash__ = None  # type: ignore[assignment]  # nothing may collect it either

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse()


class SealedField(Generic[T]):
    """An attribute whose column holds it sealed. ``default`` is what an empty column means.

    A value set on a new row waits on the instance and is sealed when the row is inserted, when its key and application
    are known. As with plain JSON columns, changing a list or dict in place is not noticed: assign it anew.
    """

    def __init__(self, default: Callable[[], T]) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.column = name + SUFFIX
        setattr(owner, self.column, mapped_column(LargeBinary, nullable=True))

    @overload
    def __get__(self, instance: None, owner: type) -> _Unqueryable: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T | _Unqueryable:
        if instance is None:
            return _Unqueryable(f"{owner.__name__}.{self.name}")
        sealed: bytes | None = getattr(instance, self.column)
        held = _held(instance)
        if self.name in held and held[self.name][0] is sealed:
            value: T = held[self.name][1]
            return value
        if sealed is None:
            value = self.default()
        else:
            value = json.loads(_vault_at(instance).open(sealed, context=context_at(instance, self.name)))
        held[self.name] = (sealed, value)
        return value

    def __set__(self, instance: object, value: T) -> None:
        stored = _VAULT in vars(instance)
        sealed = None if not stored or self.is_empty(value) else self._seal(instance, value)
        setattr(instance, self.column, sealed)
        _held(instance)[self.name] = (sealed, value)

    def seal(self, instance: object) -> None:
        """Seal what waits on a row that is about to be inserted."""
        sealed, value = _held(instance).get(self.name, (None, None))
        if sealed is None and not self.is_empty(value):
            sealed = self._seal(instance, value)
            setattr(instance, self.column, sealed)
            _held(instance)[self.name] = (sealed, value)

    def _seal(self, instance: object, value: T) -> bytes:
        return _vault_at(instance).seal(encode(value), context=context_at(instance, self.name))

    def is_empty(self, value: T | None) -> bool:
        """Whether an empty column says the same."""
        return value is None or value == self.default()


def fields_of(table: type) -> Mapping[str, SealedField[Any]]:
    """Return the sealed fields of a row class by name."""
    found: Mapping[str, SealedField[Any]] = vars(table)[_FIELDS]
    return found


def declare(table: type) -> None:
    """Note the sealed fields of a row class and what they are bound to; called once for every class."""
    fields = {name: field for name, field in vars(table).items() if isinstance(field, SealedField)}
    setattr(table, _FIELDS, fields)
    if fields:
        event.listen(table, "load", _take_vault)
        event.listen(table, "before_insert", _seal_new)


def context_of(table: str, field: str, application_id: str | None, key: Sequence[Any]) -> bytes:
    """Return what a sealed value is bound to. Identifiers count without their dashes, as SQLite stores them."""
    parts = (table, field, (application_id or "").replace("-", ""), *(str(part).replace("-", "") for part in key))
    return "|".join(parts).encode()


def key_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that identify a row for good: ``id`` where there is one, otherwise the primary key."""
    return ("id",) if "id" in table.columns else tuple(column.name for column in table.primary_key)


def encode(value: Any) -> bytes:
    """Return a value as it is sealed: JSON. Lone surrogates, which JSON may carry, survive."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def sealed_columns(table: type, values: Mapping[str, Any], vault: Vault) -> dict[str, Any]:
    """Return ``values`` of one row, by attribute, as an insertion past the ORM takes them."""
    fields = fields_of(table)
    rows: Table = table.__table__  # type: ignore[attr-defined]
    key = [values[name] for name in key_columns(rows)]
    stored = {name: value for name, value in values.items() if name not in fields}
    for name, field in fields.items():
        value = values.get(name)
        bound_to = context_of(rows.name, name, values.get("application_id"), key)
        stored[field.column] = None if field.is_empty(value) else vault.seal(encode(value), context=bound_to)
    return stored


def open_column(table: type, field: str, row: Any, vault: Vault) -> Any:
    """Return the value of a field in a row that was read past the ORM, with its key and its sealed column."""
    described = fields_of(table)[field]
    rows: Table = table.__table__  # type: ignore[attr-defined]
    sealed = getattr(row, described.column)
    if sealed is None:
        return described.default()
    key = [getattr(row, name) for name in key_columns(rows)]
    bound_to = context_of(rows.name, field, getattr(row, "application_id", None), key)
    return json.loads(vault.open(sealed, context=bound_to))


def context_at(instance: Any, field: str) -> bytes:
    """Return what the value of ``field`` in a row is bound to."""
    table = instance.__table__
    key = [getattr(instance, name) for name in key_columns(table)]
    return context_of(table.name, field, getattr(instance, "application_id", None), key)


def _held(instance: object) -> dict[str, tuple[bytes | None, Any]]:
    """What is known in clear of each field, with the bytes it was read from or sealed to."""
    held: dict[str, tuple[bytes | None, Any]] = vars(instance).setdefault(_HELD, {})
    return held


def _vault_at(instance: object) -> Vault:
    vault: Vault | None = vars(instance).get(_VAULT)
    if vault is None:
        raise VaultMissing
    return vault


def _take_vault(instance: object, context: QueryContext) -> None:
    vars(instance)[_VAULT] = vars(context.session.get_bind().dialect).get(_VAULT)


def _seal_new(_mapper: Mapper[Any], connection: Connection, instance: object) -> None:
    vars(instance)[_VAULT] = vars(connection.dialect).get(_VAULT)
    for field in fields_of(type(instance)).values():
        field.seal(instance)

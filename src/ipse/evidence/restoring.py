"""Dataclasses from plain JSON, by their annotations: the way back from ``observed.plain``.

Strict where it matters: a field that is missing without a default, a field that nobody knows, a text where a number
belongs. JSON values that a dataclass keeps as they are come back as they are.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final, TypeVar

T = TypeVar("T")

_Read = Callable[[Any], Any]


def restore(kind: type[T], stored: Any) -> T:
    """Return the dataclass ``kind`` that was written as ``stored``.

    Raises:
        ValueError: it was not; the sentence begins with the field.
    """
    hint: Any = kind
    restored: T = _reader(hint)(stored)
    return restored


@cache
def _reader(hint: Any) -> _Read:
    """How a value of an annotated type is read."""
    arguments = typing.get_args(hint)
    match typing.get_origin(hint):
        case typing.Union | types.UnionType:
            known = [one for one in arguments if one is not types.NoneType]
            return _optional(_reader(known[0])) if len(known) == 1 else _as_it_is
        case typing.Literal:
            return _one_of(arguments)
        case origin if origin is tuple:
            return _tuple(arguments)
        case origin if isinstance(origin, type) and issubclass(origin, Mapping):
            return _mapping(_reader(arguments[1]))
        case origin if isinstance(origin, type) and issubclass(origin, Sequence):
            return _sequence(_reader(arguments[0]))
    if isinstance(hint, type):
        if is_dataclass(hint):
            return _fields(hint)
        if issubclass(hint, enum.Enum):
            return hint
        return _PLAIN.get(hint, _as_it_is)
    return _as_it_is


def _fields(kind: type[Any]) -> _Read:
    hints = typing.get_type_hints(kind, localns=_JSON)
    needed = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}
    # Annotations of a dataclass may name itself or one another: its readers are made when it is first read.
    readers: dict[str, _Read] = {}

    def read(value: Any) -> Any:
        if not readers:
            readers.update({one.name: _reader(hints[one.name]) for one in fields(kind)})
        if not isinstance(value, Mapping):
            raise ValueError(f"{kind.__name__}: not an object")
        if missing := needed - value.keys():
            raise ValueError(f"{min(missing)}: missing")
        if unknown := value.keys() - readers.keys():
            raise ValueError(f"{min(unknown)}: unknown")
        return kind(**{name: _at(name, readers[name], item) for name, item in value.items()})

    return read


def _at(name: str, read: _Read, value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _optional(read: _Read) -> _Read:
    return lambda value: None if value is None else read(value)


def _one_of(allowed: tuple[Any, ...]) -> _Read:
    def read(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"not one of {', '.join(map(str, allowed))}")
        return value

    return read


def _tuple(arguments: tuple[Any, ...]) -> _Read:
    if len(arguments) == 2 and arguments[1] is ...:
        read_all = _sequence(_reader(arguments[0]))
        return lambda value: tuple(read_all(value))
    readers = [_reader(one) for one in arguments]

    def read(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(readers):
            raise ValueError(f"not a list of {len(readers)}")
        return tuple(each(item) for each, item in zip(readers, value, strict=True))

    return read


def _sequence(each: _Read) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("not a list")
        return [each(item) for item in value]

    return read


def _mapping(each: _Read) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError("not an object")
        return {key: each(item) for key, item in value.items()}

    return read


def _as_it_is(value: Any) -> Any:
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    return float(value)


def _exactly(kind: type[Any]) -> _Read:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"not {kind.__name__}")
        return value

    return read


def _text(read: Callable[[str], Any]) -> _Read:
    exact = _exactly(str)
    return lambda value: read(exact(value))


_JSON: Final[Mapping[str, Any]] = {"JsonValue": Any, "JsonObject": Mapping[str, Any]}
"""Names in annotations that stand for JSON of any shape."""
_PLAIN: Final[Mapping[type[Any], _Read]] = {
    float: _number,
    int: _exactly(int),
    bool: _exactly(bool),
    str: _exactly(str),
    datetime: _text(datetime.fromisoformat),
    date: _text(date.fromisoformat),
}

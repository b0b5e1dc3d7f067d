"""The signal catalogue: every named value that is computed on a session, with its meaning and its privacy class.

The lines live in ``signals/*.tsv`` beside this file, one file per group. A code reads ``group.name``; branch rules and
step-up policies address it as ``signals.group.name``. A signal is listed only if ``ipse.signals`` computes it, and
``tests/unit/signals`` computes each of them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from ipse.decision.values import JsonValue, as_number, is_list


class SignalType(StrEnum):
    """JSON type of a signal's value."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    LIST = "list"

    def fits(self, value: JsonValue) -> bool:
        """Whether ``value`` is of this type."""
        return _FITS[self](value)


_FITS: Final[Mapping[SignalType, Callable[[JsonValue], bool]]] = {
    SignalType.BOOLEAN: lambda value: isinstance(value, bool),
    SignalType.NUMBER: lambda value: as_number(value) is not None,
    SignalType.TEXT: lambda value: isinstance(value, str),
    SignalType.LIST: is_list,
}


class PrivacyClass(StrEnum):
    """How close a value is to a person; retention and exports treat the classes apart."""

    TECHNICAL = "technical"
    """Says nothing about a person: versions, timings, data ages."""
    DEVICE = "device"
    """Describes a device or a network, and may tell one from another."""
    PERSONAL = "personal"
    """Describes the person, where they are, or what they did."""
    BIOMETRIC = "biometric"
    """Measured on the face."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One line of the catalogue. ``range`` is words: ``0-100``, ``ISO 3166-1 alpha-2``, ``low | medium | high``."""

    code: str
    type: SignalType
    range: str
    source: str
    """What computes it: ``address data``, ``request headers``, ``capture page``, ``face engine``, ``history``, …"""
    privacy: PrivacyClass
    meaning: str

    @property
    def group(self) -> str:
        """The part of the code before the dot."""
        return self.code.partition(".")[0]

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line as ``GET /v3/signals/`` lists it."""
        return {
            "code": self.code,
            "group": self.group,
            "type": self.type.value,
            "range": self.range,
            "source": self.source,
            "privacy_class": self.privacy.value,
            "meaning": self.meaning,
            "field": f"signals.{self.code}",
            "usable_in": ["workflow branches", "status rules", "step-up policies"],
        }


def parse_signals(lines: Iterable[str], group: str) -> tuple[Signal, ...]:
    """Read tab-separated lines with a header; raise ValueError on a code outside ``group`` or listed twice."""
    signals: dict[str, Signal] = {}
    for row in csv.DictReader(lines, delimiter="\t"):
        code = row["code"]
        prefix, dot, name = code.partition(".")
        if prefix != group or not dot or not name or "." in name:
            raise ValueError(f"{code} does not read {group}.name.")
        if code in signals:
            raise ValueError(f"The signal {code} is listed twice.")
        signals[code] = Signal(
            code=code,
            type=SignalType(row["type"]),
            range=row["range"],
            source=row["source"],
            privacy=PrivacyClass(row["privacy"]),
            meaning=row["meaning"],
        )
    return tuple(signals.values())


def _read_all() -> Mapping[str, Signal]:
    found: dict[str, Signal] = {}
    tables = (file for file in (files("ipse.decision") / "signals").iterdir() if file.name.endswith(".tsv"))
    for table in sorted(tables, key=lambda one: one.name):
        lines = table.read_text(encoding="utf-8").splitlines()
        found.update({signal.code: signal for signal in parse_signals(lines, table.name.removesuffix(".tsv"))})
    return MappingProxyType(found)


SIGNALS: Final[Mapping[str, Signal]] = _read_all()
"""Code -> signal, by group and then as listed."""


def nested(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Turn ``{"ip.is_vpn": True}`` into ``{"ip": {"is_vpn": True}}``, the shape in which rules address it."""
    groups: dict[str, dict[str, JsonValue]] = {}
    for code, value in values.items():
        group, _, name = code.partition(".")
        groups.setdefault(group, {})[name] = value
    return {group: dict(names) for group, names in groups.items()}


def problems_of(values: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """What is wrong with computed values: codes that are not listed, values of another type."""
    found = [f"{code} is not in the catalogue" for code in values if code not in SIGNALS]
    found += [
        f"{code} is {value!r}, not {SIGNALS[code].type.value}"
        for code, value in values.items()
        if code in SIGNALS and not SIGNALS[code].type.fits(value)
    ]
    return tuple(found)

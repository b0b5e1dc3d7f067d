"""Identifiers are injected like the clock: random in service, counted in tests and replay."""

from __future__ import annotations

import itertools
import secrets
import uuid
from typing import Protocol


class Identifiers(Protocol):
    """Source of identifiers and secrets."""

    def uuid(self) -> str:
        """Return a new UUID in its 36-character text form."""
        ...

    def token(self, characters: int) -> str:
        """Return a secret of exactly ``characters`` URL-safe characters (6 bits of entropy each)."""
        ...


class RandomIdentifiers:
    """Identifiers from the operating system's random source."""

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def token(self, characters: int) -> str:
        return secrets.token_urlsafe(characters)[:characters]


class CountedIdentifiers:
    """Predictable identifiers for tests; never for service."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def uuid(self) -> str:
        return str(uuid.UUID(int=next(self._numbers), version=4))

    def token(self, characters: int) -> str:
        return str(next(self._numbers)).rjust(characters, "t")[-characters:]

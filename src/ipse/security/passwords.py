"""Passwords of the people who administer an organisation: argon2id, a bounded number at a time."""

from __future__ import annotations

import asyncio
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST: Final = 8
LONGEST: Final = 128
"""Bounds the work an anonymous caller can cause; far above any passphrase."""


def violations(password: str) -> tuple[str, ...]:
    """Return what the password rule (contract 70, section 1) misses, one sentence each; empty if it is acceptable.

    The rule: 8 to 128 characters with an upper-case letter, a lower-case letter, a digit and a special character.
    """
    rules = (
        (len(password) >= SHORTEST, f"Use at least {SHORTEST} characters."),
        (len(password) <= LONGEST, f"Use at most {LONGEST} characters."),
        (any(c.isupper() for c in password), "Add an upper-case letter."),
        (any(c.islower() for c in password), "Add a lower-case letter."),
        (any(c.isdigit() for c in password), "Add a digit."),
        (any(not c.isalnum() and not c.isspace() for c in password), "Add a special character."),
    )
    return tuple(sentence for holds, sentence in rules if not holds)


class PasswordHasher:
    """Hashes and verifies off the event loop.

    One hash takes about 0.3 s of a core and 64 MiB, so at most ``concurrency`` run at a time; the others wait.
    """

    def __init__(self, concurrency: int = 2, hasher: Argon2Hasher | None = None) -> None:
        self._hash = PasswordHash((hasher or Argon2Hasher(),))
        self._slots = asyncio.Semaphore(concurrency)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the argon2id text of ``password``, salt and parameters included."""
        async with self._slots:
            return await asyncio.to_thread(self._hash.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Return whether ``password`` belongs to ``stored``.

        Without a stored hash (no such account) the same work is done for nothing, so that the time of an answer does
        not tell which accounts exist.
        """
        if len(password) > LONGEST:
            password = ""
        async with self._slots:
            return await asyncio.to_thread(self._verify, password, stored)

    def _verify(self, password: str, stored: str | None) -> bool:
        if stored is None:
            if self._decoy is None:
                self._decoy = self._hash.hash("no account has this password")
            self._hash.verify(password, self._decoy)
            return False
        try:
            return self._hash.verify(password, stored)
        except UnknownHashError:
            return False

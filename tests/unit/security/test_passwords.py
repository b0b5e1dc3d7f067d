"""The password rule of contract 70 and how passwords are kept."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from ipse.security.passwords import PasswordHasher, violations

FAST = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Abcdef1!", []),
        ("Ünïcödé1?", []),
        ("Abc1!", ["at least 8"]),
        ("A1!" + "b" * 126, ["at most 128"]),
        ("abcdef1!", ["upper-case"]),
        ("ABCDEF1!", ["lower-case"]),
        ("Abcdefg!", ["digit"]),
        ("Abcdefg1", ["special"]),
        ("Abcdef 1", ["special"]),
        ("", ["at least 8", "upper-case", "lower-case", "digit", "special"]),
    ],
)
def test_each_missing_part_of_a_password_is_named(password: str, missing: list[str]) -> None:
    found = violations(password)
    assert len(found) == len(missing)
    assert all(part in sentence for part, sentence in zip(missing, found, strict=True))


@pytest.mark.anyio
async def test_a_password_verifies_against_its_argon2id_hash_only() -> None:
    hasher = PasswordHasher(hasher=FAST)
    stored = await hasher.hash("Correct-1")
    assert stored.startswith("$argon2id$")
    assert "Correct-1" not in stored
    assert await hasher.verify("Correct-1", stored)
    assert not await hasher.verify("Correct-2", stored)
    assert not await hasher.verify("x" * 1_000_000, stored)
    assert not await hasher.verify("Correct-1", "not a hash")


@pytest.mark.anyio
async def test_an_unknown_account_costs_a_verification_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(hasher=FAST)
    verified: list[str] = []
    original = hasher._hash.verify

    def counted(password: str | bytes, stored: str | bytes) -> bool:
        verified.append(str(stored))
        return original(password, stored)

    monkeypatch.setattr(hasher._hash, "verify", counted)
    assert not await hasher.verify("Any-1", None)
    assert not await hasher.verify("no account has this password", None)
    assert len(verified) == 2


@pytest.mark.anyio
async def test_only_so_many_hashes_run_at_once() -> None:
    class Counting(Argon2Hasher):
        running = most = 0
        lock = threading.Lock()

        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            with self.lock:
                Counting.running += 1
                Counting.most = max(Counting.most, Counting.running)
            time.sleep(0.005)
            with self.lock:
                Counting.running -= 1
            return "hash"

    hasher = PasswordHasher(concurrency=2, hasher=Counting())
    await asyncio.gather(*(hasher.hash("x") for _ in range(8)))
    assert Counting.most == 2

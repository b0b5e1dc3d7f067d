"""Guarantee: whatever way a database or a blob store fails, callers learn whether space, patience or help is needed."""

from __future__ import annotations

import errno
import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ipse.storage.blobs import BlobStoreUnavailable
from ipse.storage.failures import Failure, failure_of


class Told(Exception):
    """What a driver raises, with the code it gives."""

    def __init__(self, **code: object) -> None:
        self.__dict__.update(code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, Failure.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, Failure.UNREACHABLE),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Failure.BUSY),
        (sqlite3.SQLITE_CORRUPT, Failure.UNREACHABLE),
        (sqlite3.SQLITE_CONSTRAINT, None),
    ],
)
def test_result_codes_of_sqlite_are_understood(code: int, expected: Failure | None) -> None:
    assert failure_of(OperationalError("INSERT", {}, Told(sqlite_errorcode=code))) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("53100", Failure.FULL),
        ("53300", Failure.UNREACHABLE),
        ("57P01", Failure.UNREACHABLE),
        ("57014", Failure.BUSY),
        ("40P01", Failure.BUSY),
        ("08006", Failure.UNREACHABLE),
        ("42703", None),
    ],
)
def test_states_of_postgresql_are_understood(state: str, expected: Failure | None) -> None:
    assert failure_of(OperationalError("INSERT", {}, Told(sqlstate=state))) is expected


def test_a_connection_that_was_never_made_or_broke_is_a_failure_and_a_broken_rule_is_none() -> None:
    assert failure_of(OperationalError("SELECT", {}, Told(sqlstate=None))) is Failure.UNREACHABLE
    assert failure_of(IntegrityError("INSERT", {}, Told(), connection_invalidated=True)) is Failure.UNREACHABLE
    assert failure_of(IntegrityError("INSERT", {}, Told())) is None
    assert failure_of(PoolTimeout()) is Failure.BUSY
    assert failure_of(ValueError()) is None


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.ENOSPC, Failure.FULL), (errno.EFBIG, Failure.FULL), (errno.EIO, Failure.UNREACHABLE)],
)
def test_a_blob_store_without_space_is_told_from_one_that_is_gone(number: int, expected: Failure) -> None:
    error = BlobStoreUnavailable("no")
    error.__cause__ = OSError(number, "no")
    assert failure_of(error) is expected

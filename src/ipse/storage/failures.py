"""What it means when a database or a blob store fails, in the three words that a caller can act on."""

from __future__ import annotations

import errno
import sqlite3
from enum import Enum
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ipse.storage.blobs import BlobStoreUnavailable


class Failure(Enum):
    """Why nothing could be stored or read."""

    FULL = "full"
    """There is no space; somebody must make some."""
    BUSY = "busy"
    """Others were in the way; trying again at once may do."""
    UNREACHABLE = "unreachable"
    """The database or the store does not answer, or refuses."""


_SQLITE: Final = {
    sqlite3.SQLITE_FULL: Failure.FULL,
    sqlite3.SQLITE_BUSY: Failure.BUSY,
    sqlite3.SQLITE_LOCKED: Failure.BUSY,
    sqlite3.SQLITE_IOERR: Failure.UNREACHABLE,
    sqlite3.SQLITE_CANTOPEN: Failure.UNREACHABLE,
    sqlite3.SQLITE_READONLY: Failure.UNREACHABLE,
    sqlite3.SQLITE_CORRUPT: Failure.UNREACHABLE,
    sqlite3.SQLITE_NOTADB: Failure.UNREACHABLE,
}
"""Primary result codes (sqlite.org/rescode.html)."""

_POSTGRESQL: Final = {
    "53100": Failure.FULL,  # disk_full
    "40001": Failure.BUSY,  # serialization_failure
    "40P01": Failure.BUSY,  # deadlock_detected
    "55P03": Failure.BUSY,  # lock_not_available
    "57014": Failure.BUSY,  # query_canceled
    "53": Failure.UNREACHABLE,  # insufficient resources: memory, connections
    "57": Failure.UNREACHABLE,  # operator intervention: the server shuts down or starts
    "58": Failure.UNREACHABLE,  # system error: input or output
    "08": Failure.UNREACHABLE,  # the connection broke
    "25006": Failure.UNREACHABLE,  # read_only_sql_transaction: a standby
}
"""SQLSTATE codes and, where nothing finer is said, their classes (PostgreSQL, appendix A)."""

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def failure_of(error: BaseException) -> Failure | None:
    """Return what ``error`` means; None if it is no failure of storage but a mistake in a statement."""
    if isinstance(error, BlobStoreUnavailable):
        cause = error.__cause__
        return Failure.FULL if isinstance(cause, OSError) and cause.errno in _NO_SPACE else Failure.UNREACHABLE
    if isinstance(error, PoolTimeout):
        return Failure.BUSY
    if not isinstance(error, DBAPIError):
        return None
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF)
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    # Neither engine gives a code where there is no connection (any more).
    return Failure.UNREACHABLE if error.connection_invalidated or _never_connected(error) else None


def _never_connected(error: DBAPIError) -> bool:
    return type(error).__name__ in {"OperationalError", "InterfaceError"}

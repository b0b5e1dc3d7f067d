"""The moments at which a process may die: before every statement, around every commit, around every blob.

Installed in a child process from outside; the product knows nothing of it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event

from ipse.runtime.services import Services

COMMITTED: Final = "committed"
"""The point right after a commit."""


class CrashPoints:
    """Counts the points that are passed, writes their names to a file, and kills the process at one of them.

    Points are counted from 1. ``fatal`` None kills nothing: the dry run that finds out how many there are.
    """

    def __init__(self, fatal: int | None, log: Path) -> None:
        self._fatal = fatal
        self._log = log.open("w", encoding="utf-8")
        self._passed = 0
        self._lock = threading.Lock()
        self._armed = False

    def arm(self, services: Services) -> None:
        """Count from now on what the database and the blob folder of ``services`` do."""
        self._armed = True
        engine = services.database.engine.sync_engine

        @event.listens_for(engine, "before_cursor_execute")
        def _(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            self.reach(" ".join(statement.split())[:100])

        def commit(connection: Any, original: Callable[[Any], None] = engine.dialect.do_commit) -> None:
            self.reach("commit")
            original(connection)
            self.reach(COMMITTED)

        engine.dialect.do_commit = commit  # type: ignore[method-assign,assignment]
        for name in ("fsync", "link", "unlink"):
            self._count_calls_of(name)

    def reach(self, name: str) -> None:
        """Pass a point, or die there."""
        with self._lock:
            if not self._armed:
                return
            self._passed += 1
            self._log.write(f"{name}\n")
            self._log.flush()
            if self._passed == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def disarm(self) -> None:
        """The operation is over: what closes the process is not part of it."""
        self._armed = False

    def _count_calls_of(self, name: str) -> None:
        original = getattr(os, name)

        def counted(*given: Any, **options: Any) -> Any:
            self.reach(name)
            return original(*given, **options)

        setattr(os, name, counted)

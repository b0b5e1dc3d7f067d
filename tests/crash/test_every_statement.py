"""Guarantee: a process may die between any two statements of the four critical transactions.

Every point is tried: before each statement, before and after each commit, and before each step of writing and removing
a blob. Each try works on a copy of the same prepared installation, in a child that kills itself (``crash_points``).
What it leaves is compared row by row; the next start and the repetition are played from each state that differs.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import pytest

from tests.crash.contents import digest_of
from tests.crash.crash_points import COMMITTED
from tests.crash.fork_server import CRASHED, ForkServer, Task
from tests.crash.operations import OPERATIONS
from tests.services.databases import Databases
from tests.services.receiver import WebhookReceiver

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


AT_ONCE: Final = 10.0
LATER: Final = 120.0
"""Seconds after the preparation at which the operation runs, and is repeated: every lease of the dead has run out."""

SIDE_BY_SIDE: Final = 2


@dataclass
class Installation:
    """A prepared installation that copies are made of, and what is known of it."""

    operation: str
    folder: Path
    url: str
    started: float
    facts: dict[str, Any]
    census: dict[str, int]

    def task(self, work: str, after: float, *, fatal: int | None = None) -> Task:
        result = str(self.folder.with_name(f"{self.folder.name}-result"))
        at = self.started + after
        return Task(work, self.operation, str(self.folder), self.url, result, at, dict(self.facts), fatal)


@pytest.fixture(scope="module")
def forks() -> Iterator[SimpleQueue[ForkServer]]:
    """Servers that have imported the product once."""
    with contextlib.ExitStack() as stack:
        servers: SimpleQueue[ForkServer] = SimpleQueue()
        for _ in range(SIDE_BY_SIDE):
            servers.put(stack.enter_context(ForkServer()))
        yield servers


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_crash_between_any_two_statements_leaves_all_or_nothing_and_a_repetition_completes(
    name: str,
    databases: Databases,
    tmp_path: Path,
    forks: SimpleQueue[ForkServer],
    receiver: WebhookReceiver,
    capsys: pytest.CaptureFixture[str],
) -> None:
    began = time.monotonic()
    with prepared(name, databases, tmp_path / "prepared", forks, receiver) as original:
        with copied(original, databases, tmp_path / "dry") as dry, borrowed(forks) as server:
            whole = server.result(dry.task("perform", AT_ONCE))
            points = (dry.folder / "points").read_text(encoding="utf-8").splitlines()
        assert COMMITTED in points
        assert whole["census"] != original.census
        repetitions = Repetitions()

        def crash(number: int) -> str:
            with copied(original, databases, tmp_path / str(number)) as crashed, borrowed(forks) as server:
                code = server.run(crashed.task("perform", AT_ONCE, fatal=number))
                assert code == CRASHED, f"{name} ended with {code} instead of dying at {points[number - 1]}"
                state = f"{digest_of(crashed.url)} and {sum(1 for _ in blob_files(crashed.folder))} blobs"
                if repetitions.is_first(state):
                    repetitions.found[state] = server.result(crashed.task("repeat", LATER))
            shutil.rmtree(crashed.folder)
            return state

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            states = list(pool.map(crash, range(1, len(points) + 1)))
    committed = original.census
    for number, (point, state) in enumerate(zip(points, states, strict=True), start=1):
        where, found = f"{name}, point {number} of {len(points)}: {point}", repetitions.found[state]
        if point == COMMITTED:
            committed = found["before"]
        assert found["before"] == committed, where
        assert found["answer"] == whole["answer"], where
        assert found["census"] == whole["census"], where
        assert found["left over"] == [], where
    assert committed == whole["census"]
    with capsys.disabled():
        print(
            f"\n[{databases.engine}] {name}: killed at each of {len(points)} points, repeated from each of "
            f"{len(repetitions.found)} states, in {time.monotonic() - began:.1f} s"
        )


@dataclass
class Repetitions:
    """What came of repeating the operation, once from each different state that a crash left."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_first(self, state: str) -> bool:
        """True for one caller of each state."""
        with self._lock:
            new = state not in self._begun
            self._begun.add(state)
            return new


def blob_files(folder: Path) -> Iterator[Path]:
    """Whatever lies in the blob folder, unfinished files too."""
    return (path for path in (folder / "blobs").rglob("*") if path.is_file())


@contextlib.contextmanager
def prepared(
    name: str, databases: Databases, folder: Path, forks: SimpleQueue[ForkServer], receiver: WebhookReceiver
) -> Iterator[Installation]:
    """An installation on which everything is ready for the operation."""
    with databases.fresh(folder) as url:
        started = datetime.now(UTC).timestamp()
        installation = Installation(name, folder, url, started, {"receiver": receiver.url}, {})
        with borrowed(forks) as server:
            found = server.result(installation.task("prepare", 0))
        installation.facts, installation.census = found["facts"], found["census"]
        yield installation


@contextlib.contextmanager
def borrowed(forks: SimpleQueue[ForkServer]) -> Iterator[ForkServer]:
    """A server that nobody else uses meanwhile."""
    server = forks.get()
    try:
        yield server
    finally:
        forks.put(server)


@contextlib.contextmanager
def copied(original: Installation, databases: Databases, folder: Path) -> Iterator[Installation]:
    """A copy that may be broken: of the folder with blobs and keys, and of the database."""
    shutil.copytree(original.folder, folder)
    with databases.copy(original.url, folder) as url:
        yield Installation(original.operation, folder, url, original.started, original.facts, original.census)

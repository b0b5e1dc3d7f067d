"""A process that imports everything once and forks a child for each task: a run takes tenths of a second.

Reads one JSON task a line and answers with the child's exit code; the child writes its result to a file. Threads do not
survive a fork, so nothing is opened here.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

CRASHED: Final = -9
MUCH_LATER: Final = timedelta(hours=3)
"""After the age at which the sweeper takes blobs that have no row."""


@dataclass(frozen=True)
class Task:
    """``work`` is prepare, perform or repeat; ``at`` is the time that it is, in seconds since 1970."""

    work: str
    operation: str
    data_dir: str
    database_url: str
    result: str
    at: float
    facts: dict[str, Any]
    fatal: int | None = None


class ForkServer:
    """The server as the test sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.crash.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, task: Task) -> int:
        """Run a task in a child; return its exit code, negative if a signal ended it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server has ended"
        return int(answer)

    def result(self, task: Task) -> Any:
        """Run a task that must succeed, and return what it found."""
        code = self.run(task)
        text = Path(task.result).read_text(encoding="utf-8")
        assert code == 0, text
        return json.loads(text)


async def _work(app: Any, task: Task) -> Mapping[str, Any]:
    from ipse.app import build_services, close_services
    from ipse.clock import ManualClock
    from ipse.media.tasks import sweep_orphans
    from ipse.settings import Settings
    from tests.crash import consistency
    from tests.crash.crash_points import CrashPoints
    from tests.crash.operations import OPERATIONS, scene

    data_dir = Path(task.data_dir)
    settings = Settings(
        data_dir=data_dir,
        database_url=task.database_url,
        public_url="http://testserver",
        intelligence_dir=data_dir / "no address data",
        run_worker=False,
        inference_workers=1,
        rate_limits=False,
    )
    clock = ManualClock(datetime.fromtimestamp(task.at, UTC))
    services = await build_services(settings, clock=clock, load_faces=False)
    found: dict[str, Any] = {}
    at_work = scene(app, services, task.facts)
    operation = OPERATIONS[task.operation]
    match task.work:
        case "prepare":
            await operation.prepare(at_work)
        case "perform":
            points = CrashPoints(task.fatal, data_dir / "points")
            points.arm(services)
            found["answer"] = await operation.perform(at_work)
            points.disarm()
        case "repeat":
            await consistency.check(services)
            found["before"] = await consistency.census(services)
            found["answer"] = await operation.perform(at_work)
            await consistency.check(services)
            clock.advance(MUCH_LATER)
            await sweep_orphans(services)
            await consistency.check(services)
            found["left over"] = sorted(await consistency.blobs_without_row(services))
    found |= {"facts": at_work.facts, "census": await consistency.census(services)}
    await at_work.client.aclose()
    await close_services(services)
    return found


def _child(app: Any, task: Task) -> int:
    result = Path(task.result)
    try:
        found = asyncio.run(_work(app, task))
    except BaseException:  # whatever it is, the test shows it
        result.write_text(traceback.format_exc(), encoding="utf-8")
        return 1
    result.write_text(json.dumps(found), encoding="utf-8")
    return 0


def _serve() -> None:
    import structlog

    import tests.crash.consistency
    import tests.crash.operations  # noqa: F401
    from ipse.app import build
    from ipse.intelligence import device_agent
    from ipse.settings import Settings

    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    app = build(Settings(run_worker=False, rate_limits=False))
    device_agent.warm_up()
    for line in sys.stdin:
        task = Task(**json.loads(line))
        child = os.fork()
        if child == 0:
            os._exit(_child(app, task))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()

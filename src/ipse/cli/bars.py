"""Progress bars on stderr, one for each thing that is worked on."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn


class Bars:
    """Bars that appear as work on their subject begins. ``amount`` says how done and total are written."""

    def __init__(self, amount: ProgressColumn, *, visible: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), amount, console=Console(stderr=True), disable=not visible
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def report(self, name: str, done: int, total: int) -> None:
        """The callback that long work is given."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=done, total=total)

"""The machine a benchmark ran on, in one paragraph."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Final

_NAP_S: Final = 0.005


def description() -> str:
    """Processor, cores the process may use, memory, system and Python."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, {_memory()}, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def resident_mib() -> float:
    """Resident memory of this process in MiB; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def stalls_ms(seconds: float = 5.0) -> float:
    """How late a sleeper of 5 ms is woken while nothing else runs here, 99th percentile in milliseconds.

    A shared host stops its machines now and then: no latency below this can be shown on it.
    """
    late = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        time.sleep(_NAP_S)
        late.append(time.perf_counter() - began - _NAP_S)
    return sorted(late)[int(0.99 * len(late))] * 1e3


class Stolen:
    """The share of processor time that the host took away since this was made; 0 where the system does not say."""

    def __init__(self) -> None:
        self._before = _ticks()

    def share(self) -> float:
        """From 0 to 1."""
        spent = [after - before for before, after in zip(self._before, _ticks(), strict=True)]
        return spent[7] / sum(spent) if len(spent) > 7 and sum(spent) else 0.0


def _ticks() -> list[int]:
    try:
        return [int(ticks) for ticks in Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:9]]
    except (OSError, IndexError, ValueError):
        return []


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    wide = "AVX-512" if any("avx512f" in line for line in lines if line.startswith("flags")) else "no AVX-512"
    return f"{names[0]} ({wide})" if names else platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (ValueError, OSError):
        return "memory unknown"

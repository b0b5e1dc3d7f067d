"""Start a benchmark again with one BLAS thread: NumPy reads the variables only once, when it is loaded."""

from __future__ import annotations

import os
import sys

_ONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def ensure() -> None:
    """Return in a process whose products run on one core; another one is replaced by it."""
    if any(os.environ.get(name) != value for name, value in _ONE.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_ONE})  # noqa: S606

"""The one way this package runs a network: onnxruntime on the calling thread, silent, without spinning."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Before it is imported: onnxruntime 1.31 otherwise makes up an id of this machine and keeps a database of its use under
# the user's cache folder, for an uploader that knows an address of its maker. When we look at faces is nobody else's
# business.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

Tensor = NDArray[np.float32]

# Fatal only. The converted graphs are valid, and a service's log is not the place for the runtime's own notes.
_SEVERITY_FATAL: Final = 4


class Network:
    """An onnxruntime session with one thread per call; ``run`` may be called from any number of threads at once."""

    def __init__(self, graph: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = _SEVERITY_FATAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._input: str = self._session.get_inputs()[0].name
        self.outputs: tuple[str, ...] = tuple(output.name for output in self._session.get_outputs())

    def run(self, batch: Tensor) -> Sequence[Tensor]:
        """Feed one (N, C, H, W) float32 tensor and return the outputs in the order of ``outputs``."""
        results: Sequence[Tensor] = self._session.run(None, {self._input: batch})
        return results

"""Guarantee: the runtime of the networks makes no id of this machine and keeps no record of its use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_RUN = """
import numpy as np, onnx
from onnx import TensorProto, helper
from ipse.biometrics.runtime import Network
shape = [1, 1, 2, 2]
graph = helper.make_graph(
    [helper.make_node("Relu", ["x"], ["y"])],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
Network(model.SerializeToString()).run(np.zeros(shape, np.float32))
"""


def test_running_a_network_leaves_no_trace_of_telemetry(tmp_path: Path) -> None:
    places = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for place in places.values():
        Path(place).mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", _RUN], env={**environment, **places}, check=True, timeout=300)
    assert list(tmp_path.rglob("*.*")) == []

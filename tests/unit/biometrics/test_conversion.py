"""Converted graphs compute what the published ones mean, and are the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ipse.biometrics.conversion import dequantised
from ipse.biometrics.ledger import entry, sha256_of
from ipse.biometrics.minifasnet import onnx_from_state_dict
from ipse.biometrics.runtime import Network
from ipse.biometrics.statedict import MalformedStateDict

SHARED_MODELS = Path(__file__).parents[4] / "shared" / "models"


def _block_quantised() -> tuple[bytes, NDArray[np.float32]]:
    """A 1x1 convolution whose (2, 4) weight is stored as int8 in blocks of two, and that weight in float32."""
    quantised = np.array([[10, -20, 30, 40], [5, 6, -7, 8]], np.int8)
    scales = np.array([[0.5, 0.25], [1.0, 2.0]], np.float32)
    zeros = np.array([[0, 10], [1, -1]], np.int8)
    expected = (quantised.astype(np.float32) - zeros.repeat(2, axis=1)) * scales.repeat(2, axis=1)
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], axis=1, block_size=2),
        helper.make_node("Reshape", ["d", "shape"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Dropout", ["c"], ["e"]),
        helper.make_node("Relu", ["e"], ["y"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "q": quantised,
        "s": scales,
        "z": zeros,
        "shape": np.array([2, 4, 1, 1], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 3, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 3, 3])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    return model.SerializeToString(), expected


def test_block_quantised_weights_become_the_floats_they_stand_for() -> None:
    source, weight = _block_quantised()
    network = Network(dequantised(source, {"x": ("1", "4", "height", "width")}))
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 7)).astype(np.float32)
    (y,) = network.run(x)
    assert np.allclose(y[0], np.maximum(np.einsum("oc,chw->ohw", weight, x[0]), 0), atol=1e-5)


def test_conversion_gives_the_same_bytes_twice() -> None:
    source, _ = _block_quantised()
    axes = {"x": ("1", "4", "height", "width")}
    assert dequantised(source, axes) == dequantised(source, axes)


def test_quantised_activations_are_not_silently_mistaken_for_weights() -> None:
    source, _ = _block_quantised()
    model = onnx.load_model_from_string(source)
    model.graph.node[0].input[0] = "x"
    with pytest.raises(ValueError, match="activations"):
        dequantised(model.SerializeToString(), {"x": ("1", "4", "height", "width")})


def test_something_else_is_no_liveness_network() -> None:
    with pytest.raises(MalformedStateDict):
        onnx_from_state_dict(b"not a network")


@pytest.mark.skipif(not SHARED_MODELS.is_dir(), reason="the published liveness networks are not beside the checkout")
@pytest.mark.parametrize(("name", "vectors"), [("minifasnet-v2-2.7", "v2_2_7"), ("minifasnet-v1se-4.0", "v1se_4_0")])
def test_imported_liveness_networks_give_the_reference_outputs(name: str, vectors: str) -> None:
    model = entry(name)
    graph = onnx_from_state_dict((SHARED_MODELS / model.source_file).read_bytes())
    assert sha256_of(graph) == model.sha256
    with np.load(SHARED_MODELS / "minifasnet_vectors.npz") as reference:
        (outputs,) = Network(graph).run(reference["x"])
        assert np.abs(outputs - reference[vectors]).max() < 1e-4

"""Conversion of block-quantised ONNX files to plain float32 graphs, the same bytes every time.

The registry package carries YuNet and SFace as "int8bq": every weight is stored as int8 blocks that a chain
``DequantizeLinear -> Reshape`` expands at run time, with attributes onnxruntime refuses. Expanding the weights once
gives an ordinary float32 graph with the same outputs (docs/decisions/0003-face-engine.md). All arithmetic is single
IEEE-754 operations on float32, and the protobuf is written in deterministic mode, so that the result can be pinned by
sha256.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

_PRODUCER = "ipse"


def dequantised(source: bytes, dynamic_axes: Mapping[str, tuple[str, ...]]) -> bytes:
    """Return ``source`` (an int8bq ONNX file) as a float32 ONNX file.

    ``dynamic_axes`` maps the name of each graph input to the names of its axes: a name of digits fixes the axis to that
    number, any other name leaves it free. Initialisers that are also declared as inputs stop being inputs, because
    onnxruntime would otherwise treat the weights as values the caller must supply. Raises ``ValueError`` for a graph
    with a quantised tensor that is not a constant.
    """
    model = onnx.load_model_from_string(source)
    constants: dict[str, NDArray[np.generic]] = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
    }
    kept: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear":
            if any(name not in constants for name in node.input):
                raise ValueError(f"{node.name or node.output[0]}: quantised activations are not supported")
            constants[node.output[0]] = _dequantise(node, constants)
        elif node.op_type == "Reshape" and all(name in constants for name in node.input):
            shape = [int(n) for n in constants[node.input[1]]]
            constants[node.output[0]] = constants[node.input[0]].reshape(shape)
        elif node.op_type == "PRelu" and node.input[1] in constants:
            slope = constants[node.input[1]].astype(np.float32)
            rest = f"{node.output[0]}_rest"
            constants[rest] = np.subtract(np.float32(1), slope)
            kept += parametric_relu(node.input[0], node.input[1], rest, node.output[0])
        elif node.op_type == "Dropout":
            _rename_consumers(model.graph, node.output[0], node.input[0])
        else:
            kept.append(node)

    used = {name for node in kept for name in node.input}
    graph = onnx.GraphProto(name=model.graph.name or _PRODUCER)
    graph.node.extend(kept)
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(constants[name]), name) for name in sorted(used & constants.keys())
    )
    graph.input.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, _dimensions(axes))
        for name, axes in dynamic_axes.items()
    )
    graph.output.extend(
        onnx.helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT, None) for output in model.graph.output
    )
    return serialised(graph, opset=model.opset_import[0].version)


def parametric_relu(value: str, slope: str, rest: str, output: str) -> list[onnx.NodeProto]:
    """``PRelu`` as ``slope * x + rest * max(x, 0)`` with ``rest = 1 - slope``.

    onnxruntime computes its own PRelu element by element and takes half of SFace's time for it; these four operations
    use its vector kernels. 43 ms become 19 on the machine of the decision record, outputs differ by less than 1e-6.
    """
    positive, upper, lower = (f"{output}_{part}" for part in ("positive", "upper", "lower"))
    return [
        onnx.helper.make_node("Relu", [value], [positive], name=positive),
        onnx.helper.make_node("Mul", [positive, rest], [upper], name=upper),
        onnx.helper.make_node("Mul", [value, slope], [lower], name=lower),
        onnx.helper.make_node("Add", [upper, lower], [output], name=output),
    ]


def serialised(graph: onnx.GraphProto, opset: int) -> bytes:
    """Wrap ``graph`` in a model with fixed versions and no producer version, and write it deterministically."""
    opset_id = onnx.OperatorSetIdProto(domain="", version=opset)
    model = onnx.ModelProto(ir_version=9, producer_name=_PRODUCER, graph=graph, opset_import=[opset_id])
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _dequantise(node: onnx.NodeProto, constants: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    quantised = constants[node.input[0]].astype(np.float32)
    scale = constants[node.input[1]].astype(np.float32)
    zero = constants[node.input[2]].astype(np.float32)
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    axis, block = int(attributes.get("axis", 1)), int(attributes.get("block_size", 0))
    if scale.size == 1:
        expanded_scale, expanded_zero = scale.reshape(()), zero.reshape(())
    elif scale.ndim == quantised.ndim:
        length = quantised.shape[axis]
        expanded_scale = np.repeat(scale, block, axis=axis).take(np.arange(length), axis=axis)
        expanded_zero = np.repeat(zero, block, axis=axis).take(np.arange(length), axis=axis)
    else:
        per_axis = [1] * quantised.ndim
        per_axis[axis] = -1
        expanded_scale, expanded_zero = scale.reshape(per_axis), zero.reshape(per_axis)
    expanded: NDArray[np.float32] = np.multiply(quantised - expanded_zero, expanded_scale, dtype=np.float32)
    return expanded


def _rename_consumers(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new


def _dimensions(axes: tuple[str, ...]) -> list[int | str]:
    return [int(axis) if axis.isdigit() else axis for axis in axes]

"""MiniFASNet as an ONNX graph, built from its state dictionary with every batch normalisation folded away.

The two presentation-attack networks of Silent-Face-Anti-Spoofing share one plan: a stem, three stages of inverted
residuals each entered through a strided block, a 5 x 5 depthwise "linear" layer, and a classifier of three. The plan is
read from the tensor names, so both networks (with and without squeeze-and-excitation) come from the same code. Folding
is done in float64 with elementary operations only, so the bytes are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .conversion import parametric_relu, serialised
from .statedict import Array, read_state_dict

_OPSET: Final = 13
_BATCH_NORM_EPSILON: Final = 1e-5  # PyTorch's default, which the networks were trained with
_SIDE: Final = 80

Double = NDArray[np.float64]


def onnx_from_state_dict(data: bytes) -> bytes:
    """The ``.pth`` bytes as ONNX: input ``face`` (N, 3, 80, 80) BGR 0-255, output ``logits`` (N, 3).

    Raises ``statedict.MalformedStateDict`` for another kind of file and ``ValueError`` for another network.
    """
    state = {name.removeprefix("module."): array for name, array in read_state_dict(data).items()}
    builder = _Builder(state)
    try:
        builder.build()
    except KeyError as error:
        raise ValueError(f"the state dictionary is not a MiniFASNet: {error} is missing") from error
    return serialised(builder.graph, _OPSET)


class _Builder:
    def __init__(self, state: Mapping[str, Array]) -> None:
        self._state = state
        self._count = 0
        self.graph = onnx.GraphProto(name="minifasnet")
        shape: list[str | int | None] = ["N", 3, _SIDE, _SIDE]
        self.graph.input.append(helper.make_tensor_value_info("face", onnx.TensorProto.FLOAT, shape))
        self.graph.output.append(helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["N", 3]))

    def build(self) -> None:
        value = self._conv_block("conv1", "face", stride=2)
        value = self._conv_block("conv2_dw", value)
        for stage, entrance in (("conv_3", "conv_23"), ("conv_4", "conv_34"), ("conv_5", "conv_45")):
            value = self._depth_wise(entrance, value, stride=2)
            index = 0
            while f"{stage}.model.{index}.conv.conv.weight" in self._state:
                prefix = f"{stage}.model.{index}"
                branch = self._squeeze_excite(prefix, self._depth_wise(prefix, value))
                value = self._node("Add", [value, branch])
                index += 1
        value = self._conv_block("conv_6_sep", value)
        value = self._node("Flatten", [self._conv_block("conv_6_dw", value, padding=0)])
        self._classifier(value)

    def _double(self, name: str) -> Double:
        return self._state[name].astype(np.float64)

    def _norm(self, prefix: str) -> tuple[Double, Double]:
        """The factor and the shift that batch normalisation applies to each channel."""
        spread = np.sqrt(self._double(f"{prefix}.running_var") + _BATCH_NORM_EPSILON)
        factor = self._double(f"{prefix}.weight") / spread
        return factor, self._double(f"{prefix}.bias") - self._double(f"{prefix}.running_mean") * factor

    def _conv_block(self, prefix: str, value: str, stride: int = 1, padding: int | None = None) -> str:
        value = self._conv(f"{prefix}.conv.weight", f"{prefix}.bn", value, stride, padding)
        if f"{prefix}.prelu.weight" in self._state:
            value = self._parametric_relu(value, self._double(f"{prefix}.prelu.weight")[:, None, None])
        return value

    def _parametric_relu(self, value: str, slope: Double) -> str:
        self._count += 1
        output = f"v{self._count:03d}"
        nodes = parametric_relu(value, self._constant(slope), self._constant(1 - slope), output)
        self.graph.node.extend(nodes)
        return output

    def _conv(self, weight_name: str, norm: str, value: str, stride: int = 1, padding: int | None = None) -> str:
        weight = self._double(weight_name)
        factor, shift = self._norm(norm)
        kernel = weight.shape[2]
        pad = kernel // 2 if padding is None else padding
        inputs = [value, self._constant(weight * factor[:, None, None, None]), self._constant(shift)]
        depthwise = weight.shape[1] == 1
        return self._node(
            "Conv",
            inputs,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
            group=weight.shape[0] if depthwise else 1,
        )

    def _depth_wise(self, prefix: str, value: str, stride: int = 1) -> str:
        value = self._conv_block(f"{prefix}.conv", value)
        value = self._conv_block(f"{prefix}.conv_dw", value, stride=stride)
        return self._conv_block(f"{prefix}.project", value)

    def _squeeze_excite(self, prefix: str, value: str) -> str:
        module = f"{prefix}.se_module"
        if f"{module}.fc1.weight" not in self._state:
            return value
        gate = self._node("GlobalAveragePool", [value])
        gate = self._node("Relu", [self._conv(f"{module}.fc1.weight", f"{module}.bn1", gate)])
        gate = self._node("Sigmoid", [self._conv(f"{module}.fc2.weight", f"{module}.bn2", gate)])
        return self._node("Mul", [value, gate])

    def _classifier(self, value: str) -> None:
        """``prob(bn(linear(x)))`` is one matrix and one bias; dropout does nothing when a network is used."""
        factor, shift = self._norm("bn")
        prob = self._double("prob.weight")
        embedding = self._double("linear.weight") * factor[:, None]
        # Sums in a fixed order instead of a BLAS product, whose rounding depends on the machine.
        matrix = np.zeros((prob.shape[0], embedding.shape[1]))
        bias = np.zeros(prob.shape[0])
        for unit in range(embedding.shape[0]):
            matrix = matrix + prob[:, unit, None] * embedding[unit]
            bias = bias + prob[:, unit] * shift[unit]
        inputs = [value, self._constant(matrix), self._constant(bias)]
        self.graph.node.append(helper.make_node("Gemm", inputs, ["logits"], name="logits", transB=1))

    def _constant(self, array: Double) -> str:
        self._count += 1
        name = f"w{self._count:03d}"
        self.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name))
        return name

    def _node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        self._count += 1
        name = f"v{self._count:03d}"
        self.graph.node.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

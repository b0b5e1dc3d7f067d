"""The importer builds the network its tensor names describe; batch normalisation is folded, not forgotten."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from ipse.biometrics import minifasnet
from ipse.biometrics.runtime import Network

Array = NDArray[np.float64]


def _norm(random: np.random.Generator, prefix: str, channels: int) -> dict[str, Array]:
    return {
        f"{prefix}.weight": random.uniform(0.5, 1.5, channels),
        f"{prefix}.bias": random.normal(size=channels),
        f"{prefix}.running_mean": random.normal(size=channels),
        f"{prefix}.running_var": random.uniform(0.5, 2, channels),
    }


def _block(
    random: np.random.Generator, prefix: str, shape: tuple[int, int, int, int], *, slope: bool = True
) -> dict[str, Array]:
    block = {f"{prefix}.conv.weight": random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))}
    block |= _norm(random, f"{prefix}.bn", shape[0])
    return block | ({f"{prefix}.prelu.weight": random.uniform(0, 0.3, shape[0])} if slope else {})


def _depth_wise(random: np.random.Generator, prefix: str, channels: int, inner: int) -> dict[str, Array]:
    return (
        _block(random, f"{prefix}.conv", (inner, channels, 1, 1))
        | _block(random, f"{prefix}.conv_dw", (inner, 1, 3, 3))
        | _block(random, f"{prefix}.project", (channels, inner, 1, 1), slope=False)
    )


def _small_network() -> dict[str, Array]:
    """A network of the same plan with few channels: one residual in each stage, the last with squeeze-excitation."""
    random = np.random.default_rng(3)
    state = _block(random, "conv1", (4, 3, 3, 3)) | _block(random, "conv2_dw", (4, 1, 3, 3))
    for stage, entrance in (("conv_3", "conv_23"), ("conv_4", "conv_34"), ("conv_5", "conv_45")):
        state |= _depth_wise(random, entrance, 4, 6) | _depth_wise(random, f"{stage}.model.0", 4, 5)
    squeeze = "conv_5.model.0.se_module"
    state |= {f"{squeeze}.fc1.weight": random.normal(size=(2, 4, 1, 1))} | _norm(random, f"{squeeze}.bn1", 2)
    state |= {f"{squeeze}.fc2.weight": random.normal(size=(4, 2, 1, 1))} | _norm(random, f"{squeeze}.bn2", 4)
    state |= _block(random, "conv_6_sep", (8, 4, 1, 1)) | _block(random, "conv_6_dw", (8, 1, 5, 5), slope=False)
    state |= {"linear.weight": random.normal(size=(6, 8))} | _norm(random, "bn", 6)
    return state | {"prob.weight": random.normal(size=(3, 6))}


class _Reference:
    """The same network written plainly with numpy, layer by layer, nothing folded."""

    def __init__(self, state: Mapping[str, Array]) -> None:
        self.state = state

    def __call__(self, x: Array) -> Array:
        x = self.block("conv2_dw", self.block("conv1", x, 2))
        for stage, entrance in (("conv_3", "conv_23"), ("conv_4", "conv_34"), ("conv_5", "conv_45")):
            x = self.depth_wise(entrance, x, 2)
            x = x + self.squeeze(f"{stage}.model.0", self.depth_wise(f"{stage}.model.0", x))
        x = self.block("conv_6_dw", self.block("conv_6_sep", x), padding=0)
        return self.state["prob.weight"] @ self.norm("bn", self.state["linear.weight"] @ x.reshape(-1))

    def norm(self, prefix: str, x: Array) -> Array:
        weight, bias, mean, var = (
            self.state[f"{prefix}.{part}"].reshape(-1, *[1] * (x.ndim - 1))
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return np.asarray((x - mean) / np.sqrt(var + 1e-5) * weight + bias)

    def block(self, prefix: str, x: Array, stride: int = 1, padding: int | None = None) -> Array:
        x = self.norm(f"{prefix}.bn", self.conv(self.state[f"{prefix}.conv.weight"], x, stride, padding))
        slope = self.state.get(f"{prefix}.prelu.weight")
        return x if slope is None else np.where(x > 0, x, x * slope[:, None, None])

    def depth_wise(self, prefix: str, x: Array, stride: int = 1) -> Array:
        return self.block(f"{prefix}.project", self.block(f"{prefix}.conv_dw", self.block(f"{prefix}.conv", x), stride))

    def squeeze(self, prefix: str, x: Array) -> Array:
        module = f"{prefix}.se_module"
        if f"{module}.fc1.weight" not in self.state:
            return x
        gate = x.mean(axis=(1, 2), keepdims=True)
        gate = np.maximum(self.norm(f"{module}.bn1", self.conv(self.state[f"{module}.fc1.weight"], gate)), 0)
        gate = 1 / (1 + np.exp(-self.norm(f"{module}.bn2", self.conv(self.state[f"{module}.fc2.weight"], gate))))
        return x * gate

    def conv(self, weight: Array, x: Array, stride: int = 1, padding: int | None = None) -> Array:
        kernel = weight.shape[2]
        pad = kernel // 2 if padding is None else padding
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]
        if weight.shape[1] == 1 and x.shape[0] > 1:
            return np.asarray(np.einsum("cij,chwij->chw", weight[:, 0], windows))
        return np.asarray(np.einsum("ocij,chwij->ohw", weight, windows))


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Array]:
    network = _small_network()
    named = {f"module.{name}": values.astype(np.float32) for name, values in network.items()}
    monkeypatch.setattr(minifasnet, "read_state_dict", lambda data: named)
    return network


def test_the_graph_computes_what_the_layers_compute(state: dict[str, Array]) -> None:
    x = np.random.default_rng(9).normal(size=(3, 80, 80))
    (logits,) = Network(minifasnet.onnx_from_state_dict(b"")).run(x[None].astype(np.float32))
    assert np.allclose(logits[0], _Reference(state)(x), atol=1e-3)


def test_the_import_gives_the_same_bytes_twice(state: dict[str, Array]) -> None:
    assert minifasnet.onnx_from_state_dict(b"") == minifasnet.onnx_from_state_dict(b"")


def test_a_missing_layer_is_named(state: dict[str, Array], monkeypatch: pytest.MonkeyPatch) -> None:
    del state["conv_45.project.conv.weight"]
    named = {name: values.astype(np.float32) for name, values in state.items()}
    monkeypatch.setattr(minifasnet, "read_state_dict", lambda data: named)
    with pytest.raises(ValueError, match=r"conv_45\.project\.conv\.weight"):
        minifasnet.onnx_from_state_dict(b"")

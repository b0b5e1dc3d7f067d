"""State dictionaries are read without running anything in them; anything else is refused."""

from __future__ import annotations

import collections
import io
import pickle
import struct
import sys
import zipfile
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ipse.biometrics.statedict import MalformedStateDict, read_state_dict

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class _Storage:
    def __init__(self, key: str, size: int) -> None:
        self.key, self.size = key, size


class _Tensor:
    """Pickles as PyTorch's tensors do, so that the files of these tests need no PyTorch."""

    def __init__(self, key: str, shape: tuple[int, ...], stride: tuple[int, ...], size: int, offset: int = 0) -> None:
        self.arguments: tuple[Any, ...] = (_Storage(key, size), offset, shape, stride, False, collections.OrderedDict())

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> Any:
        if isinstance(obj, _Storage):
            return ("storage", sys.modules["torch"].FloatStorage, obj.key, "cpu", obj.size, None)
        return None


@pytest.fixture(autouse=True)
def _torch_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Just enough of the names for pickle to write them."""
    torch, inner = ModuleType("torch"), ModuleType("torch._utils")

    def _rebuild_tensor_v2(*arguments: object) -> None:
        raise AssertionError("only for writing")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    inner._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)


def _pickled(value: object) -> bytes:
    file = io.BytesIO()
    _Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def _legacy(tensors: Mapping[str, _Tensor], storages: Mapping[str, NDArray[np.float32]]) -> bytes:
    head = [LEGACY_MAGIC, 1001, {"little_endian": True}, dict(tensors), list(storages)]
    bodies = [struct.pack("<q", values.size) + values.tobytes() for values in storages.values()]
    return b"".join(_pickled(part) for part in head) + b"".join(bodies)


def _archive(tensors: Mapping[str, _Tensor], storages: Mapping[str, NDArray[np.float32]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/data.pkl", _pickled(dict(tensors)))
        for key, values in storages.items():
            archive.writestr(f"net/data/{key}", values.tobytes())
    return file.getvalue()


VALUES = np.arange(24, dtype=np.float32)


@pytest.mark.parametrize("written", [_legacy, _archive])
def test_tensors_come_back_with_shape_stride_and_offset(written: Any) -> None:
    tensors = {
        "whole": _Tensor("0", (2, 3, 4), (12, 4, 1), 24),
        "turned": _Tensor("0", (4, 6), (1, 4), 24),
        "part": _Tensor("0", (3,), (2,), 24, offset=5),
        "number": _Tensor("0", (), (), 24, offset=7),
    }
    state = read_state_dict(written(tensors, {"0": VALUES}))
    assert np.array_equal(state["whole"], VALUES.reshape(2, 3, 4))
    assert np.array_equal(state["turned"], VALUES.reshape(6, 4).T)
    assert state["part"].tolist() == [5, 7, 9]
    assert state["number"] == 7


@pytest.mark.parametrize("written", [_legacy, _archive])
@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [((25,), (1,), 0), ((24,), (1,), 1), ((2,), (1000,), 0), ((2,), (-1,), 5), ((1,), (1,), -1)],
)
def test_a_tensor_cannot_reach_beyond_its_storage(
    written: Any, shape: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> None:
    with pytest.raises(MalformedStateDict):
        read_state_dict(written({"x": _Tensor("0", shape, stride, 24, offset)}, {"0": VALUES}))


class _Bomb:
    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return sys.exit, (3,)  # an ordinary unpickler would leave the process here


@pytest.mark.parametrize("value", [_Bomb(), {"x": _Bomb()}, {"x": print}])
def test_code_in_the_pickle_is_refused_not_run(value: object) -> None:
    head = b"".join(_pickled(part) for part in (LEGACY_MAGIC, 1001, {"little_endian": True}))
    for data in (head + pickle.dumps(value, protocol=2), pickle.dumps(value, protocol=2)):
        with pytest.raises(MalformedStateDict, match="refers to"):
            read_state_dict(data)


@pytest.mark.parametrize("value", [[1, 2], {"x": 3}, "text"])
def test_other_pickles_are_refused(value: object) -> None:
    head = b"".join(_pickled(part) for part in (LEGACY_MAGIC, 1001, {"little_endian": True}))
    with pytest.raises(MalformedStateDict):
        read_state_dict(head + _pickled(value))


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_are_refused_with_the_one_error(data: bytes) -> None:
    for candidate in (data, _pickled(LEGACY_MAGIC) + data):
        with pytest.raises(MalformedStateDict):
            read_state_dict(candidate)

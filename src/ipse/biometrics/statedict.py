"""Reading PyTorch state dictionaries without PyTorch and without running anything in them.

A ``.pth`` file is a pickle, and an ordinary unpickler runs whatever it says. This one knows four names and builds
arrays. Both layouts are read: the legacy one (consecutive pickles, then raw storages) and the zip archive.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]

_LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
_DTYPES: Final[Mapping[str, str]] = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "LongStorage": "<i8"}
_MAX_ELEMENTS: Final = 50_000_000


class MalformedStateDict(ValueError):
    """The file is not a plain dictionary of named tensors."""


@dataclass(frozen=True)
class _StorageType:
    dtype: str


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: str


@dataclass(frozen=True)
class _TensorView:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, stride: Any, *_: object) -> _TensorView:
    return _TensorView(storage, int(offset), tuple(int(n) for n in shape), tuple(int(n) for n in stride))


_ALLOWED: Final[Mapping[tuple[str, str], object]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise MalformedStateDict(f"the file refers to {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        if not (isinstance(pid, tuple) and len(pid) >= 3 and pid[0] == "storage" and isinstance(pid[1], _StorageType)):
            raise MalformedStateDict("the file refers to an unknown kind of storage")
        return _Storage(key=str(pid[2]), dtype=pid[1].dtype)


def read_state_dict(data: bytes) -> dict[str, Array]:
    """Name to array for every tensor of a ``.pth`` file. Raises ``MalformedStateDict``."""
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            views, storages = _read_archive(data)
        else:
            views, storages = _read_legacy(data)
        return {name: _array(view, storages) for name, view in views.items()}
    except MalformedStateDict:
        raise
    except Exception as error:  # a hostile pickle can make the parser raise anything
        raise MalformedStateDict(f"cannot be read: {error}") from error


def _read_legacy(data: bytes) -> tuple[Mapping[str, _TensorView], Callable[[_Storage], Array]]:
    stream = io.BytesIO(data)
    if _RestrictedUnpickler(stream).load() != _LEGACY_MAGIC:
        raise MalformedStateDict("not a PyTorch file")
    _RestrictedUnpickler(stream).load()  # protocol version
    system = _RestrictedUnpickler(stream).load()
    if not system.get("little_endian", False):
        raise MalformedStateDict("big-endian files are not supported")
    views = _checked(_RestrictedUnpickler(stream).load())
    keys = [str(key) for key in _RestrictedUnpickler(stream).load()]
    dtypes = {view.storage.key: view.storage.dtype for view in views.values()}
    arrays: dict[str, Array] = {}
    for key in keys:
        (count,) = struct.unpack("<q", stream.read(8))
        dtype = np.dtype(dtypes[key])
        if not 0 <= count <= _MAX_ELEMENTS:
            raise MalformedStateDict("a storage has an impossible size")
        arrays[key] = np.frombuffer(stream.read(count * dtype.itemsize), dtype=dtype, count=count)
    return views, lambda storage: arrays[storage.key]


def _read_archive(data: bytes) -> tuple[Mapping[str, _TensorView], Callable[[_Storage], Array]]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    index = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(index) != 1:
        raise MalformedStateDict("the archive holds no single data.pkl")
    views = _checked(_RestrictedUnpickler(io.BytesIO(archive.read(index[0]))).load())
    root = index[0].removesuffix("data.pkl")

    def storage_array(storage: _Storage) -> Array:
        return np.frombuffer(archive.read(f"{root}data/{storage.key}"), dtype=np.dtype(storage.dtype))

    return views, storage_array


def _checked(loaded: object) -> Mapping[str, _TensorView]:
    if not isinstance(loaded, dict):
        raise MalformedStateDict("the file is not a dictionary")
    for name, view in loaded.items():
        if not (isinstance(name, str) and isinstance(view, _TensorView)):
            raise MalformedStateDict("the file holds something other than named tensors")
    return loaded


def _array(view: _TensorView, storages: Callable[[_Storage], Array]) -> Array:
    """A copy of the view, after checking that it stays inside its storage."""
    flat = storages(view.storage)
    if view.offset < 0 or any(n < 0 for n in (*view.shape, *view.stride)) or len(view.shape) != len(view.stride):
        raise MalformedStateDict("a tensor has an impossible shape")
    last = view.offset + sum((size - 1) * step for size, step in zip(view.shape, view.stride, strict=True) if size > 0)
    if 0 not in view.shape and last >= flat.size:
        raise MalformedStateDict("a tensor reaches beyond its storage")
    strides = tuple(step * flat.itemsize for step in view.stride)
    return np.array(np.lib.stride_tricks.as_strided(flat[view.offset :], view.shape, strides, writeable=False))

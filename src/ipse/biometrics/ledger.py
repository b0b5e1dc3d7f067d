"""The ledger of model files: what may be loaded, where it comes from, and under which licence.

Models are chosen by their bytes. A file that is not listed here, or that has changed by one bit, is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from .errors import ModelChanged, ModelMissing, ModelUnlisted

Conversion = Literal["none", "int8bq", "minifasnet"]


@dataclass(frozen=True)
class PackageOrigin:
    """A member of a wheel in the package registry."""

    package: str
    version: str
    wheel_sha256: str
    member: str


@dataclass(frozen=True)
class RepositoryOrigin:
    """A file of a public source repository at one commit. ``url`` serves exactly these bytes."""

    repository: str
    commit: str
    path: str
    url: str


@dataclass(frozen=True)
class ModelFile:
    """One model. ``source_*`` describe the published file, ``sha256`` and ``bytes`` the file that is loaded."""

    name: str
    purpose: str
    file: str
    bytes: int
    sha256: str
    source_file: str
    source_bytes: int
    source_sha256: str
    conversion: Conversion
    licence: str
    origin: PackageOrigin | RepositoryOrigin
    input: str
    output: str
    trained_on: str
    required: bool

    @property
    def group(self) -> Literal["registry", "liveness"]:
        """Which part of ``acquisition.obtain`` brings it."""
        return "registry" if isinstance(self.origin, PackageOrigin) else "liveness"


def _model_file(entry: Mapping[str, Any]) -> ModelFile:
    fields = dict(entry)
    origin = dict(fields.pop("origin"))
    kind = origin.pop("kind")
    return ModelFile(origin=PackageOrigin(**origin) if kind == "package" else RepositoryOrigin(**origin), **fields)


LEDGER: Final[tuple[ModelFile, ...]] = tuple(
    _model_file(entry)
    for entry in json.loads(resources.files("ipse.biometrics").joinpath("data/ledger.json").read_text("utf-8"))[
        "models"
    ]
)


def entry(name: str) -> ModelFile:
    """The ledger's entry for a model name. Raises ``ModelUnlisted``."""
    for model in LEDGER:
        if model.name == name:
            return model
    raise ModelUnlisted(f"There is no model {name} in the ledger.")


def sha256_of(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def read_verified(models_dir: Path, model: ModelFile) -> bytes:
    """The bytes of one model, hashed as read. Raises ``ModelMissing`` or ``ModelChanged``."""
    path = models_dir / model.file
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelMissing(f"{model.file} is not in {models_dir}; run `ipse models pull`.") from error
    found = sha256_of(data)
    if found != model.sha256:
        raise ModelChanged(f"{path} has sha256 {found}, the ledger expects {model.sha256}; delete it and pull again.")
    return data


def refuse_unlisted(models_dir: Path) -> None:
    """Raise ``ModelUnlisted`` when the directory holds a model file that the ledger does not name."""
    listed = {model.file for model in LEDGER}
    for path in sorted(models_dir.glob("*.onnx")):
        if path.name not in listed:
            raise ModelUnlisted(f"{path} is not in the model ledger; remove it.")


def installed(models_dir: Path) -> Mapping[str, Literal["ok", "missing", "changed"]]:
    """State of every ledger entry in a directory, for `ipse models` and `ipse doctor`."""
    states: dict[str, Literal["ok", "missing", "changed"]] = {}
    for model in LEDGER:
        try:
            read_verified(models_dir, model)
        except ModelMissing:
            states[model.name] = "missing"
        except ModelChanged:
            states[model.name] = "changed"
        else:
            states[model.name] = "ok"
    return states

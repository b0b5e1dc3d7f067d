"""Face templates: what remains of a face after the recognition network, and their bytes at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .errors import MalformedTemplate, ModelMismatch

TEMPLATE_LENGTH: Final = 128
_MAGIC: Final = b"IFT1"


@dataclass(frozen=True, eq=False)
class Template:
    """``vector`` is (128,) float32 of length 1; ``model_id`` names the network whose numbers these are."""

    vector: NDArray[np.float32]
    model_id: str

    def to_bytes(self) -> bytes:
        """Magic ``IFT1``, one byte length of the model id, the id in ASCII, 128 little-endian float32."""
        name = self.model_id.encode("ascii")
        return _MAGIC + bytes([len(name)]) + name + self.vector.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Template:
        """Read ``to_bytes``. Raises ``MalformedTemplate`` for anything else, non-finite or unnormalised vectors too."""
        if data[:4] != _MAGIC or len(data) < 5:
            raise MalformedTemplate("These bytes are not a face template of version 1.")
        start = 5 + data[4]
        if len(data) != start + 4 * TEMPLATE_LENGTH:
            raise MalformedTemplate("The face template has the wrong length.")
        try:
            model_id = data[5:start].decode("ascii")
        except UnicodeDecodeError as error:
            raise MalformedTemplate("The face template names no model.") from error
        vector = np.frombuffer(data, dtype="<f4", offset=start).astype(np.float32)
        with np.errstate(all="ignore"):
            length = float(np.linalg.norm(vector.astype(np.float64)))
        if not 0.999 < length < 1.001:  # also false for NaN
            raise MalformedTemplate("The face template is not a unit vector.")
        return cls(vector=vector, model_id=model_id)


def cosine(a: Template, b: Template) -> float:
    """Cosine similarity, -1 to 1. Raises ``ModelMismatch`` when the templates come from different networks."""
    if a.model_id != b.model_id:
        raise ModelMismatch(f"Templates of {a.model_id} and {b.model_id} cannot be compared; enrol again.")
    return float(np.clip(np.dot(a.vector, b.vector), -1.0, 1.0))


def normalised(vector: NDArray[np.float32], model_id: str) -> Template:
    """A template from a raw network output of any length greater than zero."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise MalformedTemplate("The recognition network gave no usable vector.")
    return Template(vector=(vector / np.float32(length)).astype(np.float32), model_id=model_id)

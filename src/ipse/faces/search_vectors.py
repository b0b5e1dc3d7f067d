"""The form of a face that 1:N search compares: its vector in the search space of the application, and its bytes.

Half precision, as in PostgreSQL's vector index: it costs 256 bytes and changes a cosine by less than a thousandth of a
point, so that hits do not depend on where they were compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ipse.biometrics.errors import MalformedTemplate
from ipse.biometrics.protection import Comparable, turned
from ipse.biometrics.templates import TEMPLATE_LENGTH
from ipse.faces.rotation import FINGERPRINT_BYTES, SearchSpace

_MAGIC: Final = b"IFS1"


@dataclass(frozen=True, eq=False, slots=True)
class SearchVector:
    """``vector`` is (128,) float32 of length 1; ``fingerprint`` names the search space that it stands in."""

    model_id: str
    fingerprint: bytes
    vector: NDArray[np.float32] = field(repr=False)

    @classmethod
    def of(cls, face: Comparable, space: SearchSpace) -> SearchVector:
        """A face in a search space."""
        return cls(face.model_id, space.fingerprint, turned(face, space.matrix))

    def moved(self, old: SearchSpace, new: SearchSpace) -> SearchVector:
        """The same face in another search space."""
        vector = ((self.vector @ old.matrix.T) @ new.matrix).astype(np.float32)
        return SearchVector(self.model_id, new.fingerprint, vector)

    def to_bytes(self) -> bytes:
        """``IFS1``, one byte length of the model id, the id in ASCII, 8 bytes of fingerprint, 128 half floats."""
        name = self.model_id.encode("ascii")
        return _MAGIC + bytes([len(name)]) + name + self.fingerprint + self.vector.astype("<f2").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> SearchVector:
        """Read ``to_bytes``. Raises ``MalformedTemplate`` for anything else, non-finite or unnormalised vectors too."""
        if data[:4] != _MAGIC or len(data) < 5:
            raise MalformedTemplate("These bytes are not a search vector.")
        name_end = 5 + data[4]
        start = name_end + FINGERPRINT_BYTES
        if len(data) != start + 2 * TEMPLATE_LENGTH:
            raise MalformedTemplate("The search vector has the wrong length.")
        vector = np.frombuffer(data, dtype="<f2", offset=start).astype(np.float32)
        length = float(np.linalg.norm(vector))
        if not 0.99 < length < 1.01:  # also false for NaN
            raise MalformedTemplate("The search vector is not a unit vector.")
        return cls(data[5:name_end].decode("ascii"), data[name_end:start], vector / np.float32(length))

"""Protected templates (ISO/IEC 24745): what is stored of a face, and the only things that can be done with it.

A template is turned by a keyed orthogonal transformation before it is stored. The key belongs to one stored face: it is
derived from a secret of the application, the face, a salt and the model, so that two stored forms of one person have
nothing in common but their length, which is 1 for all. Turning keeps angles, so a live template is compared by turning
*it* the same way. In the standard's words the turned vector is the pseudonymous identifier, salt, version and model id
are the auxiliary data, and the secret is what makes the identifier renewable.

A transformation is three rounds of keyed signs, a keyed permutation and a Hadamard transform, which spread every number
over all others much as a random rotation does (Yu et al., "Orthogonal random features", 2016), but are made in
microseconds. Signs and permutations come from SHAKE-256, so that no library's generator has to stay as it is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import MalformedTemplate, ModelMismatch
from .templates import TEMPLATE_LENGTH, Template

Vector: TypeAlias = NDArray[np.float32]

SALT_BYTES: Final = 16
REVOKED: Final = "revoked"
"""``model_id`` of a reference whose template cannot be compared any more."""
SECRET_BYTES: Final = 32
_MAGIC: Final = b"IFT2"
_ROUNDS: Final = 3
_STEP: Final = 5.0 / np.sqrt(TEMPLATE_LENGTH) / 127.0
"""Of the quantisation, the same for every face, because a scale of its own would be a mark to recognise a face by: 127
steps are five standard deviations of a coordinate of a random unit vector, beyond which not one in a million lies."""


def _hadamard() -> Vector:
    """The (128, 128) Sylvester-Hadamard matrix over the square root of 128: orthogonal and symmetric."""
    matrix = np.ones((1, 1))
    while matrix.shape[0] < TEMPLATE_LENGTH:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return np.ascontiguousarray(matrix / np.sqrt(TEMPLATE_LENGTH), dtype=np.float32)


_HADAMARD: Final = _hadamard()


@dataclass(frozen=True, slots=True)
class AuxiliaryData:
    """What is stored beside a protected vector; worthless without the secret of the space."""

    model_id: str
    space_version: int
    salt: bytes

    @classmethod
    def fresh(cls, model_id: str, space_version: int) -> AuxiliaryData:
        """With a random salt, for a face that is protected now."""
        return cls(model_id, space_version, secrets.token_bytes(SALT_BYTES))


class Transformation:
    """One orthogonal transformation of 128 numbers."""

    def __init__(self, key: bytes) -> None:
        sign_bytes, order_bytes = _ROUNDS * TEMPLATE_LENGTH // 8, _ROUNDS * TEMPLATE_LENGTH * 8
        stream = np.frombuffer(hashlib.shake_256(key).digest(sign_bytes + order_bytes), dtype=np.uint8)
        bits = np.unpackbits(stream[:sign_bytes]).reshape(_ROUNDS, TEMPLATE_LENGTH)
        self._signs = (1.0 - 2.0 * bits).astype(np.float32)
        words = stream[sign_bytes:].view("<u8").reshape(_ROUNDS, TEMPLATE_LENGTH)
        self._orders = np.argsort(words, axis=1, kind="stable")

    @classmethod
    def of(cls, secret: bytes, auxiliary: AuxiliaryData, *, application_id: str, face_id: str) -> Transformation:
        """The one of a stored face: another application, face, salt, model or secret gives an unrelated one."""
        parts = (
            application_id.encode(),
            face_id.encode(),
            auxiliary.model_id.encode(),
            auxiliary.space_version.to_bytes(4, "big"),
            auxiliary.salt,
        )
        message = b"ipse|template|1" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)
        return cls(hmac.digest(secret, message, "sha256"))

    def apply(self, vector: Vector) -> Vector:
        """Turn a (128,) vector; its length stays what it is."""
        for signs, order in zip(self._signs, self._orders, strict=True):
            vector = _HADAMARD @ (vector * signs)[order]
        return vector

    def undo(self, vector: Vector) -> Vector:
        """The vector that :meth:`apply` turned into this one."""
        for signs, order in zip(self._signs[::-1], self._orders[::-1], strict=True):
            spread = np.empty_like(vector)
            spread[order] = _HADAMARD @ vector
            vector = spread * signs
        return vector


@dataclass(frozen=True, eq=False)
class Protected:
    """A turned vector as it is stored: ``codes`` is (128,) int8."""

    auxiliary: AuxiliaryData
    codes: NDArray[np.int8]

    def to_bytes(self) -> bytes:
        """``IFT2``, one byte length of the model id, the id in ASCII, the space version in four bytes, salt, codes."""
        name = self.auxiliary.model_id.encode("ascii")
        version = self.auxiliary.space_version.to_bytes(4, "big")
        return _MAGIC + bytes([len(name)]) + name + version + self.auxiliary.salt + self.codes.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Protected:
        """Read ``to_bytes``. Raises ``MalformedTemplate`` for anything else."""
        if not is_protected(data) or len(data) < 5:
            raise MalformedTemplate("These bytes are not a protected face template.")
        version = 5 + data[4]
        salt, codes = version + 4, version + 4 + SALT_BYTES
        if len(data) != codes + TEMPLATE_LENGTH:
            raise MalformedTemplate("The protected face template has the wrong length.")
        try:
            model_id = data[5:version].decode("ascii")
        except UnicodeDecodeError as error:
            raise MalformedTemplate("The protected face template names no model.") from error
        auxiliary = AuxiliaryData(model_id, int.from_bytes(data[version:salt], "big"), data[salt:codes])
        vector = np.frombuffer(data, dtype=np.int8, offset=codes)
        if not vector.any():
            raise MalformedTemplate("The protected face template is empty.")
        return cls(auxiliary, vector)


@dataclass(frozen=True, eq=False)
class Reference:
    """A stored template, ready to be compared and nothing else: its numbers never leave this module in clear."""

    model_id: str
    _turned: Vector = field(repr=False)
    _transformation: Transformation | None = field(repr=False)

    @classmethod
    def of(cls, stored: Protected, transformation: Transformation) -> Reference:
        """A protected template with the transformation it was turned by."""
        vector = stored.codes.astype(np.float32)
        return cls(stored.auxiliary.model_id, vector / np.float32(np.linalg.norm(vector)), transformation)

    @classmethod
    def unprotected(cls, template: Template) -> Reference:
        """A template that was stored before templates were protected."""
        return cls(template.model_id, template.vector, None)

    @classmethod
    def revoked(cls) -> Reference:
        """Stands for a template whose secret was destroyed: of no network's, so that nothing compares with it."""
        return cls(REVOKED, np.zeros(TEMPLATE_LENGTH, dtype=np.float32), None)

    def compare(self, probe: Comparable) -> float:
        """Cosine similarity with a live face, or with another stored one; -1 to 1.

        Raises ``ModelMismatch`` when the two come from different networks, or one was revoked.
        """
        if probe.model_id != self.model_id or self.model_id == REVOKED:
            raise ModelMismatch(f"Templates of {self.model_id} and {probe.model_id} cannot be compared; enrol again.")
        vector = _clear(probe)
        turned = vector if self._transformation is None else self._transformation.apply(vector)
        return float(np.clip(np.dot(self._turned, turned), -1.0, 1.0))


Comparable: TypeAlias = Template | Reference


def is_protected(data: bytes) -> bool:
    """Whether stored bytes claim to be a protected template."""
    return data[:4] == _MAGIC


def protect(face: Comparable, auxiliary: AuxiliaryData, transformation: Transformation) -> Protected:
    """The stored form of a live face, or of a stored one that moves to another transformation."""
    if face.model_id != auxiliary.model_id:
        raise ModelMismatch(f"A template of {face.model_id} cannot be stored as one of {auxiliary.model_id}.")
    codes = np.clip(np.rint(transformation.apply(_clear(face)) / _STEP), -127, 127)
    return Protected(auxiliary, codes.astype(np.int8))


def turned(face: Comparable, matrix: NDArray[np.float32]) -> Vector:
    """A face in another space of 128 dimensions: the vector times an orthogonal (128, 128) matrix."""
    vector: Vector = _clear(face) @ matrix
    return vector


def _clear(face: Comparable) -> Vector:
    """The embedding itself; for a stored face it lives as long as the call that asked."""
    if isinstance(face, Template):
        return face.vector
    return face._turned if face._transformation is None else face._transformation.undo(face._turned)

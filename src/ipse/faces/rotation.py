"""The secret rotation under which an application's face vectors stand in the database's vector index.

An index can only work on readable numbers. Each application's vectors are therefore turned by an orthogonal matrix of
its own, drawn from a random seed that the biometric ring seals: inner products, hence nearest neighbours, stay what
they are, but the stored numbers cannot be compared with another application's, with another installation's, or with a
template computed from a photo. This is *not* encryption: who reads the table sees which faces of one application
resemble each other, and who also holds 128 independent templates of that application can compute the matrix.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ipse.biometrics.templates import TEMPLATE_LENGTH
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceSpaceRow

Matrix = NDArray[np.float32]

_SEED_BYTES: Final = 32


async def of_application(scope: Scope) -> Matrix:
    """The application's (128, 128) matrix; the seed is made in this transaction when there is none.

    The seed is stored and not derived from the ring: it is sealed again when keys rotate, and stays the same.

    Raises:
        CannotOpen: the seed was sealed elsewhere or changed; ``ipse faces index drop`` and ``build`` make a new one.
    """
    query = select(FaceSpaceRow.seed_sealed).where(FaceSpaceRow.id == scope.application_id)
    ring, context = scope.services.biometric_ring, seed_context(scope.application_id)
    sealed = await scope.tx.scalar(query)
    if sealed is None:
        fresh = ring.seal(secrets.token_bytes(_SEED_BYTES), context=context)
        # Somebody else may store the first face of this application at the same time: whoever commits first wins.
        await scope.tx.execute(
            insert(FaceSpaceRow).values(id=scope.application_id, seed_sealed=fresh).on_conflict_do_nothing()
        )
        sealed = await scope.tx.scalar(query)
        assert sealed is not None
    return matrix(ring.open(sealed, context=context))


def seed_context(application_id: str) -> bytes:
    """Associated data that ties a sealed seed to its application; key rotation needs it too."""
    return f"face-space|{application_id}".encode()


@functools.lru_cache(maxsize=64)
def matrix(seed: bytes) -> Matrix:
    """A (128, 128) orthogonal matrix, uniformly distributed over all of them, that ``seed`` determines.

    QR of a matrix of normal numbers with the signs of R's diagonal moved into Q (Stewart 1980); the numbers come from
    SHAKE-256 by Box and Muller's method, so that no library's generator has to stay as it is.
    """
    count = TEMPLATE_LENGTH * TEMPLATE_LENGTH
    words = np.frombuffer(hashlib.shake_256(b"ipse|face-space|" + seed).digest(count * 16), dtype="<u8")
    uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    normal = np.sqrt(-2.0 * np.log(uniform[:count])) * np.cos(2.0 * np.pi * uniform[count:])
    orthogonal, upper = np.linalg.qr(normal.reshape(TEMPLATE_LENGTH, TEMPLATE_LENGTH))
    turned: Matrix = (orthogonal * np.sign(np.diag(upper))).astype(np.float32)
    turned.flags.writeable = False
    return turned

"""The search space of an application: the secret rotation under which 1:N search compares its faces.

A search must compare the probe with thousands of faces at once, so that they cannot each stand under a transformation
of their own as they do for 1:1 (``biometrics.protection``). The searchable faces of one application share one rotation,
drawn from a random seed that the biometric ring seals: inner products, hence nearest neighbours, stay what they are,
but the numbers cannot be compared with another application's, with another installation's, or with a template computed
from a photo. In memory and in PostgreSQL's vector index these numbers lie open: who reads them sees which faces of one
application resemble each other, and who also holds 128 independent templates of it can compute the matrix.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite

from ipse.biometrics.templates import TEMPLATE_LENGTH
from ipse.runtime.scope import Scope
from ipse.storage.tables import FaceSpaceRow

Matrix = NDArray[np.float32]

FINGERPRINT_BYTES: Final = 8
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """``matrix`` is (128, 128) orthogonal; ``fingerprint`` tells search spaces apart and says nothing else."""

    fingerprint: bytes
    matrix: Matrix = field(repr=False)


UNTURNED: Final = SearchSpace(bytes(FINGERPRINT_BYTES), np.eye(TEMPLATE_LENGTH, dtype=np.float32))
"""Stands in for the space of an application that has none yet: all its faces were stored before templates were
protected, and a search may not write."""


async def of_application(scope: Scope) -> SearchSpace:
    """The application's search space, for whoever stores a face: it is made in this transaction when there is none.

    The row is held until the transaction ends, so that the space is not renewed while a vector goes into it.

    Raises:
        CannotOpen: the seed was sealed elsewhere or changed.
    """
    query = _sealed(scope).with_for_update(read=True)
    sealed = await scope.tx.scalar(query)
    if sealed is None:
        # Somebody else may store the first face of this application at the same time: whoever commits first wins.
        dialect = sqlite if scope.services.database.is_sqlite else postgresql
        fresh = {"id": scope.application_id, "seed_sealed": _fresh(scope)}
        await scope.tx.execute(dialect.insert(FaceSpaceRow).values(**fresh).on_conflict_do_nothing())
        sealed = await scope.tx.scalar(query)
        assert sealed is not None
    return _opened(scope, sealed)


async def find(scope: Scope) -> SearchSpace:
    """The application's search space for whoever searches; :data:`UNTURNED` before a face was stored in it.

    Raises:
        CannotOpen: the seed was sealed elsewhere or changed.
    """
    sealed = await scope.tx.scalar(_sealed(scope))
    return UNTURNED if sealed is None else _opened(scope, sealed)


async def renew(scope: Scope) -> tuple[SearchSpace, SearchSpace] | None:
    """Put a new search space in place of the old one; both, old first. None where there was none."""
    row: FaceSpaceRow | None = await scope.tx.scalar(
        select(FaceSpaceRow).where(FaceSpaceRow.id == scope.application_id).with_for_update()
    )
    if row is None:
        return None
    old = _opened(scope, row.seed_sealed)
    row.seed_sealed = _fresh(scope)
    await scope.tx.flush()
    return old, _opened(scope, row.seed_sealed)


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


def _sealed(scope: Scope) -> Select[bytes]:
    return select(FaceSpaceRow.seed_sealed).where(FaceSpaceRow.id == scope.application_id)


def _fresh(scope: Scope) -> bytes:
    context = seed_context(scope.application_id)
    return scope.services.biometric_ring.seal(secrets.token_bytes(_SEED_BYTES), context=context)


def _opened(scope: Scope, sealed: bytes) -> SearchSpace:
    seed = scope.services.biometric_ring.open(sealed, context=seed_context(scope.application_id))
    fingerprint = hashlib.sha256(b"ipse|face-space-name|" + seed).digest()[:FINGERPRINT_BYTES]
    return SearchSpace(fingerprint, matrix(seed))

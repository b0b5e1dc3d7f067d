"""The parts of one running process, put together once by ``ipse.app`` and passed down by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.pool import InferencePool
from ipse.clock import Clock
from ipse.identifiers import Identifiers
from ipse.intelligence.network import NetworkIntelligence
from ipse.runtime.signal import Signal
from ipse.security.keyring import KeyRing
from ipse.security.lookup import LookupKey
from ipse.settings import Settings
from ipse.storage.blobs import BlobStore
from ipse.storage.counters import Counters
from ipse.storage.database import Database
from ipse.storage.vector_index import VectorIndex


class ModelsUnavailable(Exception):
    """The face models are missing or changed; nothing that needs them may answer."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a request or a job may use. ``faces`` is None when the models could not be loaded."""

    settings: Settings
    clock: Clock
    identifiers: Identifiers
    database: Database
    ordinary_ring: KeyRing
    biometric_ring: KeyRing
    lookup: LookupKey
    blobs: BlobStore
    faces: FaceEngine | None
    inference: InferencePool
    network: NetworkIntelligence = field(default_factory=lambda: NetworkIntelligence.load(None))
    """What is known of addresses; the data of packages only, unless the folder was loaded."""
    counters: Counters = field(default_factory=Counters)
    """Requests and failed sign-ins, counted by all processes together; by default by this one alone."""
    deliveries_due: Signal = field(default_factory=Signal)
    """Rung after a commit that left something to deliver."""
    face_vectors: VectorIndex = field(default_factory=VectorIndex)
    """This process' copy of the searchable templates; ``ipse.faces`` keeps it in step with the database."""

    def face_engine(self) -> FaceEngine:
        """Return the engine, or raise :class:`ModelsUnavailable`: a missing model never approves anyone."""
        if self.faces is None:
            raise ModelsUnavailable("The face models are not installed. Run `ipse models pull`, then restart.")
        return self.faces

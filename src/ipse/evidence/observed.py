"""What one request of a session brought to the checks: the input of a decision, before any threshold.

:class:`Observed` is all that the checks read. Pixels, embeddings and device identifiers are not part of it: of a
template only the model is named, because a score that was computed from it stands beside. The live checks run on what
:func:`decode` gives back, so what is stored is what decided.
"""

from __future__ import annotations

import base64
import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from ipse.biometrics.liveness import Liveness
from ipse.biometrics.quality import Quality
from ipse.checks.history import History
from ipse.checks.performed import PASSIVE, Performed
from ipse.checks.screening import FaceHit
from ipse.checks.selfie import FaceEntity, Selfie
from ipse.evidence.errors import InvalidRecord
from ipse.evidence.restoring import restore
from ipse.intelligence.facts import DeviceFacts, NetworkFacts


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which rules of the application the checks ran."""

    by_scenario: bool = False
    """The sandbox answered by ``scenario``, not from pixels."""
    scenario: str | None = None
    lenient: bool = False
    """A capture without a challenge may approve (sandbox)."""


@dataclass(frozen=True, slots=True)
class Face:
    """What the face engine measured on a submission (``checks.selfie.Selfie`` without picture and template)."""

    entities: tuple[FaceEntity, ...]
    best_angle: int | None
    comparable_faces: int
    quality: Quality | None
    liveness: Liveness | None
    age: float | None
    best_frame: int
    content_type: str
    durations_ms: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, selfie: Selfie) -> Face:
        """Keep the measurements."""
        return cls(**{one.name: getattr(selfie, one.name) for one in fields(cls)})

    def selfie(self) -> Selfie:
        """Give the measurements to a check."""
        return Selfie(**{one.name: getattr(self, one.name) for one in fields(self)}, template=None, image=b"")


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """The reference that a live face was compared with (``checks.selfie.ReferenceFace`` without its template)."""

    model_id: str | None
    """None where the template was revoked: nothing can be compared with it."""
    kind: str
    supplied_by: str
    session_id: str | None
    created_at: datetime
    media_id: str | None = None
    face_id: str | None = None


@dataclass(frozen=True, slots=True)
class ByHand:
    """A step that was changed by hand since the request before: corrected, reopened, removed or reported."""

    node_id: str
    report: Mapping[str, Any] | None
    """As ``Report.to_json``; None when a reviewer asked for the step again and its report went."""
    attempt: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """The input of the checks of one request."""

    at: datetime
    """Clock of the decision."""
    terms: Terms
    context: Mapping[str, Any]
    """What the session's row tells to rules, without the signals."""
    signals: Mapping[str, Any]
    """By code, those of the reports excepted: they follow from the reports."""
    network: NetworkFacts
    device: DeviceFacts
    history: History
    expected_ip: str | None = None
    captured_at: str | None = None
    """Node for which a face was submitted with this request."""
    searched: bool = False
    """Whether the submitted face was compared with those of other people; ``hits`` is the answer."""
    face: Face | None = None
    performed: Performed = PASSIVE
    media_id: str | None = None
    probe_model: str | None = None
    """Model of the live template; None where no face could be compared."""
    reference: ReferenceFacts | None = None
    first_use: bool = False
    score: float | None = None
    """Similarity of live face and reference, 0-100."""
    hits: tuple[FaceHit, ...] = ()
    by_hand: tuple[ByHand, ...] = ()


_AS_IT_IS: Final = frozenset({str, int, bool, type(None)})


def without_identifiers(device: DeviceFacts) -> DeviceFacts:
    """The device as checks read it; what would let it be recognised elsewhere is not evidence of a decision."""
    return replace(device, persistent_id=None, components={}, details={})


def encode(observed: Observed) -> dict[str, Any]:
    """Return plain JSON values: instants as ISO 8601 in UTC with six decimals, whole floats as integers."""
    encoded: dict[str, Any] = plain(observed)
    return encoded


def decode(stored: Mapping[str, Any]) -> Observed:
    """Read what :func:`encode` wrote. Raises :class:`InvalidRecord` for anything else."""
    try:
        return restore(Observed, stored)
    except (ValueError, TypeError) as error:
        raise InvalidRecord(f"The input of the decision is not readable: {error}") from error


def plain(value: Any) -> Any:
    """``value`` as JSON values that come back equal from every store: JSONB drops ``-0.0`` and spells 1.0e20 out."""
    kind = type(value)
    if kind in _AS_IT_IS:  # most values of a record; the patterns below are slower
        return value
    if kind is dict:
        return {str(key): plain(item) for key, item in value.items()}
    match value:
        case enum.Enum():
            return value.value
        case None | bool() | str():
            return value
        case float() if not math.isfinite(value):
            raise ValueError(f"{value} is no number that evidence can hold")
        case float() if value.is_integer():
            return int(value)
        case int() | float():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case Sequence():
            return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    raise TypeError(f"{type(value).__name__} cannot stand in evidence")

"""What the face engine saw in one frame or in a short burst, as plain values for the checks.

:func:`examine` is synchronous and computes on the calling thread: run it on the inference pool.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.faces import FaceScan
from ipse.biometrics.images import ImageLimits, decode
from ipse.biometrics.liveness import Liveness
from ipse.biometrics.protection import Reference
from ipse.biometrics.quality import Quality
from ipse.biometrics.templates import Template
from ipse.decision.values import JsonValue

T = TypeVar("T")

STAGES: Final = ("decode", "detect", "quality", "liveness", "embed", "age")
"""Names of the measured stages, in the order in which they run."""


@dataclass(frozen=True)
class FaceEntity:
    """One face of a picture, as the contract lists it (file 30 section 0).

    ``bbox`` is (x_min, y_min, x_max, y_max) in pixels of the upright picture, ``confidence`` 0-1, ``age`` in years or
    None where it was not estimated.
    """

    bbox: tuple[int, int, int, int]
    confidence: float
    age: float | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Return the contract's face entity.

        Sex and race are not estimated: ``race`` is null as everywhere in the contract, ``gender``, which the contract
        does not allow to be null, is left out, and so is an unknown age.
        """
        entity: dict[str, JsonValue] = {"bbox": list(self.bbox), "confidence": round(self.confidence, 4), "race": None}
        if self.age is not None:
            entity["age"] = self.age
        return entity


@dataclass(frozen=True, eq=False)
class Selfie:
    """The outcome of :func:`examine`.

    ``entities`` are the faces of the chosen frame, largest first; ``comparable_faces`` counts those that are so large
    that they could be meant. ``quality``, ``liveness``, ``template`` and ``age`` (years) are None without a face, or
    when they were not asked for. ``image`` is frame number ``best_frame`` exactly as it was received. ``durations_ms``
    has one entry for each of ``STAGES`` that ran, summed over the frames.
    """

    entities: tuple[FaceEntity, ...]
    best_angle: int | None
    comparable_faces: int
    quality: Quality | None
    liveness: Liveness | None
    template: Template | None
    age: float | None
    best_frame: int
    image: bytes
    content_type: str
    durations_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def has_face(self) -> bool:
        """Whether any face was found."""
        return bool(self.entities)

    def user_image(self) -> dict[str, JsonValue]:
        """Return the contract's wrapper ``{"entities": […], "best_angle": 0}``."""
        return {"entities": [entity.to_json() for entity in self.entities], "best_angle": self.best_angle}


@dataclass(frozen=True, eq=False)
class ReferenceFace:
    """The face that a selfie is compared with.

    ``kind`` is ``stored`` (enrolled earlier), ``supplied`` (came with the request) or ``profile`` (uploaded for the
    user); ``supplied_by`` is ``person``, ``integrator`` or ``operator``. ``session_id`` names the session that
    ``source_image_session_id`` shall show, ``media_id`` the stored picture. ``template`` can only be compared; it is
    ``Reference.revoked()`` where the person must enrol again.
    """

    template: Reference
    kind: str
    supplied_by: str
    session_id: str | None
    created_at: datetime
    media_id: str | None = None
    face_id: str | None = None


class Stopwatch:
    """Adds up how long the stages of an examination take."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what runs inside."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.totals[name] = self.totals.get(name, 0.0) + (time.perf_counter() - started) * 1000

    def milliseconds(self) -> Mapping[str, float]:
        """The totals in the order in which the stages first ran, two decimals."""
        return MappingProxyType({name: round(total, 2) for name, total in self.totals.items()})


def examine(
    engine: FaceEngine,
    frames: Sequence[bytes],
    *,
    rotate: bool = False,
    liveness: bool = True,
    age: bool = True,
    limits: ImageLimits | None = None,
) -> Selfie:
    """Look at one frame or a burst of at most ten and keep the best frame.

    The frame with the best capture quality gives the template and the age. Liveness is judged over the whole burst
    *and* on that frame by itself, and the worse answer counts: otherwise a burst of a live person could carry one good
    photo of somebody else, and the photo would be matched.

    Raises ``ImageError`` for the first frame that cannot be decoded and ``ValueError`` without any frame.
    """
    return look(engine, frames, rotate=rotate, liveness=liveness, age=age, limits=limits)[0]


def look(
    engine: FaceEngine,
    frames: Sequence[bytes],
    *,
    rotate: bool = False,
    liveness: bool = True,
    age: bool = True,
    limits: ImageLimits | None = None,
) -> tuple[Selfie, tuple[FaceScan, ...]]:
    """:func:`examine`, with the scan of every frame for those who look further."""
    if not frames:
        raise ValueError("a selfie needs at least one frame")
    watch = Stopwatch()
    scans: list[FaceScan] = []
    for data in frames:
        with watch.stage("decode"):
            picture = decode(data, limits or ImageLimits())
        with watch.stage("detect"):
            scans.append(engine.scan(picture, rotate=rotate))
    with watch.stage("quality"):
        qualities = [engine.quality(scan) for scan in scans]
    chosen = _best(scans, qualities)
    scan = scans[chosen]
    empty = Selfie(
        entities=(),
        best_angle=scan.best_angle if scan.faces else None,
        comparable_faces=scan.comparable_faces,
        quality=None,
        liveness=None,
        template=None,
        age=None,
        best_frame=chosen,
        image=frames[chosen],
        content_type=f"image/{scan.image.format}",
    )
    if not scan.faces:
        return replace(empty, durations_ms=watch.milliseconds()), tuple(scans)
    judged = _timed(watch, "liveness", lambda: _judge(engine, scans, scan)) if liveness else None
    template = _timed(watch, "embed", lambda: engine.template(scan))
    years = _timed(watch, "age", lambda: engine.age(scan)) if age else None
    seen = replace(
        empty,
        entities=tuple(
            FaceEntity(face.bbox, face.confidence, years if index == 0 else None)
            for index, face in enumerate(scan.faces)
        ),
        quality=qualities[chosen],
        liveness=judged,
        template=template,
        age=years,
        durations_ms=watch.milliseconds(),
    )
    return seen, tuple(scans)


def _timed(watch: Stopwatch, stage: str, compute: Callable[[], T]) -> T:
    with watch.stage(stage):
        return compute()


def _best(scans: Sequence[FaceScan], qualities: Sequence[Quality]) -> int:
    """Index of the frame to keep: one with a face, acceptable, of the highest quality; the earliest of equals."""
    return max(
        range(len(scans)),
        key=lambda i: (bool(scans[i].faces), qualities[i].acceptable, qualities[i].overall, -i),
    )


def _judge(engine: FaceEngine, scans: Sequence[FaceScan], chosen: FaceScan) -> Liveness:
    burst = engine.liveness([scan for scan in scans if scan.faces])
    if len(scans) == 1:
        return burst
    alone = engine.liveness([chosen])
    return replace(
        burst,
        score=None if burst.score is None or alone.score is None else min(burst.score, alone.score),
        attack_suspected=burst.attack_suspected or alone.attack_suspected,
        attack_type=burst.attack_type or alone.attack_type,
        parts={**burst.parts, **{f"chosen_{name}": value for name, value in alone.parts.items() if name == "live"}},
    )

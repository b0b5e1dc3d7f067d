"""``ipse match`` and ``ipse liveness`` on the sample portraits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ipse.cli.failure import CommandError

if TYPE_CHECKING:
    from ipse.biometrics.engine import FaceEngine

pytestmark = pytest.mark.models


@pytest.fixture
def files(portraits: Mapping[str, bytes], face_engine: FaceEngine, tmp_path: Path) -> Mapping[str, Path]:
    paths = {name: tmp_path / name for name in ("obama_1", "obama_2", "biden_1")}
    for name, path in paths.items():
        path.write_bytes(portraits[name])
    return paths


def _outcome(capsys: pytest.CaptureFixture[str], run: Callable[[], None]) -> tuple[int, Any]:
    with pytest.raises(SystemExit) as caught:
        run()
    assert isinstance(caught.value.code, int)
    return caught.value.code, json.loads(capsys.readouterr().out)


def test_the_exit_code_says_whether_it_is_the_same_person(
    files: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from ipse.cli import faces

    same = _outcome(capsys, lambda: faces.match(files["obama_1"], files["obama_2"], 60, as_json=True))
    other = _outcome(capsys, lambda: faces.match(files["obama_1"], files["biden_1"], 60, as_json=True))
    assert (same[0], other[0]) == (0, 1)
    assert same[1]["score"] > 80
    assert other[1]["score"] < 30


def test_a_file_without_a_face_is_named(files: Mapping[str, Path], tmp_path: Path) -> None:
    from PIL import Image

    from ipse.cli import faces

    Image.new("RGB", (400, 400), (90, 90, 90)).save(tmp_path / "empty.png")
    with pytest.raises(CommandError, match=r"empty\.png: no face"):
        faces.match(files["obama_1"], tmp_path / "empty.png", 60, as_json=True)


def test_liveness_never_makes_a_score_up(files: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    from ipse.cli import faces

    code, facts = _outcome(capsys, lambda: faces.liveness([files["obama_1"]], 70, as_json=True))
    assert facts["engine"] in {"minifasnet", "basic_replay_screening"}
    assert code == (0 if facts["live"] else 1)
    assert facts["live"] is (facts["score"] is not None and facts["score"] >= 70 and not facts["attack_suspected"])
    if facts["engine"] == "basic_replay_screening":
        assert facts["score"] is None

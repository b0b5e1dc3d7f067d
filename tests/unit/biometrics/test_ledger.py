"""Only listed bytes are loaded: a missing, changed or unlisted model file stops the engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipse.biometrics import ledger
from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.errors import ModelChanged, ModelMissing, ModelUnlisted
from ipse.biometrics.ledger import LEDGER, PackageOrigin, RepositoryOrigin


def test_every_entry_says_what_an_auditor_asks() -> None:
    assert len({model.name for model in LEDGER}) == len(LEDGER)
    for model in LEDGER:
        assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
        assert re.fullmatch(r"[0-9a-f]{64}", model.source_sha256)
        assert min(model.bytes, model.source_bytes) > 0
        assert all((model.purpose, model.licence, model.input, model.output, model.trained_on))
        assert (model.conversion == "none") == (model.sha256 == model.source_sha256)


def test_packages_are_pinned_and_repositories_named_by_commit() -> None:
    for model in LEDGER:
        match model.origin:
            case PackageOrigin() as origin:
                assert re.fullmatch(r"[0-9a-f]{64}", origin.wheel_sha256)
                assert origin.version
            case RepositoryOrigin() as origin:
                assert re.fullmatch(r"[0-9a-f]{40}", origin.commit)
                assert origin.url.startswith("https://")
                assert origin.commit in origin.url


def test_an_empty_directory_is_missing_its_models(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="models pull"):
        FaceEngine.load(tmp_path)
    assert set(ledger.installed(tmp_path).values()) == {"missing"}


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / LEDGER[0].file).write_bytes(b"something else")
    with pytest.raises(ModelChanged, match=LEDGER[0].sha256):
        FaceEngine.load(tmp_path)
    assert ledger.installed(tmp_path)[LEDGER[0].name] == "changed"


def test_an_unlisted_model_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "better-faces.onnx").write_bytes(b"x")
    with pytest.raises(ModelUnlisted, match="better-faces"):
        FaceEngine.load(tmp_path)


def test_an_unknown_name_is_unlisted() -> None:
    with pytest.raises(ModelUnlisted):
        ledger.entry("no-such-model")
    assert ledger.entry("sface-2021dec").required

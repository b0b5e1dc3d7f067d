"""The list of data sets, and what the doctor says of each."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ipse.cli.examinations import data
from ipse.intelligence import inventory, origins
from ipse.settings import Settings
from tests.services.address_data import install

ON = date(2026, 7, 1)


def _states(folder: Path, on: date = ON) -> dict[str, tuple[str, bool]]:
    return {line.name: (line.state, line.is_stale) for line in inventory.take(folder, on)}


def _doctor(folder: Path, on: date = ON) -> dict[str, str]:
    settings = Settings(intelligence_dir=folder)
    return {finding.check: finding.state for finding in data.examine(settings, on=on)}


def test_a_fresh_machine_misses_everything_but_the_package(tmp_path: Path) -> None:
    assert _states(tmp_path / "nowhere") == {
        "dbip-country": ("missing", False),
        "asn": ("missing", False),
        "dbip-city": ("missing", False),
        "iporigin": ("ok", False),
    }
    assert _doctor(tmp_path / "nowhere") == {
        "data dbip-country": "fail",
        "data asn": "fail",
        "data dbip-city": "warn",
        "data iporigin": "ok",
    }


def test_installed_data_are_listed_with_version_date_and_age(tmp_path: Path) -> None:
    install(tmp_path, tmp_path / "published")
    lines = {line.name: line for line in inventory.take(tmp_path, ON)}
    line = lines["dbip-country"]
    assert (line.state, line.version, line.published, line.age) == ("ok", "2.3.2026060120", date(2026, 6, 1), "30 days")
    assert line.licence == "CC-BY-4.0"
    assert set(_doctor(tmp_path).values()) == {"ok"}


def test_stale_data_ask_for_attention(tmp_path: Path) -> None:
    install(tmp_path, tmp_path / "published")
    on = date(2027, 7, 1)
    assert {is_stale for _, is_stale in _states(tmp_path, on).values()} == {True}
    assert set(_doctor(tmp_path, on).values()) == {"warn"}


def test_a_changed_file_fails(tmp_path: Path) -> None:
    install(tmp_path, tmp_path / "published")
    (file,) = tmp_path.glob("asn-*.ranges")
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)
    assert _states(tmp_path)["asn"] == ("changed", False)
    assert _doctor(tmp_path)["data asn"] == "fail"


def test_a_deleted_file_is_missing(tmp_path: Path) -> None:
    install(tmp_path, tmp_path / "published")
    for file in tmp_path.glob("dbip-city-ipv6-*"):
        file.unlink()
    assert _states(tmp_path)["dbip-city"] == ("missing", False)


def test_own_files_are_listed_and_broken_ones_named_with_the_reason(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "vpn.txt").write_text("5.1.7.0/24\n")
    (own / "proxy.txt").write_text("5.1.7.0/24\nnonsense\n")
    lines = {line.name: line for line in inventory.take(tmp_path, ON)}
    assert lines["own/vpn.txt"].state == "ok"
    assert lines["own/proxy.txt"].state == "broken"
    assert "line 2" in lines["own/proxy.txt"].problem
    assert _doctor(tmp_path)["data own/proxy.txt"] == "warn"


def test_a_damaged_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "load", lambda: None)
    assert _states(tmp_path)["iporigin"] == ("broken", False)
    assert _doctor(tmp_path)["data iporigin"] == "fail"


def test_every_licence_that_asks_for_a_line_gets_one() -> None:
    assert [line.partition(":")[0] for line in inventory.attributions()] == ["dbip-country", "asn", "dbip-city"]

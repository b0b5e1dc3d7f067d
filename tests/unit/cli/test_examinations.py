"""What the doctor notices."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ipse.biometrics import ledger
from ipse.cli.examinations import Finding, configuration, machine, models, pages, stores
from ipse.security import keysets
from ipse.security.keyring import Ring
from ipse.settings import Settings

pytestmark = pytest.mark.anyio


def _states(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.state for finding in findings}


def test_a_clock_from_before_the_release_fails() -> None:
    assert machine.clock(datetime(1970, 1, 1, tzinfo=UTC)).state == "fail"
    assert machine.clock(datetime(2027, 1, 1, tzinfo=UTC)).state == "ok"


def test_the_disk_of_a_folder_that_is_not_there_yet_is_looked_at(tmp_path: Path) -> None:
    assert str(tmp_path) in machine.disk(tmp_path / "a" / "b").found


def test_missing_changed_and_unlisted_models_fail_with_a_remedy(tmp_path: Path) -> None:
    settings = Settings(models_dir=tmp_path)
    missing, liveness = models.examine(settings)
    assert (missing.state, liveness.state) == ("fail", "warn")
    assert "ipse models pull" in missing.remedy
    assert "ipse models pull" in liveness.remedy
    (tmp_path / ledger.LEDGER[0].file).write_bytes(b"changed")
    assert next(models.examine(settings)).found == f"changed: {ledger.LEDGER[0].name}"
    (tmp_path / "stranger.onnx").write_bytes(b"")
    (unlisted,) = models.examine(settings)
    assert (unlisted.state, "stranger.onnx" in unlisted.found) == ("fail", True)


def test_a_page_that_was_not_built_fails_with_the_command_that_builds_it(tmp_path: Path) -> None:
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / "index.html").touch()
    half = pages.examine(tmp_path)
    assert (half.state, half.remedy) == ("fail", "Run `make web`.")
    assert "sdk" in half.found
    assert "capture" not in half.found
    (tmp_path / "sdk").mkdir()
    (tmp_path / "sdk" / "ipse.js").touch()
    assert pages.examine(tmp_path).state == "ok"


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("http://127.0.0.1:8000", "ok"),
        ("https://verify.bank.dev", "ok"),
        ("http://verify.bank.dev", "fail"),
        ("verify.bank.dev", "fail"),
    ],
)
def test_people_on_a_public_address_need_https(url: str, state: str) -> None:
    assert _states(list(configuration.examine(Settings(public_url=url), {})))["public url"] == state


def test_a_misspelt_variable_is_noticed_and_a_known_one_is_not() -> None:
    findings = list(configuration.examine(Settings(), {"IPSE_PROT": "1", "IPSE_PORT": "1", "OTHER": "1"}))
    assert [finding.found for finding in findings if finding.check == "configuration"] == [
        "IPSE_PROT is set and nothing reads it"
    ]


def test_dangerous_switches_are_warned_about() -> None:
    settings = Settings(rate_limits=False, auto_verify_accounts=True, public_url="https://verify.bank.dev")
    states = _states(list(configuration.examine(settings, {})))
    assert (states["rate limits"], states["registration"]) == ("warn", "warn")


def test_a_key_file_others_can_read_fails(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    for ring in Ring:
        keysets.create_master_key_file(keysets.master_key_path(tmp_path, ring))
    keysets.master_key_path(tmp_path, Ring.BIOMETRIC).chmod(0o644)
    assert _states(stores.master_keys(settings, in_use=True)) == {
        "ordinary master key": "ok",
        "biometric master key": "fail",
    }


def test_key_files_beside_public_data_and_missing_ones_fail(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://verify.bank.dev")
    keysets.create_master_key_file(keysets.master_key_path(tmp_path, Ring.ORDINARY))
    assert _states(stores.master_keys(settings, in_use=True)) == {
        "ordinary master key": "fail",
        "biometric master key": "fail",
    }


async def test_a_fresh_folder_is_not_touched(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    assert _states(await stores.examine(settings)) == {"database": "warn", "blob store": "warn"}
    assert not settings.data_dir.exists()


async def test_an_unusable_database_and_blob_store_fail_in_one_sentence(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/absent/folder/db.sqlite3",
        blob_url="gopher://x",
    )
    findings = await stores.examine(settings)
    assert _states(findings) == {"database": "fail", "blob store": "fail"}
    assert all("\n" not in finding.found and finding.remedy for finding in findings)

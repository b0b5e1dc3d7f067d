"""The operator's own files: believed first, told when broken, never half used."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ipse.intelligence.facts import Connection, NetworkFacts
from ipse.intelligence.network import NetworkIntelligence
from tests.services.address_data import install
from tests.services.mmdb import write_mmdb

ON = date(2026, 7, 1)


def _look(folder: Path, address: str, **files: str) -> NetworkFacts:
    network = _loaded(folder, **files)
    assert network.problems == ()
    return network.look_up(address, on=ON)


def _loaded(folder: Path, **files: str) -> NetworkIntelligence:
    own = folder / "own"
    own.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = own / name.replace("_", ".")
        path.write_text(text, "utf-8")
        os.utime(path, (1_782_000_000, 1_782_000_000))  # 2026-06-21
    return NetworkIntelligence.load(folder)


@pytest.mark.parametrize(
    ("file", "fact", "value"),
    [
        ("vpn_txt", "is_vpn", True),
        ("proxy_txt", "is_proxy", True),
        ("tor_txt", "is_tor", True),
        ("relay_txt", "is_relay", True),
        ("datacenter_txt", "is_datacenter", True),
        ("residential_txt", "connection", Connection.RESIDENTIAL),
        ("mobile_txt", "connection", Connection.MOBILE),
        ("business_txt", "connection", Connection.BUSINESS),
    ],
)
def test_standing_on_a_list_is_a_fact_with_the_list_as_its_source(
    tmp_path: Path, file: str, fact: str, value: object
) -> None:
    facts = _look(tmp_path, "5.1.7.20", **{file: "# mine\n5.1.7.0/24  # the office\n\n9.9.9.9\n"})
    assert getattr(facts, fact) == value
    source = facts.sources[fact]
    assert (source.dataset, source.age_days) == (f"own/{file.replace('_', '.')}", 10)


def test_not_standing_on_a_list_of_ones_own_is_a_no(tmp_path: Path) -> None:
    facts = _look(tmp_path, "5.1.8.1", proxy_txt="5.1.7.0/24\n")
    assert facts.is_proxy is False
    assert facts.sources["is_proxy"].dataset == "own/proxy.txt"


def test_not_standing_on_ones_own_tor_list_does_not_outweigh_the_shipped_one(tmp_path: Path) -> None:
    assert _look(tmp_path, "185.220.101.1", tor_txt="5.1.7.0/24\n").is_tor is True


@pytest.mark.parametrize(
    "line", ["5.1.7.20", "5.1.7.20/32", "5.1.7.99/24", "5.1.7.0 - 5.1.7.255", "::ffff:5.1.7.20", "::ffff:5.1.7.0/120"]
)
def test_addresses_networks_and_ranges_are_read(tmp_path: Path, line: str) -> None:
    assert _look(tmp_path, "5.1.7.20", vpn_txt=line).is_vpn is True


def test_ipv6_networks_are_read(tmp_path: Path) -> None:
    text = "2a00:1::/32\n2a00:1:5::/48\n"
    assert _look(tmp_path, "2a00:1:5::9", vpn_txt=text).is_vpn is True
    assert _look(tmp_path, "2a00:2::9", vpn_txt=text).is_vpn is False


def test_own_files_win_over_the_shipped_data(tmp_path: Path) -> None:
    install(tmp_path, tmp_path / "published")
    facts = _look(
        tmp_path,
        "8.8.8.8",
        places_csv="network,country,city,is_datacenter,connection\n8.8.8.0/24,ch,Zürich,false,business\n",
    )
    assert (facts.country, facts.city, facts.time_zone) == ("CH", "Zürich", "Europe/Zurich")
    assert (facts.connection, facts.is_datacenter) == (Connection.BUSINESS, False)
    assert facts.asn == 15169
    assert facts.sources["city"].dataset == "own/places.csv"


def test_a_place_is_never_put_together_from_two_data_sets(tmp_path: Path) -> None:
    install(tmp_path, tmp_path / "published")
    facts = _look(tmp_path, "5.1.7.20", places_csv="network,country\n5.1.7.0/24,AT\n")
    assert (facts.country, facts.city, facts.latitude, facts.time_zone) == ("AT", None, None, "Europe/Vienna")


def test_lists_win_over_tables_and_tables_over_databases(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    record: dict[str, Any] = {"country": {"iso_code": "FR"}, "traits": {"user_type": "cellular"}}
    write_mmdb(own / "a.mmdb", {"5.1.0.0/16": record})
    table = "start,end,country,connection\n5.1.7.0,5.1.7.255,IT,residential\n"
    facts = _look(tmp_path, "5.1.7.20", b_csv=table, business_txt="5.1.7.0/24")
    assert (facts.country, facts.connection) == ("IT", Connection.BUSINESS)
    assert _look(tmp_path, "5.1.9.1").connection is Connection.MOBILE


def test_maxminds_schema_is_read(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    write_mmdb(
        own / "GeoLite2-City.mmdb",
        {
            "5.1.7.0/24": {
                "country": {"iso_code": "DE", "names": {"en": "Germany"}},
                "registered_country": {"iso_code": "US"},
                "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}],
                "city": {"names": {"en": "Berlin", "de": "Berlin"}},
                "location": {"latitude": 52.5, "longitude": 13.4, "time_zone": "Europe/Berlin"},
                "autonomous_system_number": 3320,
                "autonomous_system_organization": "Deutsche Telekom AG",
                "is_anonymous_vpn": True,
            }
        },
        kind="GeoLite2-City",
        built=int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()),
    )
    facts = _look(tmp_path, "5.1.7.20")
    assert (facts.country, facts.region, facts.city) == ("DE", "Land Berlin", "Berlin")
    assert (facts.latitude, facts.longitude, facts.time_zone) == (52.5, 13.4, "Europe/Berlin")
    assert (facts.asn, facts.operator, facts.is_vpn) == (3320, "Deutsche Telekom AG", True)
    source = facts.sources["time_zone"]
    assert (source.dataset, source.version, source.age_days) == ("own/GeoLite2-City.mmdb", "GeoLite2-City", 30)


def test_ip2locations_columns_are_read_without_a_header(tmp_path: Path) -> None:
    start = int.from_bytes(bytes((5, 1, 7, 0)), "big")
    text = (
        f'"{start}","{start + 255}","DE","Germany","Bayern","Munich","48.13743","11.57549"\n'
        f'"{start + 256}","{start + 511}","-","-","-","-","0.000000","0.000000"\n'
        '"281470682398720","281470682398975","-","-"\n'
    )
    facts = _look(tmp_path, "5.1.7.20", db5_csv=text)
    assert (facts.country, facts.region, facts.city, facts.latitude) == ("DE", "Bayern", "Munich", 48.13743)
    assert _look(tmp_path, "5.1.8.20", db5_csv=text).country is None


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("vpn_txt", "5.1.7.0/24\nnonsense\n", "line 2"),
        ("vpn_txt", "5.1.7.9 - 5.1.7.1\n", "line 1"),
        ("vpn_txt", "5.1.7.9 - 2a00::1\n", "line 1"),
        ("vpn_txt", "5.1.7.0/33\n", "line 1"),
        ("unheard_txt", "5.1.7.0/24\n", "none of"),
        ("notes_doc", "x", "none of"),
        ("a_csv", "network,is_vpn\n5.1.7.0/24,perhaps\n", "line 2"),
        ("a_csv", "network,connection\n5.1.7.0/24,telegraph\n", "line 2"),
        ("a_csv", "country,city\nDE,Berlin\n", "line 2"),
        ("a_csv", "start,end\n5.1.7.0,next\n", "line 2"),
        ("a_mmdb", "this is no database", "a.mmdb"),
        ("a_mmdb", "", "a.mmdb"),
    ],
)
def test_a_broken_file_is_named_with_the_line_and_not_used_at_all(
    tmp_path: Path, file: str, text: str, reason: str
) -> None:
    network = _loaded(tmp_path, **{file: text, "proxy_txt": "5.1.7.0/24"})
    (problem,) = network.problems
    assert problem.name == f"own/{file.replace('_', '.')}"
    assert reason in problem.reason
    facts = network.look_up("5.1.7.20", on=ON)
    assert (facts.is_vpn, facts.is_proxy) == (False, True)


def test_text_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "vpn.txt").write_bytes(b"\xff\xfe5\x00.\x00")
    assert "UTF-8" in NetworkIntelligence.load(tmp_path).problems[0].reason


def test_a_zone_that_does_not_exist_is_not_told(tmp_path: Path) -> None:
    facts = _look(tmp_path, "5.1.7.20", a_csv="network,country,time_zone\n5.1.7.0/24,DE,../etc/passwd\n")
    assert (facts.time_zone, facts.utc_offset) == ("Europe/Berlin", "+0200")


def test_overlapping_entries_count_by_the_narrower(tmp_path: Path) -> None:
    text = "network,operator\n5.1.0.0/16,Wide\n5.1.7.0/24,Narrow\n5.1.7.0/24,Narrow\n"
    assert _look(tmp_path, "5.1.7.20", a_csv=text).operator == "Narrow"
    assert _look(tmp_path, "5.1.8.20", a_csv=text).operator == "Wide"


def test_a_hidden_file_and_an_empty_list_are_no_problem(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / ".DS_Store").write_bytes(b"\0")
    assert _look(tmp_path, "5.1.7.20", vpn_txt="# nothing yet\n").is_vpn is False


def test_a_new_own_file_is_noticed(tmp_path: Path) -> None:
    network = _loaded(tmp_path, vpn_txt="9.9.9.9")
    assert network.look_up("5.1.7.20", on=ON).is_proxy is None
    (tmp_path / "own" / "proxy.txt").write_text("5.1.7.0/24")
    assert network.refresh()
    assert network.look_up("5.1.7.20", on=ON).is_proxy is True


def test_an_old_list_is_stale_after_sixty_days(tmp_path: Path) -> None:
    network = _loaded(tmp_path, vpn_txt="5.1.7.0/24")
    assert not network.look_up("5.1.7.20", on=date(2026, 8, 20)).sources["is_vpn"].is_stale
    assert network.look_up("5.1.7.20", on=date(2026, 8, 21)).sources["is_vpn"].is_stale

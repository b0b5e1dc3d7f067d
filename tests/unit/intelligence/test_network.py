"""Looking addresses up in small data sets: every fact with its source, nothing invented, nothing raised."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.intelligence import origins
from ipse.intelligence.facts import Connection, NetworkFacts
from ipse.intelligence.network import NetworkIntelligence
from tests.services.address_data import install

ON = date(2026, 7, 1)
Look = Callable[[str | None], NetworkFacts]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> NetworkIntelligence:
    folder = tmp_path_factory.mktemp("data")
    return NetworkIntelligence.load(install(folder, folder / "published"))


@pytest.fixture
def look(network: NetworkIntelligence) -> Look:
    return lambda address: network.look_up(address, on=ON)


def test_a_home_line_has_every_fact_and_each_fact_its_source(look: Look) -> None:
    facts = look("5.1.7.20")
    assert (facts.country, facts.country_alpha3, facts.country_name) == ("DE", "DEU", "Germany")
    assert (facts.region, facts.city, facts.latitude, facts.longitude) == ("Bavaria", "München", 48.1371, 11.5754)
    assert (facts.time_zone, facts.utc_offset) == ("Europe/Berlin", "+0200")
    assert (facts.asn, facts.operator, facts.connection) == (3320, "Deutsche Telekom AG", Connection.RESIDENTIAL)
    assert (facts.is_vpn, facts.is_tor, facts.is_relay, facts.is_datacenter) == (False, False, False, False)
    assert {fact: source.dataset for fact, source in facts.sources.items()} == {
        "country": "dbip-city",
        "region": "dbip-city",
        "city": "dbip-city",
        "latitude": "dbip-city",
        "longitude": "dbip-city",
        "asn": "asn",
        "operator": "asn",
        "is_tor": "iporigin",
        "is_vpn": "iporigin",
        "is_relay": "iporigin",
        "connection": "ipse-operators",
        "is_datacenter": "ipse-operators",
        "country_alpha3": "iso3166",
        "country_name": "iso3166",
        "time_zone": "tzdata: zone of the country",
        "utc_offset": "tzdata: zone of the country",
    }
    assert (facts.sources["country"].age_days, facts.sources["country"].is_stale) == (30, False)


def test_what_no_data_set_tells_is_none_and_not_false(look: Look) -> None:
    facts = look("5.1.7.20")
    assert facts.is_proxy is None
    assert "is_proxy" not in facts.sources


def test_the_offset_is_that_of_the_day(network: NetworkIntelligence) -> None:
    assert network.look_up("5.1.7.20", on=date(2026, 12, 1)).utc_offset == "+0100"


@pytest.mark.parametrize(
    ("address", "zone", "source"),
    [
        ("5.5.1.1", "America/Chicago", "tzdata: zone of the state"),
        ("5.5.2.1", "America/Los_Angeles", "tzdata: nearest zone city"),
        ("5.5.9.1", None, None),
        ("5.6.0.1", "Europe/Paris", "tzdata: zone of the country"),
    ],
)
def test_the_time_zone_follows_from_country_state_or_place(
    look: Look, address: str, zone: str | None, source: str | None
) -> None:
    facts = look(address)
    assert facts.time_zone == zone
    assert (facts.sources["time_zone"].dataset if "time_zone" in facts.sources else None) == source


def test_nowhere_in_the_ocean_is_no_place(look: Look) -> None:
    facts = look("5.6.0.1")
    assert (facts.country, facts.city, facts.latitude, facts.longitude) == ("FR", None, None, None)


@pytest.mark.parametrize(
    ("address", "country", "alpha3"), [("5.2.0.1", "XK", "XKX"), ("5.3.0.1", None, None), ("5.4.0.1", None, None)]
)
def test_codes_that_are_no_country_give_no_country(
    look: Look, address: str, country: str | None, alpha3: str | None
) -> None:
    facts = look(address)
    assert (facts.country, facts.country_alpha3) == (country, alpha3)


def test_an_address_that_no_data_set_knows_is_looked_up_without_a_guess(look: Look) -> None:
    facts = look("5.200.1.1")
    assert (facts.country, facts.asn, facts.city, facts.time_zone) == (None, None, None, None)
    assert facts.connection is Connection.UNKNOWN
    assert facts.risk is not None
    assert {part.code for part in facts.risk.parts} == {"unannounced", "unknown_country"}


def test_words_in_the_name_of_an_operator_tell_hosting(look: Look) -> None:
    facts = look("5.5.2.1")
    assert (facts.connection, facts.is_datacenter) == (Connection.HOSTING, True)
    assert facts.sources["is_datacenter"].dataset == "ipse-operator-words"


def test_an_operator_on_no_list_is_never_called_residential(look: Look) -> None:
    assert look("5.5.1.1").connection is Connection.UNKNOWN


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"])
def test_ipv4_inside_ipv6_is_located_as_ipv4(look: Look, address: str) -> None:
    facts = look(address)
    assert (facts.country, facts.asn, facts.network) == ("US", 15169, "8.8.8.0/24")


def test_ipv6_is_located(look: Look) -> None:
    facts = look("2001:4860:4860::8888")
    assert (facts.version, facts.country, facts.asn, facts.provider) == (6, "US", 15169, "Google")


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "100.64.0.9", "::1", "2001:db8::1", "2002:a00:1::"])
def test_special_addresses_are_nowhere_and_no_data_set_is_asked(look: Look, address: str) -> None:
    facts = look(address)
    assert facts.is_bogon
    assert facts.special is not None
    assert (facts.country, facts.asn, facts.is_vpn, facts.is_tor, facts.is_datacenter) == (None,) * 5
    assert {source.dataset for source in facts.sources.values()} == {"iana-special-addresses"}
    assert facts.risk is not None
    assert [part.code for part in facts.risk.parts] == ["bogon"]


@pytest.mark.parametrize("address", [None, "", "nonsense", "8.8.8.8/32", "999.1.1.1"])
def test_text_that_is_no_address_gives_facts_without_one(look: Look, address: str | None) -> None:
    facts = look(address)
    assert (facts.address, facts.risk, dict(facts.sources)) == (None, None, {})


def test_without_a_folder_only_the_packages_answer_and_the_rest_is_named_missing() -> None:
    facts = NetworkIntelligence.load(None).look_up("8.8.8.8", on=ON)
    assert facts.missing == ("dbip-city", "dbip-country", "asn")
    assert (facts.country, facts.asn) == (None, None)
    assert (facts.is_datacenter, facts.provider) == (True, "Google")
    assert facts.risk is not None
    assert facts.risk.confidence == 0.4


def test_nothing_known_at_all_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "load", lambda: None)
    facts = NetworkIntelligence.load(None).look_up("8.8.8.8", on=ON)
    assert facts.risk is None
    assert facts.missing == ("dbip-city", "dbip-country", "asn", "iporigin")
    assert (facts.is_vpn, facts.is_tor, facts.is_datacenter) == (None, None, None)


def test_stale_data_say_so_and_lower_the_confidence(network: NetworkIntelligence) -> None:
    fresh = network.look_up("5.1.7.20", on=date(2026, 11, 1))
    old = network.look_up("5.1.7.20", on=date(2027, 11, 1))
    assert not any(source.is_stale for source in fresh.sources.values())
    assert old.sources["country"].is_stale
    assert old.sources["is_tor"].is_stale
    assert old.risk is not None
    assert fresh.risk is not None
    assert old.risk.confidence == pytest.approx(fresh.risk.confidence / 2)


def test_a_clock_behind_the_data_makes_no_negative_age(network: NetworkIntelligence) -> None:
    assert network.look_up("5.1.7.20", on=date(2020, 1, 1)).sources["country"].age_days == 0


def test_the_data_sets_in_force_are_listed_in_the_order_of_belief(network: NetworkIntelligence) -> None:
    assert [source.dataset for source in network.datasets()] == ["dbip-city", "dbip-country", "asn", "iporigin"]
    assert network.datasets()[0].age_days is None
    assert network.datasets(ON)[0].age_days == 30


@pytest.mark.parametrize("damage", [b"", b"not an mmdb at all" * 40])
@pytest.mark.parametrize("name", ["dbip-country", "dbip-city", "asn"])
def test_a_damaged_file_is_named_and_left_out(tmp_path: Path, name: str, damage: bytes) -> None:
    folder = install(tmp_path, tmp_path / "published")
    for path in folder.glob(f"{name}*-2.3.*"):
        size = path.stat().st_size
        path.write_bytes(damage[:size].ljust(size, b"\0"))
    network = NetworkIntelligence.load(folder)
    assert network.missing == (name,)
    assert [problem.name for problem in network.problems] == [name]
    assert network.look_up("8.8.8.8", on=ON).is_datacenter is True


def test_a_file_cut_off_is_not_used(tmp_path: Path) -> None:
    folder = install(tmp_path, tmp_path / "published")
    for path in folder.glob("dbip-country-*"):
        path.write_bytes(path.read_bytes()[:-50])
    assert NetworkIntelligence.load(folder).missing == ("dbip-country",)


def test_damage_inside_a_file_costs_its_facts_and_no_more(tmp_path: Path) -> None:
    folder = install(tmp_path, tmp_path / "published", "dbip-city", "asn")
    for path in folder.glob("dbip-city-*"):
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"country_code", b"\xff" * 12))
    network = NetworkIntelligence.load(folder)
    facts = network.look_up("5.1.7.20", on=ON)
    assert facts.country is None
    assert facts.asn == 3320


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"datasets": {"asn": {}}}', '{"datasets": 7}', "\x00"])
def test_a_broken_manifest_leaves_the_packages(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    network = NetworkIntelligence.load(tmp_path)
    assert [problem.name for problem in network.problems] == ["manifest.json"]
    assert network.look_up("8.8.8.8", on=ON).provider == "Google"


def test_a_manifest_cannot_reach_outside_its_folder(tmp_path: Path) -> None:
    outside = tmp_path / "secret.mmdb"
    outside.write_bytes(b"x")
    folder = tmp_path / "data"
    folder.mkdir()
    entry = {"version": "1", "published": None, "files": {"../secret.mmdb": {"sha256": "", "bytes": 1}}}
    (folder / "manifest.json").write_text(json.dumps({"datasets": {"dbip-country": entry}}))
    assert NetworkIntelligence.load(folder).missing == ("dbip-city", "dbip-country", "asn")


def test_replaced_files_are_noticed_without_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    network = NetworkIntelligence.load(folder)
    assert network.look_up("8.8.8.8", on=ON).country is None
    install(folder, tmp_path / "published")
    assert network.refresh()
    assert network.look_up("8.8.8.8", on=ON).country == "US"
    assert not network.refresh()


def test_a_running_process_looks_for_new_files_once_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [1000.0]
    monkeypatch.setattr("ipse.intelligence.network.time.monotonic", lambda: seconds[0])
    started: list[object] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread))
    network = NetworkIntelligence.load(tmp_path)
    for passed, expected in ((59, 0), (2, 1), (30, 1), (40, 2)):
        seconds[0] += passed
        network.look_up("8.8.8.8", on=ON)
        assert len(started) == expected


def test_a_folder_that_is_a_file_or_is_not_there_leaves_the_packages(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, tmp_path / "nowhere"):
        assert NetworkIntelligence.load(folder).look_up("8.8.8.8", on=ON).provider == "Google"


def test_reading_goes_on_while_files_are_replaced(tmp_path: Path) -> None:
    folder = install(tmp_path / "data", tmp_path / "published", "dbip-country")
    network = NetworkIntelligence.load(folder)
    stop = threading.Event()
    seen: list[tuple[str | None, int | None]] = []

    def read() -> None:
        while not stop.is_set():
            facts = network.look_up(f"5.1.7.{len(seen) % 256}", on=ON)
            seen.append((facts.country, facts.asn))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(5):
            for path in (*folder.glob("asn-*"), folder / "manifest.json"):
                path.unlink()
            install(folder, tmp_path / "published")
            network.refresh()
    finally:
        stop.set()
        reader.join()
    assert seen[-1] == ("DE", 3320)
    assert set(seen) <= {("DE", None), ("DE", 3320)}


@given(st.one_of(st.text(max_size=80), st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)))
def test_no_text_makes_a_look_up_fail(network: NetworkIntelligence, text: str) -> None:
    facts = network.look_up(text, on=ON)
    assert (facts.address is None) == (facts.version is None)
    assert facts.risk is None or 0 <= facts.risk.score <= 100
    assert set(facts.sources) <= set(NetworkFacts.__dataclass_fields__)

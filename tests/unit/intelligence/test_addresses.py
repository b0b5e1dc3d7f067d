"""Reading addresses and telling the special ones, without any data."""

from __future__ import annotations

import ipaddress

import pytest

from ipse.intelligence.addresses import network_of, read_address
from ipse.intelligence.special import special_of, understand


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("8.8.8.8", "8.8.8.8"),
        (" 8.8.8.8 ", "8.8.8.8"),
        ("[2001:4860:4860::8888]", "2001:4860:4860::8888"),
        ("2001:4860:4860:0000:0000:0000:0000:8888", "2001:4860:4860::8888"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("::ffff:808:808", "8.8.8.8"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_read_in_its_shortest_form(text: str, read: str) -> None:
    assert str(read_address(text)) == read


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "8.8.8",
        "8.8.8.8.8",
        "256.1.1.1",
        "01.2.3.4",
        "8.8.8.8/24",
        "8.8.8.8:80",
        "2001::1::2",
        "x" * 10_000,
        "localhost",
        "1" * 70,
        "8.8.8.8\n9.9.9.9",
        "\x00",
        "٨.٨.٨.٨",
    ],
)
def test_what_is_no_address_is_not_read(text: str | None) -> None:
    assert read_address(text) is None


@pytest.mark.parametrize(
    ("address", "special"),
    [
        ("0.1.0.0", "this_network"),
        ("10.255.255.255", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", None),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "carrier_nat"),
        ("100.127.255.255", "carrier_nat"),
        ("100.128.0.0", None),
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link_local"),
        ("192.0.2.7", "documentation"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("198.19.255.255", "benchmarking"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.254", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("192.0.0.8", "protocol_assignment"),
        ("8.8.8.8", None),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::2", "reserved"),
        ("fc00::1", "private"),
        ("fdff::1", "private"),
        ("fe80::1", "link_local"),
        ("fec0::1", "site_local"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("100::1", "discard"),
        ("2001:2::1", "benchmarking"),
        ("2001:20::1", "orchid"),
        ("4000::1", "reserved"),
        ("64:ff9b:1::1", "local_nat64"),
        ("2a00::1", None),
        ("2600::1", None),
    ],
)
def test_special_addresses_are_told_by_the_registries(address: str, special: str | None) -> None:
    assert special_of(ipaddress.ip_address(address)) == special


def test_no_address_that_is_ordinary_here_is_called_special_by_the_standard_library() -> None:
    networks = ("1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "126.1.1.1", "198.17.1.1", "223.255.255.255")
    for text in (*networks, "2400::1", "2a01::1", "2002:808:808::1"):
        address = ipaddress.ip_address(text)
        assert address.is_global or special_of(address) is not None


@pytest.mark.parametrize(
    ("address", "inner", "special", "tunnel"),
    [
        ("2002:808:808::1", "8.8.8.8", None, "six_to_four"),
        ("2002:a00:1::1", "10.0.0.1", "private", "six_to_four"),
        ("64:ff9b::808:808", "8.8.8.8", None, "nat64"),
        ("64:ff9b::7f00:1", "127.0.0.1", "loopback", "nat64"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45", "documentation", "teredo"),
        ("2001:0:4136:e378:8000:63bf:f7f7:f7f7", "8.8.8.8", None, "teredo"),
        ("2a00::1", "2a00::1", None, None),
        ("8.8.8.8", "8.8.8.8", None, None),
    ],
)
def test_the_address_inside_a_tunnel_is_the_one_that_is_located(
    address: str, inner: str, special: str | None, tunnel: str | None
) -> None:
    reading = understand(ipaddress.ip_address(address))
    assert (str(reading.located), reading.special, reading.tunnel) == (inner, special, tunnel)


def test_the_network_of_an_address_is_its_24_or_48() -> None:
    assert network_of(ipaddress.ip_address("8.8.8.200")) == "8.8.8.0/24"
    assert network_of(ipaddress.ip_address("2001:4860:4860:ffff::8888")) == "2001:4860:4860::/48"

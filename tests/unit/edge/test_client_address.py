"""Which address counts against the limits, and which cannot be forged."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from ipse.edge.client_address import client_address


def _request(peer: str | None, forwarded: str | None = None) -> Request:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded is not None else []
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.9", None, (), "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", (), "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.9.9.9", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "not an address", ("10.0.0.0/8",), None),
        ("10.0.0.1", "", ("10.0.0.0/8",), "10.0.0.1"),
        ("::ffff:203.0.113.9", None, (), "203.0.113.9"),
        ("2001:DB8::1", None, (), "2001:db8::1"),
        ("testclient", None, (), None),
        (None, "198.51.100.1", (), None),
    ],
)
def test_only_hops_behind_trusted_proxies_are_believed(
    peer: str | None, forwarded: str | None, trusted: tuple[str, ...], expected: str | None
) -> None:
    assert client_address(_request(peer, forwarded), trusted) == expected


PROXIES = ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.5:52341", "203.0.113.5"),
        ("[2001:db8::5]:52341", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("2001:DB8:0::5", "2001:db8::5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("[::ffff:203.0.113.5]:80", "203.0.113.5"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:443", "fe80::1"),
        ("203.0.113.5, fd00::7", "203.0.113.5"),
        ("203.0.113.5, ::ffff:10.1.2.3", "203.0.113.5"),
        ("203.0.113.5,,10.1.2.3,", "203.0.113.5"),
    ],
)
def test_an_address_is_read_however_a_proxy_spells_it(forwarded: str, expected: str) -> None:
    assert client_address(_request("10.0.0.1", forwarded), PROXIES) == expected


@pytest.mark.parametrize(
    "forwarded",
    [
        "unknown",
        "_hidden",
        "203.0.113.5:port",
        "203.0.113.300",
        "203.0.113.5/24",
        "[203.0.113.5",
        "0x7f.1",
        "10.1",
        "203.0.113.5 198.51.100.1",
        "for=203.0.113.5",
    ],
)
def test_what_cannot_be_read_is_no_address_and_never_that_of_the_proxy(forwarded: str) -> None:
    assert client_address(_request("10.0.0.1", forwarded), PROXIES) is None
    assert client_address(_request("10.0.0.1", f"198.51.100.1, {forwarded}"), PROXIES) is None


def test_entries_that_the_client_wrote_itself_are_not_reached() -> None:
    forged = ", ".join(["127.0.0.1", "10.0.0.9", "8.8.8.8"] * 1000)
    assert client_address(_request("10.0.0.1", f"{forged}, 203.0.113.5, 10.0.0.2"), PROXIES) == "203.0.113.5"


def test_a_header_in_several_lines_is_one_list() -> None:
    headers = [(b"x-forwarded-for", b"203.0.113.5"), (b"x-forwarded-for", b"198.51.100.1, 10.0.0.2")]
    request = Request({"type": "http", "headers": headers, "client": ("10.0.0.1", 1)})
    assert client_address(request, PROXIES) == "198.51.100.1"


@pytest.mark.parametrize("name", [b"x-real-ip", b"forwarded", b"cf-connecting-ip", b"true-client-ip"])
def test_no_other_header_is_looked_at(name: bytes) -> None:
    request = Request({"type": "http", "headers": [(name, b"203.0.113.5")], "client": ("10.0.0.1", 1)})
    assert client_address(request, PROXIES) == "10.0.0.1"

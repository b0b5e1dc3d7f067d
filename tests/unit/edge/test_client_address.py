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

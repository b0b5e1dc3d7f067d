"""The address of the person: that of the connection, or of X-Forwarded-For where a trusted proxy wrote it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

_SUBSCRIBER: Final = 64
"""Bits of an IPv6 address that one subscriber cannot change at will."""
_WITH_PORT: Final = re.compile(r"(?P<v4>[0-9.]+):[0-9]{1,5}|\[(?P<v6>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\](?::[0-9]{1,5})?")


def client_address(request: Request, trusted_proxies: Sequence[str]) -> str | None:
    """Return the nearest address that is not a trusted proxy, or None when it cannot be told.

    The header is read from right to left: each entry was written by the hop before it, so it is believed
    only while that hop is trusted.
    """
    networks = [ipaddress.ip_network(network, strict=False) for network in trusted_proxies]
    peer = _parse(request.client.host) if request.client else None
    forwarded = [
        part.strip() for part in ",".join(request.headers.getlist("x-forwarded-for")).split(",") if part.strip()
    ]
    while peer is not None and forwarded and any(peer in network for network in networks):
        peer = _parse(forwarded.pop())
    return None if peer is None else str(peer)


def network_of(address: str | None) -> str:
    """What one subscriber has of the address space, to count by: an IPv4 address, of an IPv6 one its /64.

    ``unknown`` for what is no address; whoever hides theirs shares one count.
    """
    parsed = None if address is None else _parse(address)
    if parsed is None:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network(f"{parsed}/{_SUBSCRIBER}", strict=False))


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address as proxies write it: with a port, in brackets, with a zone that means nothing to anybody else."""
    found = _WITH_PORT.fullmatch(text)
    bare = text if found is None else found["v4"] or found["v6"]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address

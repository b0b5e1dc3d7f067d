"""The address a request came from, as far as it can be known."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

UNKNOWN = "0.0.0.0"  # noqa: S104 - the unspecified address, not one to listen on


def client_address(request: Request, trusted_proxies: Sequence[str]) -> str:
    """Return the caller's IP address in canonical text.

    ``X-Forwarded-For`` is read from the right and only past hops that are in ``trusted_proxies`` (CIDR): whatever
    stands left of the first stranger was written by the stranger. Unparsable hops end the walk.
    """
    peer = _parse(request.client.host if request.client else "")
    if peer is None:
        return UNKNOWN
    networks = [ipaddress.ip_network(text, strict=False) for text in trusted_proxies]
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    nearest = peer
    while forwarded and any(nearest in network for network in networks):
        hop = _parse(forwarded.pop())
        if hop is None:
            break
        nearest = hop
    return str(nearest)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address

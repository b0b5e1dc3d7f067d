"""Reading addresses, and the network around one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

MAX_TEXT: Final = 64
"""No written address is longer, with brackets and a scope."""

_V4_PREFIX, _V6_PREFIX = 24, 48
_V4_HOST_BITS, _V6_HOST_BITS = 32 - _V4_PREFIX, 128 - _V6_PREFIX


def read_address(text: str | None) -> Address | None:
    """Read an address; IPv4 inside IPv6 becomes IPv4; None for anything that is no address."""
    bare = (text or "").strip().strip("[]").partition("%")[0]
    if len(bare) > MAX_TEXT:
        return None
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def network_of(address: Address) -> str:
    """The /24 around an IPv4 address, the /48 around an IPv6 address: what one line or one site usually has."""
    if isinstance(address, IPv4Address):
        return f"{IPv4Address(int(address) >> _V4_HOST_BITS << _V4_HOST_BITS)}/{_V4_PREFIX}"
    return f"{IPv6Address(int(address) >> _V6_HOST_BITS << _V6_HOST_BITS)}/{_V6_PREFIX}"

"""Addresses that belong to no place: the IANA special-purpose registries, and IPv4 addresses inside tunnels.

The table is ``data/special_addresses.tsv``; each line names its RFC. Tunnels (6to4, Teredo, NAT64) carry the IPv4
address of the person: that one is located, and the fact that it came through a tunnel is kept.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from ipse.intelligence.addresses import Address
from ipse.intelligence.ranges import Ranges

TUNNELS: Final = frozenset({"nat64", "six_to_four", "teredo"})
"""Special networks whose addresses carry an IPv4 address."""

_LOW_32: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Reading:
    """An address as it can be looked up."""

    located: Address
    """The address that data sets are asked for: the IPv4 address inside a tunnel, else the address itself."""
    special: str | None
    """The special network ``located`` lies in; such an address belongs to no place and nobody."""
    tunnel: str | None
    """``nat64``, ``six_to_four`` or ``teredo``."""


def understand(address: Address) -> Reading:
    """Say what kind of address it is and which one to locate."""
    special = special_of(address)
    if special not in TUNNELS or isinstance(address, IPv4Address):
        return Reading(address, special, None)
    inner = _inside(address, special)
    return Reading(inner, special_of(inner), special)


def special_of(address: Address) -> str | None:
    """Name of the special network that holds ``address``, or None for an ordinary public address."""
    table = _table()
    label = table.find(address)
    return None if label is None else table.meaning(label)[1]


def _inside(address: IPv6Address, tunnel: str) -> IPv4Address:
    match tunnel:
        case "six_to_four":
            return IPv4Address(int(address) >> 80 & _LOW_32)
        case "teredo":  # the client's address, every bit turned (RFC 4380, section 4)
            return IPv4Address(~int(address) & _LOW_32)
        case _:
            return IPv4Address(int(address) & _LOW_32)


@cache
def _table() -> Ranges:
    lines = (files("ipse.intelligence") / "data/special_addresses.tsv").read_text("utf-8").splitlines()
    rows = list(csv.DictReader(lines, delimiter="\t"))
    names = sorted({row["special"] for row in rows})
    networks = [(ip_network(row["network"]), names.index(row["special"])) for row in rows]
    ranges = {
        version: [
            (int(network.network_address), int(network.broadcast_address), label)
            for network, label in networks
            if network.version == version
        ]
        for version in (4, 6)
    }
    return Ranges.build(ranges[4], ranges[6], [(0, name) for name in names])

"""What the package ``iporigin`` says: hosting, content delivery, crawlers, VPN, private relays, Tor exits.

It is compiled from lists that providers publish. Being on none of them is no proof of a home line, but it does say
that the address is no *listed* Tor exit or VPN.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import iporigin

from ipse.intelligence.addresses import Address
from ipse.intelligence.datasets import STALE_RANGES_DAYS, Dataset
from ipse.intelligence.facts import Connection
from ipse.intelligence.geo import Found

NAME: Final = "iporigin"

_RELAYS: Final = frozenset({"Apple Private Relay"})
"""Listed as VPN there; but a relay keeps the person's country and hides the line only."""


def load() -> Dataset | None:
    """Read the table of the package; None where it is damaged or absent."""
    try:
        built_at = iporigin.dataset_info()["built_at"]  # type: ignore[no-untyped-call]
    except (iporigin.DatasetError, OSError, ValueError, KeyError):
        return None
    published = datetime.fromtimestamp(built_at, UTC).date()
    return Dataset(NAME, version(NAME), published, STALE_RANGES_DAYS, "MIT")


def find(address: Address) -> Found:
    """Return what the lists say about a public address."""
    origin = iporigin.classify(address)  # type: ignore[no-untyped-call]
    found: Found = {"is_tor": False, "is_vpn": False, "is_relay": False}
    if origin.provider:
        found["provider"] = origin.provider
    match origin.kind:
        case iporigin.TOR:
            found["is_tor"] = True
        case iporigin.VPN:
            found["is_relay" if origin.provider in _RELAYS else "is_vpn"] = True
        case iporigin.HOSTING | iporigin.CDN | iporigin.BOT:
            found.update(is_datacenter=True, connection=Connection.HOSTING)
    return found

"""Address data of a test's own: a few lines in the operator's folder, and how a request comes to have an address."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ipse.settings import Settings

HOME: Final = "88.12.0.10"
"""A home line in Madrid."""
NEW_YORK: Final = "73.0.0.10"
VPN: Final = "185.0.0.10"
"""The exit of a VPN in Madrid."""
CLOUD: Final = "52.0.0.10"

_ROWS: Final = """\
network,country,region,city,latitude,longitude,time_zone,asn,operator,connection,is_vpn,is_tor,is_proxy,is_relay
88.12.0.0/24,ES,Madrid,Madrid,40.4168,-3.7038,Europe/Madrid,3352,Casa Telecom,residential,false,false,false,false
73.0.0.0/24,US,New York,New York,40.7128,-74.0060,America/New_York,7922,Home Cable,residential,false,false,false,false
185.0.0.0/24,ES,Madrid,Madrid,40.4168,-3.7038,Europe/Madrid,9009,Hide Well,hosting,true,false,false,false
52.0.0.0/24,ES,Madrid,Madrid,40.4168,-3.7038,Europe/Madrid,16509,Cloud,hosting,false,false,false,false
"""


def with_addresses(settings: Settings) -> Settings:
    """The settings with data for the addresses above, and with the test's client as a trusted proxy."""
    own = Path(settings.intelligence_dir) / "own"
    own.mkdir(parents=True, exist_ok=True)
    (own / "places.csv").write_text(_ROWS, "utf-8")
    return settings.model_copy(update={"trusted_proxies": ("127.0.0.0/8",)})

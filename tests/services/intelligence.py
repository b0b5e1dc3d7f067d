"""A small world of addresses for tests, as own files of an operator: the same on every machine, without data sets.

| address | where | what |
|---|---|---|
| ``LISBON``, ``LISBON_AGAIN`` | Lisbon, one /24 | home line |
| ``PORTO`` | Porto, 275 km from Lisbon | home line |
| ``MADRID`` | Madrid | mobile |
| ``HOME``, ``MADRID_VPN``, ``MADRID_CLOUD`` | Madrid | home line, VPN, data centre |
| ``NEW_YORK`` | New York | home line |
| ``SYDNEY`` | Sydney | home line |
| ``BERLIN_V6`` | Berlin | home line, IPv6 |
| ``OFFICE`` | London | business |
| ``CLOUD`` | Frankfurt | data centre |
| ``VPN``, ``PROXY``, ``TOR`` | Amsterdam, New York, Stockholm | hidden |
| ``RELAY`` | Paris | private relay |
| ``NOWHERE`` | not known | an operator that no list knows |
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ipse.settings import Settings

LISBON: Final = "2.80.10.5"
LISBON_AGAIN: Final = "2.80.10.77"
PORTO: Final = "2.81.20.9"
MADRID: Final = "80.58.40.3"
HOME: Final = "88.12.0.10"
MADRID_VPN: Final = "185.0.0.10"
MADRID_CLOUD: Final = "52.0.0.10"
NEW_YORK: Final = "73.0.0.10"
SYDNEY: Final = "1.120.7.8"
BERLIN_V6: Final = "2003:e7:bf00::25"
OFFICE: Final = "81.2.69.142"
CLOUD: Final = "23.88.1.10"
VPN: Final = "185.65.134.20"
PROXY: Final = "45.12.30.40"
TOR: Final = "171.25.193.77"
RELAY: Final = "146.75.5.6"
NOWHERE: Final = "151.99.1.1"

_PLACES: Final = """\
network,country,region,city,latitude,longitude,time_zone,asn,operator,provider,connection,is_vpn,is_relay,is_tor,is_proxy
2.80.10.0/24,PT,Lisbon,Lisbon,38.7167,-9.1333,Europe/Lisbon,3243,Casa Fibra,,residential,0,0,0,0
2.81.20.0/24,PT,Porto,Porto,41.1496,-8.6110,Europe/Lisbon,3243,Casa Fibra,,residential,0,0,0,0
80.58.40.0/24,ES,Madrid,Madrid,40.4165,-3.7026,Europe/Madrid,3352,Movil Sur,,mobile,0,0,0,0
88.12.0.0/24,ES,Madrid,Madrid,40.4168,-3.7038,Europe/Madrid,3352,Casa Telecom,,residential,0,0,0,0
185.0.0.0/24,ES,Madrid,Madrid,40.4168,-3.7038,Europe/Madrid,9009,Hide Well,,hosting,1,0,0,0
52.0.0.0/24,ES,Madrid,Madrid,40.4168,-3.7038,Europe/Madrid,16509,Cloud,,hosting,0,0,0,0
73.0.0.0/24,US,New York,New York,40.7128,-74.0060,America/New_York,7922,Home Cable,,residential,0,0,0,0
1.120.7.0/24,AU,New South Wales,Sydney,-33.8688,151.2093,Australia/Sydney,1221,Harbour Net,,residential,0,0,0,0
2003:e7:bf00::/48,DE,Berlin,Berlin,52.5200,13.4050,Europe/Berlin,3320,Haus Netz,,residential,0,0,0,0
81.2.69.0/24,GB,England,London,51.5142,-0.0931,Europe/London,64500,Example Trading,,business,0,0,0,0
23.88.1.0/24,DE,Hesse,Frankfurt am Main,50.1109,8.6821,Europe/Berlin,24940,Rack Haus,Rack Haus,hosting,0,0,0,0
185.65.134.0/24,NL,North Holland,Amsterdam,52.3740,4.8897,Europe/Amsterdam,39351,Hidden Line,Hidden Line,hosting,1,0,0,0
45.12.30.0/24,US,New York,New York,40.7128,-74.0060,America/New_York,64501,Open Door,Open Door,,0,0,0,1
171.25.193.0/24,SE,Stockholm,Stockholm,59.3327,18.0656,Europe/Stockholm,198093,Onion Friends,Tor,,0,0,1,0
146.75.5.0/24,FR,Ile-de-France,Paris,48.8566,2.3522,Europe/Paris,54113,Edge Net,Private Relay,hosting,0,1,0,0
151.99.1.0/24,,,,,,,64502,Quiet Network,,,0,0,0,0
"""


def behind_a_proxy(settings: Settings) -> Settings:
    """The settings with the test's client as a trusted proxy, so that a request can say where it comes from."""
    return settings.model_copy(update={"trusted_proxies": ("127.0.0.0/8",)})


def write_world(folder: Path) -> Path:
    """Write the world into ``folder`` as the operator's own file; return the folder."""
    own = folder / "own"
    own.mkdir(parents=True)
    (own / "places.csv").write_text(_PLACES, "utf-8")
    return folder

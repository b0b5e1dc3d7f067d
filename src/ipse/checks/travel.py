"""Could somebody have travelled from the place where they were last seen?

Great-circle distance over time, with the doubt about both places taken off the distance first: addresses are located
by data that are partly wrong, and an accusation must survive that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ipse.checks.history import Place
from ipse.intelligence.facts import NetworkFacts

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius R1 of the GRS 80 ellipsoid (Moritz, Geodetic Reference System 1980)."""
FASTEST_KMH: Final = 1000.0
"""Airliners cruise at about 900 km/h (Mach 0.82 to 0.85 at 11 km); the rest is tail wind."""
FARTHEST_KM: Final = 500.0
"""Nearer places are not compared: operators route a whole region through one city. Our choice."""
CITY_ACCURACY_KM: Final = 50.0
"""Doubt about a place whose city is known: the radius by which vendors of such data count a hit. Our choice."""
REGION_ACCURACY_KM: Final = 250.0
"""Doubt about a place of which no more than region or country is known, and about every earlier one. Our choice."""


@dataclass(frozen=True, slots=True)
class Travel:
    """The way from the last place to this one."""

    distance_km: float
    """Between the two points, as the data name them."""
    certain_km: float
    """What is left of it when both places are as near to each other as their accuracy allows."""
    elapsed: timedelta
    """Zero or negative where a clock was set back."""
    is_between_persons_places: bool
    """Neither address is a VPN, a proxy, Tor, a relay or a data centre, which are no place of a person."""

    @property
    def speed_kmh(self) -> float | None:
        """The least speed that covers ``certain_km``; None where the clock tells no time that passed."""
        hours = self.elapsed / timedelta(hours=1)
        return self.certain_km / hours if hours > 0 else None

    @property
    def is_impossible(self) -> bool:
        """Farther than :data:`FARTHEST_KM` and faster than :data:`FASTEST_KMH`, between places of a person."""
        speed = self.speed_kmh
        return (
            self.is_between_persons_places
            and self.distance_km > FARTHEST_KM
            and speed is not None
            and speed > FASTEST_KMH
        )


def travel(last: Place | None, network: NetworkFacts, now: datetime) -> Travel | None:
    """The way from ``last`` to the address; None where either has no coordinates."""
    if last is None or last.latitude is None or last.longitude is None:
        return None
    if network.latitude is None or network.longitude is None:
        return None
    distance = distance_km((last.latitude, last.longitude), (network.latitude, network.longitude))
    here = REGION_ACCURACY_KM if network.city is None else CITY_ACCURACY_KM
    return Travel(
        distance_km=distance,
        certain_km=max(0.0, distance - here - REGION_ACCURACY_KM),
        elapsed=now - last.seen_at,
        is_between_persons_places=not (last.is_anonymous or network.is_anonymous),
    )


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance of two points given as (latitude, longitude) in degrees, by the haversine formula."""
    (latitude, longitude), (other_latitude, other_longitude) = (
        (math.radians(point[0]), math.radians(point[1])) for point in (one, other)
    )
    chord = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude) * math.cos(other_latitude) * math.sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def flipped_country(last: Place | None, network: NetworkFacts) -> bool | None:
    """Whether the person was last seen in another country; None where either is unknown or no place of a person."""
    if last is None or last.country is None or network.country is None:
        return None
    if last.is_anonymous or network.is_anonymous:
        return None
    return last.country != network.country

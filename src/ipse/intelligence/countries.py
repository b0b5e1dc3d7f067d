"""Country codes and names: ISO 3166-1, and nothing that only looks like it (EU, AP, T1, ZZ are no countries)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from iso3166 import countries_by_alpha2

from ipse.intelligence.datasets import Dataset

DATASET: Final = Dataset("iso3166", version("iso3166"), None)


def is_country(code: str) -> bool:
    """Whether ``code`` is an alpha-2 code of a country (Kosovo's XK included)."""
    return code in countries_by_alpha2


def alpha3_of(code: str) -> str | None:
    """The alpha-3 code, or None for a code that is no country."""
    country = countries_by_alpha2.get(code)
    return country.alpha3 if country else None


def name_of(code: str) -> str | None:
    """The English name, or None for a code that is no country."""
    country = countries_by_alpha2.get(code)
    return country.apolitical_name if country else None

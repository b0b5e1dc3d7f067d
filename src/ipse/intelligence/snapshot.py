"""Everything that is loaded at one moment, and how the layers are put together into the facts of one address.

Layers are asked from the operator's own files down to the shipped ones; the first that tells a fact is its source.
Facts that describe one thing together (a place, an operator) are taken from one layer, never mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import maxminddb
import structlog

from ipse.intelligence import countries, ip_risk, operators, time_zones
from ipse.intelligence.addresses import Address, network_of, read_address
from ipse.intelligence.datasets import Dataset
from ipse.intelligence.facts import Connection, NetworkFacts, Source
from ipse.intelligence.geo import Found
from ipse.intelligence.special import understand

log = structlog.get_logger(__name__)

REGISTRY: Final = Dataset("iana-special-addresses", "RFC 6890", None)
"""The registries change by RFC, every few years; ``data/special_addresses.tsv`` names the RFC of each line."""

_PLACE: Final = frozenset({"region", "city", "latitude", "longitude", "time_zone"})
_TOGETHER: Final = (_PLACE, frozenset({"asn", "operator"}), frozenset({"connection", "is_datacenter"}))
"""Once one layer told one of these, no layer below adds another."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One data set that can be asked. ``find`` may raise ``maxminddb.InvalidDatabaseError``."""

    dataset: Dataset
    find: Callable[[Address], Found]
    denies: frozenset[str] = frozenset()
    """Flags for which not being listed here means false (a list of one's own is the whole list)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is there and cannot be used, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(slots=True)
class _Collected:
    """Facts of one address on their way."""

    on: date
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    def take(self, found: Mapping[str, object], dataset: Dataset) -> None:
        """Add what is not known yet."""
        known = self.values.get("country")
        elsewhere = known is not None and found.get("country") not in (None, known)
        closed = {name for group in _TOGETHER if not group.isdisjoint(self.values) for name in group}
        if elsewhere:
            closed |= _PLACE
        source = dataset.source(self.on)
        for name, value in found.items():
            if name not in self.values and name not in closed:
                self.values[name] = value
                self.sources[name] = source


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Layers in the order in which they are believed, and what is missing or broken."""

    layers: tuple[Layer, ...]
    missing: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    def facts(self, text: str | None, on: date) -> NetworkFacts:
        """Look one address up. Never raises: what cannot be read is not known."""
        address = read_address(text)
        if address is None:
            return NetworkFacts(address=None, missing=self.missing)
        reading = understand(address)
        network = network_of(reading.located)
        if reading.special is not None:
            source = REGISTRY.source(on)
            bogon = NetworkFacts(
                address=str(address),
                version=address.version,
                special=reading.special,
                network=network,
                is_bogon=True,
                sources={"special": source, "is_bogon": source},
                missing=self.missing,
            )
            return replace(bogon, risk=ip_risk.assess(bogon))
        collected = _Collected(on)
        for layer in self.layers:
            self._ask(layer, reading.located, collected)
        self._conclude(collected)
        facts = NetworkFacts(
            address=str(address),
            version=address.version,
            network=network,
            sources=collected.sources,
            missing=(*self.missing, *collected.damaged),
            **collected.values,
        )
        return replace(facts, risk=ip_risk.assess(facts, tunnel=reading.tunnel is not None))

    def _ask(self, layer: Layer, address: Address, collected: _Collected) -> None:
        try:
            found = layer.find(address)
        except maxminddb.InvalidDatabaseError as error:
            log.error("intelligence.damaged", dataset=layer.dataset.name, reason=str(error), remedy="ipse data pull")
            collected.damaged.append(layer.dataset.name)
            return
        collected.take(found, layer.dataset)

    def _conclude(self, collected: _Collected) -> None:
        """Add what follows from facts: connection, names of the country, time zone, flags that a whole list denies."""
        values, on = collected.values, collected.on
        if values.get("is_datacenter"):
            collected.values.setdefault("connection", Connection.HOSTING)
            collected.sources.setdefault("connection", collected.sources["is_datacenter"])
        elif "connection" not in values:
            rule = operators.connection_of(values.get("asn"), values.get("operator"))
            if rule is not None:
                collected.take({"connection": rule[0]}, rule[1])
        self._deny(collected)
        country = values.get("country")
        if country is None:
            return
        names = {"country_alpha3": countries.alpha3_of(country), "country_name": countries.name_of(country)}
        collected.take({name: text for name, text in names.items() if text}, countries.DATASET)
        if time_zones.offset_of(values.get("time_zone", ""), on) is None:
            values.pop("time_zone", None)
            collected.sources.pop("time_zone", None)
            place = {name: values.get(name) for name in ("region", "latitude", "longitude")}
            zone = time_zones.zone_of(country, on=on, **place)
            if zone is not None:
                values["time_zone"], collected.sources["time_zone"] = zone[0], zone[1].source(on)
        if "time_zone" in values:
            values["utc_offset"] = time_zones.offset_of(values["time_zone"], on)
            collected.sources["utc_offset"] = collected.sources["time_zone"]

    def _deny(self, collected: _Collected) -> None:
        values = collected.values
        connection = values.get("connection")
        if "is_datacenter" not in values and connection is not None:
            values["is_datacenter"] = connection is Connection.HOSTING
            collected.sources["is_datacenter"] = collected.sources["connection"]
        for layer in self.layers:
            for flag in layer.denies - values.keys():
                if layer.dataset.name not in collected.damaged:
                    values[flag], collected.sources[flag] = False, layer.dataset.source(collected.on)

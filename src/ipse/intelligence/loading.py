"""Opening the data files of a folder. What cannot be opened is left out and named; nothing here raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import maxminddb

from ipse.intelligence import origins
from ipse.intelligence.addresses import Address
from ipse.intelligence.datasets import MANIFEST, OWN_FOLDER, Installed, read_manifest
from ipse.intelligence.geo import Found, GeoFile
from ipse.intelligence.own import open_own, own_files
from ipse.intelligence.ranges import Ranges, RangesUnreadable, open_ranges
from ipse.intelligence.snapshot import Layer, Problem, Snapshot

Find = Callable[[Address], Found]


def load_snapshot(folder: Path | None) -> Snapshot:
    """Load everything that is usable."""
    layers: list[Layer] = []
    missing: list[str] = []
    problems: list[Problem] = []
    installed: dict[str, Installed] = {}
    if folder is not None:
        try:
            installed = read_manifest(folder)
        except (OSError, ValueError) as error:
            problems.append(Problem(MANIFEST, str(error)))
    for path in own_files(folder) if folder is not None else ():
        try:
            layers.append(open_own(path))
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            problems.append(Problem(f"{OWN_FOLDER}/{path.name}", str(error)))
    for name, opened in OPENERS.items():
        entry = installed.get(name)
        layer = None
        if folder is not None and entry is not None:
            try:
                layer = Layer(entry.dataset(), opened(_paths(folder, entry)))
            except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
                problems.append(Problem(name, f"{error} Run `ipse data pull`."))
        if layer is not None:
            layers.append(layer)
        else:
            missing.append(name)
    listed = origins.load()
    if listed is not None:
        layers.append(Layer(listed, origins.find, denies=frozenset({"is_datacenter"})))
    else:
        missing.append(origins.NAME)
    return Snapshot(tuple(layers), tuple(missing), tuple(problems))


def open_geo(paths: list[Path]) -> Find:
    """Open one or two MMDB files. Raises OSError or ``maxminddb.InvalidDatabaseError``."""
    return GeoFile(paths).find


def open_operators(paths: list[Path]) -> Find:
    """Open the converted table of operators. Raises OSError or ``RangesUnreadable``."""
    if len(paths) != 1:
        raise RangesUnreadable("The table of operators is one file.")
    table: Ranges = open_ranges(paths[0])

    def find(address: Address) -> Found:
        label = table.find(address)
        if label is None:
            return {}
        asn, operator = table.meaning(label)
        return {"asn": asn, "operator": operator} if operator else {"asn": asn}

    return find


def _paths(folder: Path, entry: Installed) -> list[Path]:
    """The files of a data set, each of the size that the manifest says. Raises OSError or ValueError."""
    paths = [folder / name for name in entry.files]
    for path in paths:
        if path.stat().st_size != entry.sizes[path.name]:
            raise ValueError(f"{path.name} has another size than the manifest says.")
    return paths


OPENERS: Final[dict[str, Callable[[list[Path]], Find]]] = {
    "dbip-city": open_geo,
    "dbip-country": open_geo,
    "asn": open_operators,
}
"""In the order in which they are believed: the city data are the newer and finer ones."""

"""The risk catalogue: every warning code with its feature tag, default effect and wording.

The lines live in ``risks.tsv`` beside this file. Codes, tags, configuration keys and enforced
effects come from contract 50; codes that it does not name literally are spelled as it proposes or
are Ipse's own. Where the contract gives no default the choice is ours: signs of injected pictures
decline, signs of manipulation go to review, coincidences (same address, same device) only inform.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Final


class Effect(StrEnum):
    """What a risk does to its check unless the workflow says otherwise."""

    NONE = "none"
    REVIEW = "review"
    DECLINE = "decline"


@dataclass(frozen=True)
class Risk:
    """One line of the catalogue."""

    code: str
    tag: str
    """``feature`` of the warning; ``*`` where the raising check must name its feature."""
    effect: Effect
    enforced: bool
    """The effect cannot be configured away."""
    config_key: str | None
    """The key of the feature's configuration that sets the action, where there is one."""
    short_description: str
    long_description: str


def parse_catalogue(lines: Iterable[str]) -> Mapping[str, Risk]:
    """Read the catalogue from tab-separated lines with a header; raise ValueError on duplicates."""
    risks: dict[str, Risk] = {}
    for row in csv.DictReader(lines, delimiter="\t"):
        code = row["code"]
        if code in risks:
            raise ValueError(f"The risk {code} is listed twice.")
        risks[code] = Risk(
            code=code,
            tag=row["tag"],
            effect=Effect(row["effect"]),
            enforced=row["enforced"] == "yes",
            config_key=None if row["config_key"] == "-" else row["config_key"],
            short_description=row["short_description"],
            long_description=row["long_description"],
        )
    return MappingProxyType(risks)


def _own_lines() -> list[str]:
    return files(__package__).joinpath("risks.tsv").read_text(encoding="utf-8").splitlines()


CATALOGUE: Final[Mapping[str, Risk]] = parse_catalogue(_own_lines())
"""Every known risk by its code."""

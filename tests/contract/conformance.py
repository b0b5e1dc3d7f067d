"""What a run found out about every operation, for the count at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.contract.deviations import Deviation


@dataclass
class Conformance:
    """What a whole run found, for the summary at its end."""

    answered: set[str] = field(default_factory=set)
    exercised: dict[str, list[str]] = field(default_factory=dict)
    """Problems by operation; an empty list is an operation that conforms."""
    deviations_met: set[Deviation] = field(default_factory=set)

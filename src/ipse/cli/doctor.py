"""``ipse doctor``: what is wrong with this installation, and how to mend it. It changes nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from ipse.cli import output
from ipse.cli.examinations import Finding, configuration, data, machine, models, pages, stores
from ipse.cli.failure import EXIT_NO
from ipse.settings import Settings


def doctor(*, as_json: bool) -> None:
    """Run every check; exit code 1 when one fails."""
    settings = Settings()
    findings = [*machine.examine(settings), *models.examine(settings), *data.examine(settings)]
    findings += [pages.examine(), *configuration.examine(settings)]
    findings += asyncio.run(stores.examine(settings))
    if as_json:
        output.print_json({"healthy": not _failed(findings), "findings": [vars_of(finding) for finding in findings]})
    else:
        for finding in findings:
            output.print_finding(finding.state, finding.check, finding.found, finding.remedy)
        output.say(_verdict(findings))
    sys.exit(EXIT_NO if _failed(findings) else 0)


def vars_of(finding: Finding) -> dict[str, str]:
    """The finding for programs."""
    return {
        "state": finding.state,
        "check": finding.check,
        "found": finding.found,
        "remedy": finding.remedy,
    }


def _failed(findings: Iterable[Finding]) -> bool:
    return any(finding.state == "fail" for finding in findings)


def _verdict(findings: list[Finding]) -> str:
    fails = sum(finding.state == "fail" for finding in findings)
    warns = sum(finding.state == "warn" for finding in findings)
    if fails:
        return f"{fails} of {len(findings)} checks fail; the service will not work as it should."
    return f"Ready. {warns} of {len(findings)} checks ask for attention." if warns else "Everything is in order."

"""``ipse policy``: check a policy, run its table tests, and try it on what was recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ipse.app import build_services, close_services
from ipse.cli import logs, output
from ipse.cli.failure import EXIT_NO, EXIT_USAGE, CommandError
from ipse.decision.policy.cases import Difference, differences, read_cases
from ipse.decision.policy.comparison import Comparison, compare
from ipse.decision.policy.model import Outcome, Policy
from ipse.decision.policy.problems import InvalidPolicy, PolicyProblem
from ipse.decision.policy.reading import read_policy
from ipse.settings import Settings
from ipse.step_up import backtest as recorded

MOST_SHOWN = 50
"""Changed evaluations that are printed one by one; ``--json`` has all of them."""


def check(file: Path, *, as_json: bool) -> None:
    """Say everything that is wrong with a policy."""
    problems = _problems(_json(file))
    if as_json:
        output.print_json({"valid": not problems, "problems": [problem.to_json() for problem in problems]})
    elif problems:
        output.print_table(("place", "problem"), [(problem.path or "policy", problem.message) for problem in problems])
    else:
        output.say(f"{file} has no problems.")
    if problems:
        raise SystemExit(EXIT_NO)


def test(file: Path, cases_file: Path | None, *, as_json: bool) -> None:
    """Run table tests; those beside ``policy.json`` are in ``policy.cases.json``."""
    policy = _policy(file)
    cases_file = cases_file or file.with_suffix(".cases.json")
    try:
        cases = read_cases(_json(cases_file))
    except InvalidPolicy as error:
        raise CommandError(f"{cases_file}: {error}", EXIT_USAGE) from error
    found = differences(policy, cases)
    failed = {difference.case for difference in found}
    if as_json:
        output.print_json({"cases": len(cases), "failed": len(failed), "differences": [_line(one) for one in found]})
    else:
        if found:
            rows = [(one.case, one.key, _text(one.expected), _text(one.actual)) for one in found]
            output.print_table(("case", "", "expected", "got"), rows)
        output.say(f"{len(cases) - len(failed)} of {len(cases)} cases pass.")
    if failed:
        raise SystemExit(EXIT_NO)


def backtest(
    file: Path, application: str, since: datetime | None, *, against_current: bool, most: int, as_json: bool
) -> None:
    """Answer recorded evaluations again with another policy, and show what would have changed."""
    policy = _policy(file)
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    found = asyncio.run(_compare(settings, policy, application, since, against_current, most))
    if as_json:
        output.print_json(found.to_json())
        return
    rows = [(outcome.value, str(found.before[outcome]), str(found.after[outcome])) for outcome in Outcome]
    output.print_table(("answer", "current policy" if against_current else "then", "this policy"), rows)
    output.say(f"\n{len(found.changes)} of {found.before.total()} evaluations would be answered otherwise.")
    if found.changes:
        changed = [
            (one.evaluation.id, one.evaluation.evaluated_at, one.before, one.after, ", ".join(one.reasons))
            for one in found.changes[:MOST_SHOWN]
        ]
        output.print_table(("evaluation", "at", "before", "after", "reasons"), changed)
    if len(found.changes) > MOST_SHOWN:
        output.note(f"The first {MOST_SHOWN} are shown; --json prints all of them.")


async def _compare(
    settings: Settings, policy: Policy, application: str, since: datetime | None, against_current: bool, most: int
) -> Comparison:
    services = await build_services(settings, load_faces=False)
    try:
        found = await recorded.read(services, application, policy, since=since, most=most)
        if found is None:
            raise CommandError(f"There is no application {application}. `ipse applications list` shows yours.")
        return compare(policy, found.evaluations, found.current if against_current else None)
    finally:
        await close_services(services)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", EXIT_USAGE) from error
    except ValueError as error:
        raise CommandError(f"{file} is not JSON: {error}.", EXIT_USAGE) from error


def _problems(value: Any) -> Sequence[PolicyProblem]:
    try:
        read_policy(value)
    except InvalidPolicy as error:
        return error.problems
    return ()


def _policy(file: Path) -> Policy:
    try:
        return read_policy(_json(file))
    except InvalidPolicy as error:
        raise CommandError(f"{file} has problems; `ipse policy check {file}` lists them. {error}") from error


def _line(difference: Difference) -> dict[str, Any]:
    return {
        "case": difference.case,
        "key": difference.key,
        "expected": difference.expected,
        "actual": difference.actual,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

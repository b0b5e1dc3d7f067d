"""docs/workflows.md tells what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ipse.decision.operators import Operator
from ipse.decision.presets import PRESETS
from ipse.decision.status_rules import read_rules

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")
SOURCES = [(ROOT / "src/ipse/decision" / name).read_text() for name in ("graph_json.py", "validation.py")] + [
    (ROOT / "src/ipse/decision" / name).read_text() for name in ("config.py", "status_rules.py")
]


def test_every_problem_code_is_documented_and_every_documented_code_exists() -> None:
    listed = re.search(r"Problem codes: `([^`]+)`", TEXT)
    assert listed is not None
    documented = set(listed[1].split())
    raised = set()
    for source in SOURCES:
        raised |= set(re.findall(r'(?:GraphProblem|_report)\(\s*[\w.\[\]]+(?: or None)?,\s*"(\w+)"', source))
    raised |= {"unknown_operator", "unknown_logic", "unknown_session_status"}
    assert documented == raised


def test_every_operator_and_preset_is_documented() -> None:
    words = set(re.findall(r"\w+", TEXT))
    assert {operator.value for operator in Operator} <= words
    assert set(PRESETS) <= words


def test_the_status_rule_of_the_documentation_is_usable() -> None:
    example = re.search(r"```json\n(\{\"status_rules\".*?)\n```", TEXT, re.DOTALL)
    assert example is not None
    rules, problems = read_rules(json.loads(example[1]), "n")
    assert len(rules) == 1
    assert problems == ()

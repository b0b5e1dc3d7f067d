"""The policy of applications that have none of their own; package data beside this file."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from ipse.decision.policy.model import Policy
from ipse.decision.policy.reading import read_policy
from ipse.decision.values import JsonObject


def default_content() -> JsonObject:
    """Return the shipped policy as JSON."""
    content: JsonObject = json.loads((files("ipse.decision.policy") / "default.json").read_text(encoding="utf-8"))
    return content


@cache
def default_policy() -> Policy:
    """Return the shipped policy, ready to evaluate."""
    return read_policy(default_content())

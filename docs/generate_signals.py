"""Write docs/signals.md from the catalogue. ``make docs`` runs it; a test fails when the page is out of date."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from ipse.decision.signal_catalogue import SIGNALS, PrivacyClass, Signal

PAGE = Path(__file__).with_name("signals.md")

_HEAD = """# Signals

{count} signals are computed, each of them by a tested function of `src/ipse/signals`: on sessions, those of an action's
velocity when a policy is evaluated. A session has those that its checks and its page could tell. This page is generated
from `src/ipse/decision/signals/*.tsv` (`make docs`); `GET /v3/signals/` answers the same as JSON.

- A signal that is not known is absent: it is neither false nor 0.
- Branches, status rules and step-up policies address it as `signals.<code>`, for example
  `{{"field": "signals.ip.is_vpn", "operator": "equals", "value": true}}`.
- `GET /v3/session/<id>/signals/` answers the values of a session and, under `decisive`, those that the rules of its
  workflow read. The decision (`GET /v3/session/<id>/decision/`) carries them as `signals`; the trace of a decision
  (`?include=events`) shows both sides of every comparison.
- Privacy classes: {classes}.

"""
_MEANT = {
    PrivacyClass.TECHNICAL: "says nothing about a person",
    PrivacyClass.DEVICE: "describes a device or a network",
    PrivacyClass.PERSONAL: "describes the person, where they are or what they did",
    PrivacyClass.BIOMETRIC: "measured on the face",
}


def page() -> str:
    """The whole page."""
    classes = ", ".join(f"*{one.value}* ({meaning})" for one, meaning in _MEANT.items())
    groups = [
        _group(name, list(signals)) for name, signals in groupby(SIGNALS.values(), key=lambda signal: signal.group)
    ]
    return _HEAD.format(count=len(SIGNALS), classes=classes) + "\n".join(groups)


def _group(name: str, signals: list[Signal]) -> str:
    names = _row("Code", "Type", "Range", "Source", "Privacy", "Meaning")
    head = f"## {name} ({len(signals)})\n\n{names}\n{'|---' * 6}|\n"
    rows = (
        _row(f"`{one.code}`", one.type.value, one.range, one.source, one.privacy.value, one.meaning) for one in signals
    )
    return head + "\n".join(rows) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

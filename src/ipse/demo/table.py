"""The demo's result as two tables for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from ipse.demo.guard import Asked
from ipse.demo.play import Played

_STYLES = {"Approved": "green", "Declined": "red", "In Review": "yellow"}
_ANSWERS = {"allow": "green", "valid": "green", "step_up": "yellow"}
_STAGES = ("decode", "detect", "quality", "liveness", "embed", "age", "search")


def verdicts(played: list[Played]) -> Table:
    """One row for each scene: verdict, scores, warnings, and whether the webhook verified."""
    shown = _table("Verdicts")
    shown.add_column("scene", no_wrap=True)
    shown.add_column("verdict", no_wrap=True)
    shown.add_column("liveness", justify="right")
    shown.add_column("match", justify="right")
    shown.add_column("warnings", no_wrap=True)
    shown.add_column("webhook signature", no_wrap=True)
    for one in played:
        style = _STYLES.get(one.status, "")
        mark = "" if one.as_expected else " [bold red](unexpected)[/]"
        shown.add_row(
            one.scene.title,
            f"[{style}]{one.status}[/]{mark}",
            _number(one.liveness_score),
            _number(one.match_score),
            "\n".join(risk if effect == "error" else f"{risk} ({effect})" for risk, effect in one.risks) or "-",
            _signature(one),
        )
    return shown


def milliseconds(played: list[Played]) -> Table:
    """Where the time went: the stages of the engine (summed over the frames), the whole request, and the way from the
    last frame to the webhook.
    """
    shown = _table("Milliseconds per stage")
    shown.add_column("scene", no_wrap=True)
    for name in (*_STAGES, "whole request", "selfie to webhook"):
        shown.add_column(name, justify="right")
    for one in played:
        stages = [f"{one.durations_ms[stage]:.0f}" if stage in one.durations_ms else "-" for stage in _STAGES]
        shown.add_row(one.scene.title, *stages, f"{one.durations_ms.get('total', 0):.0f}", f"{one.webhook_ms:.0f}")
    return shown


def answers(asked: list[Asked]) -> Table:
    """One row for each question of the second act: the answer, why, and how long the call took."""
    shown = _table("When is a face needed, and what is a verdict good for?")
    shown.add_column("question", no_wrap=True)
    shown.add_column("answer", no_wrap=True)
    shown.add_column("reasons")
    shown.add_column("ms", justify="right")
    for one in asked:
        mark = "" if one.as_expected else f" [bold red](expected {one.expected})[/]"
        style = _ANSWERS.get(one.answer, "red")
        shown.add_row(one.question, f"[{style}]{one.answer}[/]{mark}", ", ".join(one.reasons) or "-", f"{one.ms:.0f}")
    return shown


def as_json(played: list[Played], asked: list[Asked]) -> dict[str, Any]:
    """The same facts for programs."""
    return {"scenes": _scenes(played), "questions": [_question(one) for one in asked]}


def _question(one: Asked) -> dict[str, Any]:
    return {**asdict(one), "as_expected": one.as_expected, "ms": round(one.ms, 1)}


def _scenes(played: list[Played]) -> list[dict[str, Any]]:
    return [
        {
            "scene": one.scene.title,
            "status": one.status,
            "as_expected": one.as_expected,
            "liveness_score": one.liveness_score,
            "match_score": one.match_score,
            "warnings": [{"risk": risk, "log_type": effect} for risk, effect in one.risks],
            "webhook": {"raw_bytes": one.verdict.raw, "canonical_json": one.verdict.canonical},
            "durations_ms": dict(one.durations_ms),
            "selfie_to_webhook_ms": round(one.webhook_ms, 1),
        }
        for one in played
    ]


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)


def _number(score: float | None) -> str:
    return "-" if score is None else f"{score:.1f}"


def _signature(one: Played) -> str:
    raw, canonical = ("ok" if good else "FAILED" for good in (one.verdict.raw, one.verdict.canonical))
    return f"raw {raw}, canonical {canonical}"

"""The demo's result as a table for people and as JSON for programs."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from ipse.demo.play import Played

_STYLES = {"Approved": "green", "Declined": "red", "In Review": "yellow"}
_STAGES = ("decode", "detect", "quality", "liveness", "embed", "age", "search")


def table(played: list[Played]) -> Table:
    """One row for each scene: verdict, scores, warnings, webhook, milliseconds."""
    shown = Table(title="Biometric step-up on real faces", title_justify="left", expand=False)
    for name in ("Scene", "Verdict", "Liveness", "Match", "Warnings", "Webhook", "Server ms", "To webhook"):
        right = name in {"Liveness", "Match", "To webhook"}
        shown.add_column(name, justify="right" if right else "left", overflow="fold")
    for one in played:
        style = _STYLES.get(one.status, "")
        mark = "" if one.as_expected else " [bold red](unexpected)[/]"
        shown.add_row(
            one.scene.title,
            f"[{style}]{one.status}[/]{mark}",
            _number(one.liveness_score),
            _number(one.match_score),
            "\n".join(f"{risk} ({effect})" for risk, effect in one.risks) or "-",
            _signature(one),
            _stages(one),
            f"{one.webhook_ms:.0f} ms",
        )
    return shown


def as_json(played: list[Played]) -> list[dict[str, Any]]:
    """The same facts for programs."""
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


def _number(score: float | None) -> str:
    return "-" if score is None else f"{score:.1f}"


def _signature(one: Played) -> str:
    raw, canonical = ("ok" if good else "FAILED" for good in (one.verdict.raw, one.verdict.canonical))
    return f"raw bytes {raw}\ncanonical {canonical}"


def _stages(one: Played) -> str:
    parts = [f"{stage} {one.durations_ms[stage]:.0f}" for stage in _STAGES if stage in one.durations_ms]
    return "\n".join([", ".join(parts[:3]), ", ".join(parts[3:]), f"total {one.durations_ms.get('total', 0):.0f}"])

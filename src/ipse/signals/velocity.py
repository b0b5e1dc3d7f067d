"""Signals of how often somebody acts: the person, the device, the address. Computed when a policy is evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from ipse.decision.values import JsonValue


@dataclass(frozen=True, slots=True)
class PastActions:
    """Evaluations recorded before this one. None where there is no device or no address to count for."""

    user_10m: int
    user_1h: int
    user_24h: int
    user_same_type_24h: int
    user_payees_24h: int
    user_denied_24h: int
    user_unfinished_24h: int
    device_1h: int | None = None
    device_users_24h: int | None = None
    ip_10m: int | None = None
    ip_1h: int | None = None
    ip_users_1h: int | None = None


def of_velocity(past: PastActions) -> dict[str, JsonValue]:
    """Every signal of velocity; what cannot be counted is left out."""
    values: dict[str, JsonValue] = {
        "velocity.user_actions_10m": past.user_10m,
        "velocity.user_actions_1h": past.user_1h,
        "velocity.user_actions_24h": past.user_24h,
        "velocity.user_same_type_24h": past.user_same_type_24h,
        "velocity.user_payees_24h": past.user_payees_24h,
        "velocity.user_denied_24h": past.user_denied_24h,
        "velocity.user_unfinished_24h": past.user_unfinished_24h,
        "velocity.user_burst": _burst(past),
        "velocity.device_actions_1h": past.device_1h,
        "velocity.device_users_24h": past.device_users_24h,
        "velocity.ip_actions_10m": past.ip_10m,
        "velocity.ip_users_1h": past.ip_users_1h,
        "velocity.ip_actions_per_user_1h": _per_user(past),
    }
    return {code: value for code, value in values.items() if value is not None}


def _burst(past: PastActions) -> float:
    """The last hour against an even day: 1 is usual, 24 is a day's work in one hour; 0 without any action."""
    return round(24 * past.user_1h / past.user_24h, 2) if past.user_24h else 0.0


def _per_user(past: PastActions) -> float | None:
    """About 1 when one address tries many people once each, as credential stuffing does."""
    if not past.ip_1h or not past.ip_users_1h:
        return None
    return round(past.ip_1h / past.ip_users_1h, 2)

"""Everything a policy may look at, gathered for one action: ``{"action", "user", "velocity", "signals"}``.

What is not known is left out. Neither payee nor account nor reference get among the facts, because facts are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ipse.checks.history import History
from ipse.decision.policy.evaluation import looks_at_list_names, tallies_of
from ipse.decision.policy.fields import money_of
from ipse.decision.policy.model import Facts, Money, Policy
from ipse.decision.signal_catalogue import nested
from ipse.decision.values import JsonValue
from ipse.devices import service as devices
from ipse.edge.errors import NotFound
from ipse.intelligence.device import read_device
from ipse.intelligence.facts import DeviceFacts, NetworkFacts
from ipse.lists import service as lists
from ipse.runtime.scope import Scope
from ipse.signals.device import of_device
from ipse.signals.history import of_history, of_place
from ipse.signals.lists import of_lists
from ipse.signals.network import of_network
from ipse.signals.velocity import of_velocity
from ipse.step_up import velocity
from ipse.step_up.evaluation_schemas import Evaluate
from ipse.storage.tables import UserRow
from ipse.users import service as users

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What can be read before the writing transaction: nobody has to wait for it."""

    network: NetworkFacts
    device: DeviceFacts
    user: UserRow | None
    history: History
    types: Mapping[str, tuple[str, ...]]
    """Entry type -> types of the lists on which a value of the action stands."""
    names: Mapping[str, tuple[str, ...]] | None
    """Entry type -> names of those lists; None where the policy does not look at them."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts, and what they were read from."""

    facts: Facts
    history: History
    payee_key: str | None


def device_of(body: Evaluate) -> DeviceFacts:
    """Read the device from the headers of the person's request, as the integrator passes them on."""
    sent = body.device
    headers = {name.lower(): value for name, value in (body.headers or {}).items()}
    if body.user_agent is not None:
        headers["user-agent"] = body.user_agent
    if sent is not None and sent.persistent_id is not None:
        headers["x-didit-pid"] = sent.persistent_id
    if sent is not None and sent.fingerprint is not None:
        headers["x-didit-fp-hash"] = sent.fingerprint
    return read_device(headers, sent.report if sent is not None else None)


async def look(scope: Scope, body: Evaluate, policy: Policy, evaluation_id: str) -> Known:
    """Read what other evaluations at the same moment do not change."""
    network = scope.services.network.look_up(body.ip_address, on=scope.services.clock.now().date())
    device = device_of(body)
    listable = _listable(body, network, device)
    types, names = await lists.types_and_names(scope, listable)
    return Known(
        network=network,
        device=device,
        user=await _user(scope, body.vendor_data),
        history=await _history(scope, body, device, network, evaluation_id),
        types=types,
        names=names if looks_at_list_names(policy) else None,
    )


async def gather(scope: Scope, body: Evaluate, policy: Policy, known: Known, evaluation_id: str) -> Circumstances:
    """Count, and put everything together. The caller records the evaluation in the same transaction."""
    now = scope.services.clock.now()
    network, device, history = known.network, known.device, known.history
    payees = velocity.payee_keys(scope, body.action)
    identity = device.persistent_id or device.fingerprint
    subject_names = (f"user|{body.vendor_data}", _named("ip", network.address), _named("device", identity))
    await velocity.lock(scope, (*subject_names, _named("payee", payees[0] if payees else None)))
    if history.device_id is None and identity is not None:
        # Another evaluation may have stored the device by now; missed, its actions would not be counted.
        history = await _history(scope, body, device, network, evaluation_id)
    subjects = velocity.Subjects(user=body.vendor_data, device=history.device_id, ip=network.address, payees=payees)
    past = await velocity.past(scope, subjects, body.action.type, tallies_of(policy))
    spent = None
    if body.action.value.get("currency") is not None:
        currency = str(body.action.value["currency"])
        spent = Money(await velocity.spent_today(scope, body.vendor_data, currency), currency)
    types, names = known.types, known.names
    signals: dict[str, JsonValue] = {
        **of_network(network, now),
        **of_place(network, device, history, now),
        **of_history(network, device, history, now),
        **of_device(device),
        **of_lists(types, names),
        **of_velocity(past.actions),
    }
    facts: dict[str, JsonValue] = {
        "action": _action(body),
        "user": {
            **_person(body, known.user, now),
            "blocklisted": sorted(kind for kind, hit in types.items() if "blocklist" in hit),
            "allowlisted": sorted(kind for kind, hit in types.items() if "allowlist" in hit),
            **_known("lists", None if names is None else sorted({name for hit in names.values() for name in hit})),
            **_known("is_known_payee", past.is_known_payee),
            **_known("spent_today", None if spent is None else spent.to_json()),
        },
        "velocity": dict(past.counts),
        "signals": nested(signals),
    }
    return Circumstances(facts, history, payees[0] if payees else None)


async def _history(
    scope: Scope, body: Evaluate, device: DeviceFacts, network: NetworkFacts, evaluation_id: str
) -> History:
    return await devices.history(
        scope, vendor_data=body.vendor_data, device=device, network=network, evaluation_id=evaluation_id
    )


def _named(kind: str, name: str | None) -> str | None:
    return None if name is None else f"{kind}|{name}"


def _known(name: str, value: JsonValue) -> dict[str, JsonValue]:
    return {} if value is None else {name: value}


def _action(body: Evaluate) -> dict[str, JsonValue]:
    value = body.action.value
    kept = {name: value[name] for name in ("type", "amount", "currency", "details") if name in value}
    return {**kept, "has_payee": "payee" in value or "account" in value}


async def _user(scope: Scope, vendor_data: str) -> UserRow | None:
    try:
        return await users.get(scope, vendor_data)
    except NotFound:
        return None


def _person(body: Evaluate, user: UserRow | None, now: datetime) -> dict[str, JsonValue]:
    """A person without a record has no mark against them: that is ACTIVE, and not known."""
    context = body.context
    limit = money_of(None if context is None or context.daily_limit is None else context.daily_limit.model_dump())
    if limit is None and user is not None:
        limit = money_of((user.details.get("metadata") or {}).get("daily_limit"))
    return {
        "is_known": user is not None,
        "status": "ACTIVE" if user is None else user.status,
        **_known("age_days", None if user is None else _since(user.created_at, now, _DAY)),
        **_known("session_age_hours", _since(None if context is None else context.session_started_at, now, _HOUR)),
        **_known("sim_age_hours", _since(None if context is None else context.sim_changed_at, now, _HOUR)),
        **_known("daily_limit", None if limit is None else limit.to_json()),
    }


def _since(moment: datetime | None, now: datetime, unit: timedelta) -> float | None:
    """Time since ``moment`` in ``unit``; a moment in the future, by a clock that jumped, is now: the strict reading."""
    return None if moment is None else round(max((now - moment) / unit, 0.0), 3)


def _listable(body: Evaluate, network: NetworkFacts, device: DeviceFacts) -> Mapping[str, Sequence[str]]:
    """Entry type -> values of this action that may stand on a list."""
    asked: dict[str, Sequence[str]] = {"user": [body.vendor_data]}
    if network.address is not None:
        asked["ip_address"] = [network.address]
    if network.country_alpha3 is not None:
        asked["country"] = [network.country_alpha3]
    if device.fingerprint is not None:
        asked["device_fingerprint"] = [device.fingerprint]
    account = body.action.value.get("account")
    if isinstance(account, str):
        asked["bank_account"] = asked["wallet_address"] = [account]
    return asked


def risk_of(network: NetworkFacts) -> dict[str, Any]:
    """The risk of the address as the answer shows it."""
    risk = network.risk
    return {
        "ip_score": None if risk is None else risk.score,
        "ip_level": None if risk is None else risk.level.value,
        "confidence": None if risk is None else risk.confidence,
        "parts": [] if risk is None else [{"code": part.code, "points": part.points} for part in risk.parts],
        "missing_data": list(network.missing),
    }

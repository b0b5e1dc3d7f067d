"""The trigger library: named tests for the situations in which a face is usually asked for (requirements 163-175).

A trigger answers True, False, or None where a fact it needs is missing. Each is a pure function of facts and
parameters; docs/step-up-policy.md lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ipse.decision.policy.fields import action_money, find, money_of, tally_of
from ipse.decision.policy.model import Facts, Subject, Tally
from ipse.decision.values import JsonValue, as_number, is_list, items_of

Parameters: TypeAlias = Mapping[str, JsonValue]

RESET_TYPES: Final = ("password_reset", "email_change", "phone_change", "mfa_reset", "account_recovery")
"""Actions that take an account over, if the wrong person makes them."""
NETWORK_KINDS: Final = ("vpn", "proxy", "tor", "relay")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a trigger found: whether it holds, in one sentence, and the facts it looked at."""

    holds: bool | None
    message: str
    looked_at: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: ``kind`` is ``text``, ``texts``, ``count``, ``number``, ``amount`` or ``subject``.

    A parameter without default is required, unless ``optional`` is set.
    """

    name: str
    kind: str
    meaning: str
    default: JsonValue = None
    optional: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """One line of the library."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    look: Callable[[Facts, Parameters], Finding]


def _flag(path: str, *, wanted: bool, yes: str, no: str) -> Callable[[Facts, Parameters], Finding]:
    """A trigger that is one fact with a truth value."""

    def look(facts: Facts, _: Parameters) -> Finding:
        value = find(facts, path)
        if not isinstance(value, bool):
            return Finding(None, f"{path} is not known.", {path: value})
        return Finding(value is wanted, yes if value is wanted else no, {path: value})

    return look


def _type_in(facts: Facts, types: JsonValue) -> bool:
    return find(facts, "action.type") in items_of(types)


def _amount_over_limit(facts: Facts, parameters: Parameters) -> Finding:
    action = action_money(facts)
    own, spent = money_of(find(facts, "user.daily_limit")), money_of(find(facts, "user.spent_today"))
    limit = own or money_of(parameters)
    looked_at = {
        "action": None if action is None else action.to_json(),
        "limit": None if limit is None else limit.to_json(),
        "spent_today": None if spent is None else spent.to_json(),
    }
    if action is None:
        if find(facts, "action.amount") is not None:
            return Finding(None, "The amount has no currency.", looked_at)
        return Finding(False, "The action has no amount.", looked_at)
    if limit is None:
        return Finding(None, "Neither the person nor the policy has a limit.", looked_at)
    if action.currency != limit.currency:
        return Finding(None, f"The limit is in {limit.currency}, the amount in {action.currency}.", looked_at)
    if action.amount > limit.amount:
        return Finding(True, f"The amount is above the limit of {limit.amount} {limit.currency}.", looked_at)
    if spent is None or spent.currency != action.currency:
        return Finding(None, f"It is not known what was spent in {action.currency} today.", looked_at)
    if spent.amount + action.amount > limit.amount:
        message = f"With what was spent in 24 hours the amount is above the limit of {limit.amount} {limit.currency}."
        return Finding(True, message, looked_at)
    return Finding(False, "The amount is within the limit.", looked_at)


def _younger(path: str, what: str) -> Callable[[Facts, float], Finding]:
    def look(facts: Facts, hours: float) -> Finding:
        age = as_number(find(facts, path))
        if age is None:
            return Finding(None, f"It is not known {what}.", {path: None})
        return Finding(age < hours, f"{path} is {age:g}.", {path: age})

    return look


_session_age = _younger("user.session_age_hours", "when the person signed in")
_sim_age = _younger("user.sim_age_hours", "when the SIM was changed")


def _reset_on_young_session(facts: Facts, parameters: Parameters) -> Finding:
    if not _type_in(facts, parameters["types"]):
        return Finding(False, "The action changes no credentials.", {"action.type": find(facts, "action.type")})
    return _session_age(facts, as_number(parameters["hours"]) or 0)


def _sim_changed(facts: Facts, parameters: Parameters) -> Finding:
    return _sim_age(facts, as_number(parameters["hours"]) or 0)


def _first_seen_payee(facts: Facts, _: Parameters) -> Finding:
    if find(facts, "action.has_payee") is False:
        return Finding(False, "The action has no payee.", {"action.has_payee": False})
    known = find(facts, "user.is_known_payee")
    if not isinstance(known, bool):
        return Finding(None, "It is not known whether the payee is a new one.", {"user.is_known_payee": known})
    message = "An action to this payee was completed before." if known else "Nothing was completed to this payee yet."
    return Finding(not known, message, {"user.is_known_payee": known})


def _new_device_and_network(facts: Facts, _: Parameters) -> Finding:
    device, network = find(facts, "signals.history.is_known_device"), find(facts, "signals.history.is_known_network")
    looked_at = {"signals.history.is_known_device": device, "signals.history.is_known_network": network}
    if device is True or network is True:
        return Finding(False, "The person was seen on this device or in this network before.", looked_at)
    if device is False and network is False:
        return Finding(True, "The device and the network are both new for this person.", looked_at)
    return Finding(None, "Neither the device nor the network is known to be the person's.", looked_at)


def _velocity(facts: Facts, parameters: Parameters) -> Finding:
    tally = tally_of_trigger(parameters)
    path = f"velocity.{tally.key}"
    done, most = as_number(find(facts, path)), as_number(parameters["count"]) or 0
    if done is None:
        return Finding(None, f"{path} is not known.", {path: None})
    message = f"{done:g} earlier actions in {tally.minutes} minutes; {most:g} are allowed."
    return Finding(done >= most, message, {path: done})


def tally_of_trigger(parameters: Parameters) -> Tally:
    """Return the count that a use of ``velocity`` needs; its parameters have been read before."""
    tally = tally_of(f"velocity.{parameters['by']}.{parameters['type'] or 'any'}.{parameters['window_minutes']}")
    assert tally is not None, "the parameters were not validated"
    return tally


def _anonymous_network(facts: Facts, parameters: Parameters) -> Finding:
    looked_at = {
        f"signals.ip.is_{kind}": find(facts, f"signals.ip.is_{kind}") for kind in items_of(parameters["kinds"])
    }
    hits = [path for path, value in looked_at.items() if value is True]
    if hits:
        return Finding(True, f"The address hides where the person is: {', '.join(hits)}.", looked_at)
    if all(value is False for value in looked_at.values()):
        return Finding(False, "The address is no known VPN, proxy, Tor exit or relay.", looked_at)
    return Finding(None, "It is not known whether the address is a VPN, a proxy, a Tor exit or a relay.", looked_at)


def _datacenter_login(facts: Facts, parameters: Parameters) -> Finding:
    if not _type_in(facts, parameters["types"]):
        return Finding(False, "The action is no login.", {"action.type": find(facts, "action.type")})
    return _datacenter(facts, parameters)


_datacenter = _flag(
    "signals.ip.is_datacenter",
    wanted=True,
    yes="The address belongs to a data centre.",
    no="The address belongs to no known data centre.",
)


def _user_status(facts: Facts, parameters: Parameters) -> Finding:
    status = find(facts, "user.status")
    looked_at = {"user.status": status}
    if not isinstance(status, str):
        return Finding(None, "The status of the person is not known.", looked_at)
    return Finding(status in items_of(parameters["statuses"]), f"The person is {status}.", looked_at)


def _automation(facts: Facts, _: Parameters) -> Finding:
    traces = find(facts, "signals.device.automation")
    looked_at = {"signals.device.automation": traces}
    if not is_list(traces):
        return Finding(None, "The device has not reported.", looked_at)
    if not items_of(traces):
        return Finding(False, "The device shows no trace of automation.", looked_at)
    return Finding(True, "The device shows traces of automation.", looked_at)


def _listed(facts: Facts, parameters: Parameters) -> Finding:
    name = parameters["name"]
    path = f"user.{parameters['list_type']}ed" if name is None else "user.lists"
    wanted = items_of(parameters["types"]) if name is None else (name,)
    found = find(facts, path)
    if not is_list(found):
        return Finding(None, "The lists were not asked.", {path: None})
    hits = [str(item) for item in items_of(found) if not wanted or item in wanted]
    return Finding(
        bool(hits), f"Found on a list: {', '.join(hits)}." if hits else "Found on no such list.", {path: found}
    )


_TYPES: Final = "Action types it is about."

TRIGGERS: Final[Mapping[str, Trigger]] = {
    trigger.name: trigger
    for trigger in (
        Trigger(
            "amount_over_limit",
            "The amount, with what was completed in the last 24 hours, is above the person's daily limit, or above the "
            "policy's where the person has none.",
            (
                Parameter("amount", "amount", "Limit for persons without their own.", optional=True),
                Parameter("currency", "text", "Currency of that limit.", optional=True),
            ),
            _amount_over_limit,
        ),
        Trigger(
            "reset_on_young_session",
            "Credentials are changed in a session younger than `hours`.",
            (
                Parameter("types", "texts", _TYPES, RESET_TYPES),
                Parameter("hours", "number", "Age from which a session is old enough.", 24),
            ),
            _reset_on_young_session,
        ),
        Trigger(
            "first_seen_payee",
            "No earlier action of the person to this payee or account was completed.",
            (),
            _first_seen_payee,
        ),
        Trigger(
            "new_device",
            "The person was never seen on this device.",
            (),
            _flag(
                "signals.history.is_known_device",
                wanted=False,
                yes="The device is new for this person.",
                no="The person was seen on this device before.",
            ),
        ),
        Trigger(
            "new_country",
            "The person was never seen in this country.",
            (),
            _flag(
                "signals.place.is_known_country",
                wanted=False,
                yes="The country is new for this person.",
                no="The person was seen in this country before.",
            ),
        ),
        Trigger(
            "new_device_and_network",
            "Device and network are both new for the person. Every policy has this rule, first and unsuppressed.",
            (),
            _new_device_and_network,
        ),
        Trigger(
            "velocity",
            "`count` actions of the type were already asked for within the window, so that this one is one too many.",
            (
                Parameter("type", "text", "Action type; every type where it is left out.", optional=True),
                Parameter("count", "count", "How many are allowed."),
                Parameter("window_minutes", "count", "Length of the window, at most 90 days."),
                Parameter("by", "subject", "Whose actions count.", "user", choices=tuple(Subject)),
            ),
            _velocity,
        ),
        Trigger(
            "anonymous_network",
            "The address is the exit of a VPN, a proxy, Tor or a relay.",
            (Parameter("kinds", "texts", "Which of them count.", ("vpn", "proxy", "tor"), choices=NETWORK_KINDS),),
            _anonymous_network,
        ),
        Trigger(
            "datacenter_login",
            "Somebody signs in from a data centre.",
            (Parameter("types", "texts", _TYPES, ("login",)),),
            _datacenter_login,
        ),
        Trigger(
            "impossible_travel",
            "The person cannot have come here from where they were last (docs/ip-analysis.md has the speed).",
            (),
            _flag(
                "signals.place.is_impossible_travel",
                wanted=True,
                yes="Nobody travels that fast.",
                no="The way from the last place can be travelled.",
            ),
        ),
        Trigger(
            "user_status",
            "The application has marked the person. A blocked one is denied by every policy.",
            (
                Parameter(
                    "statuses", "texts", "Which marks count.", ("FLAGGED",), choices=("ACTIVE", "FLAGGED", "BLOCKED")
                ),
            ),
            _user_status,
        ),
        Trigger(
            "listed",
            "Address, device, country or person stand on a list: of a type, or of a name.",
            (
                Parameter("list_type", "text", "Kind of list.", "blocklist", choices=("blocklist", "allowlist")),
                Parameter("types", "texts", "Entry types that count; all where it is left out.", ()),
                Parameter("name", "text", "Name of one list; then the others do not matter.", optional=True),
            ),
            _listed,
        ),
        Trigger(
            "automation",
            "The browser or app is driven by a program.",
            (),
            _automation,
        ),
        Trigger(
            "sim_changed",
            "The integrator says that the SIM was changed less than `hours` ago.",
            (Parameter("hours", "number", "Age from which a SIM is trusted again.", 72),),
            _sim_changed,
        ),
    )
}
"""Name -> trigger."""

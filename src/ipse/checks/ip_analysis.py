"""IP_ANALYSIS: under which address and with what device is the person connected, and does that fit their past?

A pure function of three answers: what the data say of the address, what the device says of itself, and what was seen
before. What is not known is null in the report; a rule of the workflow that needs a data set which is not installed
sends the session to review instead of passing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from ipse.checks import location_findings as findings
from ipse.checks.history import History
from ipse.checks.location_facts import facts_of
from ipse.checks.location_findings import is_vpn_or_tor
from ipse.checks.location_risk import assess_risk
from ipse.decision.features import Feature
from ipse.decision.reports import Report, report_from_warnings
from ipse.decision.settings import IpAnalysisConfig
from ipse.decision.values import JsonValue
from ipse.decision.warnings import Action, RiskWarning, warn
from ipse.intelligence.facts import DeviceFacts, NetworkFacts

NOT_DETERMINED: Final = "IP_LOCATION_NOT_DETERMINED"


def assess(
    network: NetworkFacts,
    device: DeviceFacts,
    history: History,
    config: IpAnalysisConfig,
    node_id: str,
    *,
    expected_ip: str | None,
    now: datetime,
) -> Report:
    """Report on address, device and history of a session.

    ``score`` is 0 (safe) to 100, None where nothing is known of the address. ``expected_ip`` is an address or a
    network, from the session's ``expected_details``. ``now`` is aware.
    """
    risk = assess_risk(network, device, history, now)
    found = (
        *findings.of_address(network, history, config, expected_ip),
        *findings.of_device(device, history, config),
        *findings.of_travel(network, device, history, now),
    )
    warnings = [warn(code, node_id, action=_action(code, config), additional_data=data) for code, data in found]
    return report_from_warnings(
        Feature.IP_ANALYSIS,
        node_id,
        score=None if risk is None else risk.score,
        warnings=(*warnings, *_not_available(network, history, config, node_id)),
        facts=facts_of(network, device, history, risk),
    )


def _action(code: str, config: IpAnalysisConfig) -> Action:
    """The workflow's action. Where it draws a fence, an unknown place is not inside: it is looked at by a person."""
    action = config.action(code)
    unset = "ip_location_not_determined_action" not in config.actions
    if code == NOT_DETERMINED and config.geofencing_enabled and unset:
        return Action.REVIEW
    return action


def _not_available(
    network: NetworkFacts, history: History, config: IpAnalysisConfig, node_id: str
) -> Iterator[RiskWarning]:
    """Rules that the workflow sets and that a missing data set leaves unanswered: in review, never approved."""
    if not network.missing or network.special is not None or network.address is None:
        return
    unanswered: list[JsonValue] = list(_unanswered(network, history, config))
    if unanswered:
        yield warn(
            "CHECK_NOT_AVAILABLE",
            node_id,
            feature=Feature.IP_ANALYSIS,
            additional_data={"not_available": unanswered, "missing_data": list(network.missing)},
        )


def _unanswered(network: NetworkFacts, history: History, config: IpAnalysisConfig) -> Iterator[str]:
    needs = {
        "vpn_detection_action": is_vpn_or_tor(network) is not None,
        "ip_mismatch_action": network.country_alpha3 is not None or history.document_country is None,
        "country_flip_action": network.country is not None,
        "impossible_travel_action": network.latitude is not None,
        "time_zone_mismatch_action": network.time_zone is not None or network.utc_offset is not None,
    }
    for key, is_answered in needs.items():
        if not is_answered and config.actions.get(key, Action.NO_ACTION) is not Action.NO_ACTION:
            yield key
    if config.geofencing_enabled and network.country_alpha3 is None:
        yield "is_ip_geofencing_enabled"

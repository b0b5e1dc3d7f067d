"""Signals of the lists on which something of a session or an action stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ipse.decision.values import JsonValue

HIGH_RISK_COUNTRIES: Final = "High Risk Countries"
"""Name of the system list of countries (contract 60 section 2)."""
_BLOCK: Final = "blocklist"
_ALLOW: Final = "allowlist"

HITS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "list.is_user_blocklisted": (_BLOCK, ("user",)),
        "list.is_address_blocklisted": (_BLOCK, ("ip_address",)),
        "list.is_address_allowlisted": (_ALLOW, ("ip_address",)),
        "list.is_device_blocklisted": (_BLOCK, ("device_fingerprint",)),
        "list.is_device_allowlisted": (_ALLOW, ("device_fingerprint",)),
        "list.is_email_blocklisted": (_BLOCK, ("email",)),
        "list.is_phone_blocklisted": (_BLOCK, ("phone",)),
        "list.is_document_blocklisted": (_BLOCK, ("document",)),
        "list.is_country_blocklisted": (_BLOCK, ("country",)),
        "list.is_payee_blocklisted": (_BLOCK, ("bank_account", "wallet_address")),
    }
)
"""Signal -> type of list, and the entry types of which one has to stand on it."""


def of_lists(
    types: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]] | None = None
) -> dict[str, JsonValue]:
    """Every signal of what was looked up; what nobody asked for is left out.

    ``types`` is the answer of ``ipse.lists.service.types_of`` (entry type -> types of lists hit, empty for none),
    ``names`` that of ``named``.
    """
    values: dict[str, JsonValue] = {}
    for code, (list_type, entry_types) in HITS.items():
        asked = [types[kind] for kind in entry_types if kind in types]
        if asked:
            values[code] = any(list_type in found for found in asked)
    if types:
        values["list.blocklist_hits"] = sum(_BLOCK in found for found in types.values())
        values["list.allowlist_hits"] = sum(_ALLOW in found for found in types.values())
    if names is not None:
        values["list.names"] = sorted({name for found in names.values() for name in found})
        if "country" in names:
            values["list.is_country_high_risk"] = HIGH_RISK_COUNTRIES in names["country"]
    return values

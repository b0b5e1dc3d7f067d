"""The signals of lists: each computed, none claimed for what nobody looked up."""

from __future__ import annotations

from ipse.decision.signal_catalogue import SIGNALS, problems_of
from ipse.lists import service
from ipse.lists.values import EntryType
from ipse.signals.lists import HIGH_RISK_COUNTRIES, HITS, of_lists


def test_every_signal_of_the_group_is_computed() -> None:
    types = {kind.value: ("allowlist", "blocklist") for kind in EntryType}
    values = of_lists(types, {"country": (HIGH_RISK_COUNTRIES,)})
    assert set(values) == {code for code, signal in SIGNALS.items() if signal.group == "list"}
    assert problems_of(values) == ()
    assert all(value is True for code, value in values.items() if code.startswith("list.is_"))
    assert (values["list.blocklist_hits"], values["list.allowlist_hits"]) == (len(EntryType), len(EntryType))
    assert values["list.names"] == [HIGH_RISK_COUNTRIES]


def test_what_was_looked_up_and_not_found_is_false() -> None:
    values = of_lists(dict.fromkeys((kind.value for kind in EntryType), ()), {"country": ("Sanctioned",)})
    assert all(value is False for code, value in values.items() if code.startswith("list.is_"))
    assert (values["list.blocklist_hits"], values["list.names"]) == (0, ["Sanctioned"])


def test_what_nobody_looked_up_is_left_out() -> None:
    assert of_lists({}) == {}
    assert of_lists({"email": ("custom",)}) == {
        "list.is_email_blocklisted": False,
        "list.blocklist_hits": 0,
        "list.allowlist_hits": 0,
    }
    assert of_lists({}, {}) == {"list.names": []}


def test_a_payee_is_blocklisted_by_account_or_by_wallet() -> None:
    assert of_lists({"bank_account": (), "wallet_address": ("blocklist",)})["list.is_payee_blocklisted"] is True
    assert of_lists({"bank_account": ()})["list.is_payee_blocklisted"] is False


def test_an_allowlist_is_no_blocklist() -> None:
    values = of_lists({"ip_address": ("allowlist",), "device_fingerprint": ("blocklist",)})
    assert (values["list.is_address_blocklisted"], values["list.is_address_allowlisted"]) == (False, True)
    assert (values["list.is_device_blocklisted"], values["list.is_device_allowlisted"]) == (True, False)


def test_the_names_are_those_of_the_lists() -> None:
    assert HIGH_RISK_COUNTRIES in service.SYSTEM_LISTS.values()
    assert {kind for _, kinds in HITS.values() for kind in kinds} <= {kind.value for kind in EntryType}

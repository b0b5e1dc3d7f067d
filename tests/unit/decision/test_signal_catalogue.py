"""The catalogue of signals is well formed, and says when a computed value does not fit it."""

from __future__ import annotations

import pytest

from ipse.decision import signal_catalogue
from ipse.decision.fields import definition_of, parse_path
from ipse.decision.signal_catalogue import SIGNALS, PrivacyClass, SignalType, nested, parse_signals, problems_of

HEADER = "code\ttype\trange\tsource\tprivacy\tmeaning"


def test_a_line_is_read_with_its_group() -> None:
    (signal,) = parse_signals([HEADER, "ip.is_vpn\tboolean\t-\taddress data\tdevice\tA VPN exit."], "ip")
    assert (signal.group, signal.type, signal.privacy) == ("ip", SignalType.BOOLEAN, PrivacyClass.DEVICE)
    assert signal.to_json()["field"] == "signals.ip.is_vpn"


@pytest.mark.parametrize("code", ["face.sharpness", "ip", "ip.", "ip.a.b"])
def test_a_code_outside_its_group_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="does not read"):
        parse_signals([HEADER, f"{code}\tnumber\t0-1\tx\ttechnical\ty"], "ip")


def test_a_code_listed_twice_is_refused() -> None:
    line = "ip.asn\tnumber\t-\tx\tdevice\ty"
    with pytest.raises(ValueError, match="twice"):
        parse_signals([HEADER, line, line], "ip")


@pytest.mark.parametrize(
    ("kind", "fitting", "other"),
    [
        (SignalType.BOOLEAN, True, 1),
        (SignalType.NUMBER, 1.5, True),
        (SignalType.TEXT, "a", ["a"]),
        (SignalType.LIST, ["a"], "a"),
    ],
)
def test_a_type_knows_its_values(kind: SignalType, fitting: object, other: object) -> None:
    assert kind.fits(fitting)  # type: ignore[arg-type]
    assert not kind.fits(other)  # type: ignore[arg-type]


def test_rules_address_a_signal_by_its_code() -> None:
    assert nested({"ip.is_vpn": True, "ip.asn": 1, "device.is_known": False}) == {
        "ip": {"is_vpn": True, "asn": 1},
        "device": {"is_known": False},
    }


def test_a_value_that_does_not_fit_the_catalogue_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [HEADER, "ip.is_vpn\tboolean\t-\tx\tdevice\ty"]
    monkeypatch.setattr(signal_catalogue, "SIGNALS", {one.code: one for one in parse_signals(lines, "ip")})
    assert problems_of({"ip.is_vpn": True}) == ()
    assert problems_of({"ip.is_vpn": "yes", "ip.other": 1}) == (
        "ip.other is not in the catalogue",
        "ip.is_vpn is 'yes', not boolean",
    )


def test_every_signal_is_a_field_of_rules() -> None:
    for code in SIGNALS:
        path = parse_path(f"signals.{code}")
        assert path is not None
        assert definition_of(path) is not None

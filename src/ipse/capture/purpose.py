"""What the person is asked to confirm: the action of the session, or else what its metadata says.

Of metadata only the documented keys are shown, nothing else that lies there. The text appears beside the operator's
name on a page that people trust, and part of it (a payee, say) may come from a stranger: so it is one line of visible
characters, short, and cannot turn the reading direction around. What is malformed is left out; this never fails.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final

from ipse.capture.schemas import Purpose, PurposeDetail

MAX_TEXT: Final = 120
"""Characters of the integrator's sentence: two lines on a narrow phone."""
MAX_NAME: Final = 70
"""Characters of a name, as in the credit transfers of ISO 20022 (Max70Text of SEPA)."""
SHOWN_OF_ACCOUNT: Final = 4
_MAX_AMOUNT: Final = Decimal(10) ** 15
_MAX_DECIMALS: Final = 8
"""Enough for a fiat amount in minor units and for bitcoin."""
_MAX_MARKS: Final = 3
"""Accents on one letter; more of them paint over the lines above and below."""
_BLANK_LETTERS: Final = "\u115f\u1160\u2800\u3164\uffa0"
"""Fillers that count as letters or symbols and show nothing."""
_LEAST_OF_ACCOUNT: Final = 6
"""Of a shorter account its last characters would be most of it: it is left out."""

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "transfer": "transfer",
        "high_value_transfer": "transfer",
        "wire_transfer": "transfer",
        "bank_transfer": "transfer",
        "money_transfer": "transfer",
        "payout": "payout",
        "withdrawal": "payout",
        "cash_out": "payout",
        "new_payee": "new_payee",
        "add_payee": "new_payee",
        "new_beneficiary": "new_payee",
        "new_recipient": "new_payee",
        "password_reset": "password_reset",
        "reset_password": "password_reset",
        "password_change": "password_reset",
        "login": "login",
        "sign_in": "login",
        "signin": "login",
        "email_change": "email_change",
        "change_email": "email_change",
        "phone_change": "phone_change",
        "change_phone": "phone_change",
        "card_issue": "card_issue",
        "new_card": "card_issue",
        "contract_sign": "contract_sign",
        "sign_contract": "contract_sign",
        "account_recovery": "account_recovery",
        "data_export": "data_export",
        "export_data": "data_export",
        "age_check": "age_check",
        "age_verification": "age_check",
        "identity_check": "identity_check",
        "identity_verification": "identity_check",
    }
)
"""What ``trigger``, or ``action`` in place of a sentence, may say, and the code for which the page has words
(web/capture/src/locales)."""

_CURRENCY: Final = re.compile(r"^[A-Z]{3}$")
_NUMBER: Final = re.compile(r"^[0-9]{1,15}(?:\.[0-9]{1,8})?$")
_PAYEE_KEYS: Final = ("payee", "recipient", "beneficiary")
_ACCOUNT_KEYS: Final = ("account", "iban")


def purpose_of(metadata: Any) -> Purpose | None:
    """Read the purpose out of any JSON value; None where it says nothing that can be shown."""
    if not isinstance(metadata, Mapping):
        return None
    amount, action = _amount(metadata.get("amount")), metadata.get("action")
    purpose = Purpose(
        code=_code(metadata.get("trigger")) or _code(action),
        text=visible_line(action, MAX_TEXT) if _code(action) is None else None,
        amount=amount,
        currency=_currency(metadata.get("currency")) if amount is not None else None,
        payee=_first(visible_line(metadata.get(key), MAX_NAME) for key in _PAYEE_KEYS),
        account=_first(_account(metadata.get(key)) for key in _ACCOUNT_KEYS),
    )
    return purpose if any(value is not None for value in purpose.model_dump().values()) else None


def purpose_of_action(action: Mapping[str, Any]) -> Purpose:
    """The purpose of a canonical action (``ipse.step_up.actions``): all of it, but of the account its end."""
    code, account = _code(action["type"]), action.get("account")
    details = action.get("details")
    return Purpose(
        code=code,
        text=action["type"] if code is None else None,
        amount=action.get("amount"),
        currency=action.get("currency"),
        payee=action.get("payee"),
        account=account[-SHOWN_OF_ACCOUNT:] if account else None,
        reference=action.get("reference"),
        details=[PurposeDetail(label=label, value=value) for label, value in details.items()] if details else None,
    )


def _first(values: Any) -> str | None:
    return next((value for value in values if value is not None), None)


def _code(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return CODES.get(value.strip().lower().replace("-", "_").replace(" ", "_"))


def visible_line(value: Any, longest: int) -> str | None:
    """One line of visible text, cut to ``longest`` characters; None when nothing visible is left."""
    if not isinstance(value, str):
        return None
    shown: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", value[: longest * 8]):
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks <= _MAX_MARKS and _shows(character):
            shown.append(" " if _separates(character) else character)
    text = " ".join("".join(shown).split())
    if len(text) > longest:
        text = text[: longest - 1].rstrip() + "…"
    return text if any(character.isalnum() for character in text) else None


def _separates(character: str) -> bool:
    return character in "\t\n\r\v\f" or unicodedata.category(character).startswith("Z")


def _shows(character: str) -> bool:
    """Whether a character may be shown: no control characters, no bidirectional overrides, nothing unassigned.

    The joiners (U+200C, U+200D) stay: Persian, Hindi and other languages are misspelled without them.
    """
    if character in _BLANK_LETTERS:
        return False
    return _separates(character) or character in "\u200c\u200d" or unicodedata.category(character)[0] != "C"


def _amount(value: Any) -> str | None:
    """A decimal number without exponent, as many digits as the integrator gave; None for anything else or for 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    text = value.strip() if isinstance(value, str) else None
    if text is not None and not _NUMBER.fullmatch(text):
        return None  # also "1,250.00": what the comma means depends on the country
    try:
        number = Decimal(text if text is not None else repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 < number < _MAX_AMOUNT:
        return None
    plain = format(number, "f")
    return plain if len(plain.partition(".")[2]) <= _MAX_DECIMALS else None


def _currency(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    code = value.strip().upper()
    return code if _CURRENCY.fullmatch(code) else None


def _account(value: Any) -> str | None:
    """The last characters of an account number, which may come with spaces, dashes or a mask of dots or stars."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > 64:
        return None
    kept = "".join(character for character in value if character.isascii() and character.isalnum())
    masked = any(character in value for character in "*.•xX") and len(kept) >= SHOWN_OF_ACCOUNT
    if len(kept) < _LEAST_OF_ACCOUNT and not masked:
        return None
    return kept[-SHOWN_OF_ACCOUNT:].upper()

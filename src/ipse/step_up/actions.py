"""The action a person authorises, in its one spelling: what is shown is what is signed (decision 0014).

``canonical`` accepts an action or refuses it; nothing is dropped in silence, because the page shows what is accepted
and the hash covers what is shown. The one exception is the account: the hash covers all of it, the page shows its last
four characters, as banks do.

The hash is SHA-256 over the RFC 8785 bytes of the canonical object. Every value in it is text, so that no language's
number type takes part; keys that some language would move or drop are refused. The vectors in
``examples/step-up/action-vectors.json`` are for verifiers in other languages.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from ipse.capture.purpose import MAX_NAME, MAX_TEXT, visible_line
from ipse.decision.values import JsonValue
from ipse.security.canonical_json import canonical_bytes, rebuild_hazards

MAX_TYPE: Final = 64
MAX_ACCOUNT: Final = 64
MAX_LABEL: Final = 40
"""Characters of the name of a detail."""
MAX_DETAILS: Final = 16
MAX_AMOUNT_TEXT: Final = 40
MAX_DECIMALS: Final = 8
AMOUNT_LIMIT: Final = Decimal(10) ** 15
"""Amounts are below this."""
KEYS: Final = ("type", "amount", "currency", "payee", "account", "reference", "details")

_DECIMAL: Final = re.compile(r"[0-9]{1,32}(?:\.[0-9]{1,32})?")
_CURRENCY: Final = re.compile(r"[A-Z][A-Z0-9]{1,10}[A-Z0-9]")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._:/@+-]{3,63}")


class ActionProblem(ValueError):
    """An action cannot be shown or signed as it stands. ``field`` is one of :data:`KEYS` or the unknown key."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class CanonicalAction:
    """An action in its one spelling. ``hash`` is 64 lower-case hexadecimal digits."""

    value: Mapping[str, JsonValue]
    hash: str

    @property
    def type(self) -> str:
        """What is done: ``transfer``, ``payout``, …"""
        return str(self.value["type"])


def canonical(action: Mapping[str, object]) -> CanonicalAction:
    """Return the one spelling of ``action`` with its hash. ``None`` counts as left out.

    Raises:
        ActionProblem: a value that cannot be shown in full, is malformed, or has a key that nothing shows.
    """
    given = {str(key): value for key, value in action.items() if value is not None}
    for key in given:
        if key not in KEYS:
            known = ", ".join(KEYS)
            raise ActionProblem(key[:MAX_LABEL], f"This key is not shown to the person. Use {known}.")
    if "type" not in given:
        raise ActionProblem("type", "This field is required.")
    value: dict[str, JsonValue] = {"type": _line("type", given["type"], MAX_TYPE)}
    if "amount" in given:
        value["amount"] = _amount(given["amount"])
    if "currency" in given:
        if "amount" not in given:
            raise ActionProblem("currency", "A currency is shown with an amount only.")
        value["currency"] = _currency(given["currency"])
    if "payee" in given:
        value["payee"] = _line("payee", given["payee"], MAX_NAME)
    if "account" in given:
        value["account"] = _account(given["account"])
    if "reference" in given:
        value["reference"] = _line("reference", given["reference"], MAX_TEXT)
    if "details" in given and (details := _details(given["details"])):
        value["details"] = details
    return CanonicalAction(value, hashlib.sha256(canonical_bytes(value)).hexdigest())


def _line(field: str, value: object, longest: int) -> str:
    """One line of visible text in NFC, single spaces, none at the ends."""
    if not isinstance(value, str):
        raise ActionProblem(field, "Send text.")
    if len(value) > longest * 2:
        raise ActionProblem(field, f"At most {longest} characters can be shown.")
    text = " ".join(part for part in unicodedata.normalize("NFC", value).split(" ") if part)
    if not text:
        raise ActionProblem(field, "This may not be empty.")
    if len(text) > longest:
        raise ActionProblem(field, f"At most {longest} characters can be shown.")
    if visible_line(text, longest) != text:
        raise ActionProblem(field, "This has characters that cannot be shown, or no letter or digit.")
    return text


def _amount(value: object) -> str:
    """Decimal text without exponent and without zeros that say nothing: ``1250.00`` and ``1250`` are one amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ActionProblem("amount", "Send a decimal number as text, such as 1250.00.")
    text = value.strip() if isinstance(value, str) else None
    if text is not None and not _DECIMAL.fullmatch(text):
        raise ActionProblem("amount", "Use digits and a point only, such as 1250.00: no sign, no thousands separators.")
    try:
        number = Decimal(text if text is not None else repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError) as error:  # ValueError: an integer of too many digits
        raise ActionProblem("amount", "This is not a decimal number.") from error
    if not number.is_finite() or not 0 < number < AMOUNT_LIMIT:
        raise ActionProblem("amount", "An amount is above 0 and has at most 15 digits before the point.")
    plain = format(number, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    if len(plain.partition(".")[2]) > MAX_DECIMALS:
        raise ActionProblem("amount", f"An amount has at most {MAX_DECIMALS} decimals. Send it as text.")
    return plain


def _currency(value: object) -> str:
    code = value.strip().upper() if isinstance(value, str) and value.isascii() else ""
    if not _CURRENCY.fullmatch(code):
        raise ActionProblem("currency", "Send the three letters of ISO 4217, or a code of up to 12 letters and digits.")
    return code


def _account(value: object) -> str:
    """Without spaces; upper and lower case stay apart, because in some account numbers they differ."""
    text = "".join(value.split(" ")) if isinstance(value, str) else ""
    if not _ACCOUNT.fullmatch(text):
        raise ActionProblem(
            "account",
            f"Send 4 to {MAX_ACCOUNT} letters and digits as text; a mask of * and the signs ._:/@+- may be in it.",
        )
    return text


def _details(value: object) -> dict[str, JsonValue]:
    if not isinstance(value, Mapping):
        raise ActionProblem("details", "Send an object of names and texts.")
    if len(value) > MAX_DETAILS:
        raise ActionProblem("details", f"At most {MAX_DETAILS} details can be shown.")
    lines: dict[str, JsonValue] = {}
    for name, text in value.items():
        if text is None:
            continue
        label = _line("details", name, MAX_LABEL)
        if label in lines:
            raise ActionProblem("details", f'"{label}" is there twice.')
        lines[label] = _line("details", text, MAX_TEXT)
    if any(ord(character) > 0xFFFF for label in lines for character in label) or rebuild_hazards(lines):
        raise ActionProblem("details", "A name is more than a number, is not __proto__ and has no emoji.")
    return lines

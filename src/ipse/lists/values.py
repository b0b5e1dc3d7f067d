"""How a value is written on a list: one spelling for each value, so that a look-up is one comparison.

Types and rules: contract 60 section 2. Countries are upper case, people and businesses keep their spelling because
``vendor_data`` tells ``user-A`` from ``user-a`` everywhere else, all other values are lower case.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from iso3166 import countries_by_alpha2, countries_by_alpha3

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_VALUE: Final = 512
"""Characters of a normalised value."""
MAX_VENDOR_DATA: Final = 256
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_FINGERPRINT: Final = re.compile(r"[0-9A-Za-z_:.\-]{8,}")


class ListType(StrEnum):
    """What a list does: decline, suppress the actions on duplicates, or nothing but being named in rules."""

    BLOCKLIST = "blocklist"
    ALLOWLIST = "allowlist"
    CUSTOM = "custom"


class EntryType(StrEnum):
    """What stands on a list."""

    FACE = "face"
    DOCUMENT = "document"
    PHONE = "phone"
    EMAIL = "email"
    IP_ADDRESS = "ip_address"
    DEVICE_FINGERPRINT = "device_fingerprint"
    COUNTRY = "country"
    USER = "user"
    BUSINESS = "business"
    WALLET_ADDRESS = "wallet_address"
    BANK_ACCOUNT = "bank_account"
    KEY = "key"


class UnusableValue(ValueError):
    """The text is no value of the type; the sentence says what to send."""


def normalise(entry_type: EntryType, text: str) -> str:
    """Return the one spelling of ``text``, at most 512 characters.

    Raises:
        UnusableValue: the text is no value of this type.
    """
    cleaned = text.strip()
    if not cleaned:
        raise UnusableValue("Enter a value.")
    value = _RULES[entry_type](cleaned)
    if len(value) > MAX_VALUE:
        raise UnusableValue(f"A value has at most {MAX_VALUE} characters.")
    return value


def spellings(entry_type: EntryType, text: str) -> tuple[str, ...]:
    """Every stored value that would hit ``text``: for an address, each network around it (33 or 129).

    Text that is no value of the type cannot stand on a list: the answer is empty.
    """
    try:
        value = normalise(entry_type, text)
    except UnusableValue:
        return ()
    if entry_type is not EntryType.IP_ADDRESS:
        return (value,)
    network = ipaddress.ip_network(value)
    return tuple(_text_of(network.supernet(new_prefix=length)) for length in range(network.prefixlen, -1, -1))


def _exact(text: str) -> str:
    if len(text) > MAX_VENDOR_DATA:
        raise UnusableValue(f"vendor_data has at most {MAX_VENDOR_DATA} characters.")
    return text


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split()).lower()


def _number(text: str) -> str:
    """Numbers are printed in groups: spaces say nothing."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:
        raise UnusableValue("Write the phone number with its country code, such as +34600000000.") from error
    if not phonenumbers.is_possible_number(number):
        raise UnusableValue("This phone number has too few or too many digits for its country.")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _email(text: str) -> str:
    try:
        checked = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise UnusableValue("Enter a valid email address.") from error
    return f"{checked.local_part}@{checked.ascii_domain or checked.domain}".lower()


def _address(text: str) -> str:
    bare = text.strip("[]") if "/" not in text else text
    if "%" in bare:
        raise UnusableValue("Leave the zone of the address (everything from % on) out.")
    try:
        interface = ipaddress.ip_interface(bare)
    except ValueError as error:
        raise UnusableValue("Enter an IPv4 or IPv6 address or a network such as 203.0.113.0/24.") from error
    network: Network = interface.network
    if interface.ip != network.network_address:
        raise UnusableValue(f"{bare} has host bits set. Did you mean {network}?")
    network = _unmapped(network)
    if network.prefixlen == 0:
        raise UnusableValue("This network is every address there is.")
    return _text_of(network)


def _unmapped(network: Network) -> Network:
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        inner = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((inner, network.prefixlen - 96)) if inner is not None else network
    return network


def _text_of(network: Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _fingerprint(text: str) -> str:
    if not _FINGERPRINT.fullmatch(text):
        raise UnusableValue("A device fingerprint has at least 8 characters: letters, digits, - _ : and .")
    return text.lower()


def _country(text: str) -> str:
    code = text.upper()
    found = countries_by_alpha3.get(code) or countries_by_alpha2.get(code)
    if found is None:
        raise UnusableValue("Use an ISO 3166-1 country code, such as ESP or ES.")
    return str(found.alpha3)


_RULES: Final[Mapping[EntryType, Callable[[str], str]]] = MappingProxyType(
    {
        EntryType.FACE: _words,
        EntryType.DOCUMENT: _number,
        EntryType.PHONE: _phone,
        EntryType.EMAIL: _email,
        EntryType.IP_ADDRESS: _address,
        EntryType.DEVICE_FINGERPRINT: _fingerprint,
        EntryType.COUNTRY: _country,
        EntryType.USER: _exact,
        EntryType.BUSINESS: _exact,
        EntryType.WALLET_ADDRESS: _number,
        EntryType.BANK_ACCOUNT: _number,
        EntryType.KEY: _words,
    }
)

"""Writes small MMDB files (MaxMind DB format 2.0), for tests of readers."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

_MARK = b"\xab\xcd\xefMaxMind.com"
_BUILT = 1_790_000_000  # 2026-09-21


class _Short(int):
    """A number of two bytes: readers insist on the types of the metadata."""


class _Long(int):
    """A number of eight bytes."""


def write_mmdb(
    path: Path, records: Mapping[str, Mapping[str, object]], *, kind: str = "Test-City", built: int = _BUILT
) -> Path:
    """Write a database of both families: network -> record. Networks must not overlap."""
    data = b""
    tree: list[list[int | None]] = [[None, None]]  # a node: left and right; below zero: data at -1 - offset
    for text, record in records.items():
        network = ip_network(text)
        bits = network.prefixlen + (96 if network.version == 4 else 0)
        value = int(network.network_address)
        node = 0
        for depth in range(bits - 1):
            side = value >> (127 - depth) & 1
            following = tree[node][side]
            if following is None:
                tree.append([None, None])
                following = tree[node][side] = len(tree) - 1
            node = following
        tree[node][value >> (128 - bits) & 1] = -1 - len(data)
        data += _encoded(record)
    count = len(tree)

    def pointer(side: int | None) -> bytes:
        number = count if side is None else side if side >= 0 else count + 16 + (-1 - side)
        return number.to_bytes(3, "big")

    metadata = {
        "node_count": count,
        "record_size": _Short(24),
        "ip_version": _Short(6),
        "database_type": kind,
        "languages": ["en"],
        "binary_format_major_version": _Short(2),
        "binary_format_minor_version": _Short(0),
        "build_epoch": _Long(built),
        "description": {"en": "for tests"},
    }
    nodes = b"".join(pointer(left) + pointer(right) for left, right in tree)
    path.write_bytes(nodes + bytes(16) + data + _MARK + _encoded(metadata))
    return path


def _encoded(value: object) -> bytes:
    match value:
        case bool():
            return _control(14, int(value))
        case _Short():
            return _control(5, 2) + value.to_bytes(2, "big")
        case _Long():
            return _control(9, 8) + value.to_bytes(8, "big")
        case int():
            return _control(6, 4) + value.to_bytes(4, "big")
        case float():
            return _control(3, 8) + struct.pack(">d", value)
        case str():
            return _control(2, len(value.encode())) + value.encode()
        case Mapping():
            return _control(7, len(value)) + b"".join(_encoded(name) + _encoded(one) for name, one in value.items())
        case list():
            return _control(11, len(value)) + b"".join(map(_encoded, value))
        case _:
            raise TypeError(f"cannot write {value!r}")


def _control(kind: int, size: int) -> bytes:
    more = b"" if size < 29 else bytes([size - 29])
    first = min(size, 29)
    return (bytes([kind << 5 | first]) if kind <= 7 else bytes([first, kind - 7])) + more

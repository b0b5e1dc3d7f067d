"""``ipse evidence verify``: imports nothing that opens a database, reads settings or loads a model."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ipse.cli import output
from ipse.cli.failure import EXIT_NO, EXIT_USAGE, CommandError
from ipse.evidence.errors import EvidenceError
from ipse.evidence.pack import LARGEST_PACK
from ipse.evidence.verification import Verified
from ipse.evidence.verification import verify as verify_pack

BELIEVED: Final = (
    "No key set was given: the signature proves that the pack was not changed since it was signed, NOT WHO SIGNED IT. "
    "Compare the key with the installation's /.well-known/jwks.json, or give that file with --jwks."
)


def verify(file: Path, jwks: Path | None, *, as_json: bool) -> None:
    """Print every check; exit with 1 when one fails."""
    if file.stat().st_size > LARGEST_PACK:
        raise CommandError(f"{file} is larger than any pack.")
    try:
        found = verify_pack(file.read_bytes(), None if jwks is None else _key_set(jwks))
    except EvidenceError as error:
        raise CommandError(str(error), EXIT_USAGE) from error
    if as_json:
        output.print_json({**asdict(found), "ok": found.ok})
    else:
        _print(found)
        if jwks is None:
            output.note(BELIEVED)
    if not found.ok:
        raise SystemExit(EXIT_NO)


def _print(found: Verified) -> None:
    for check in found.checks:
        output.say(f"{check.number}. {check.name}: {'ok' if check.ok else 'FAILED'} - {check.said}")
        if not check.ok and (check.expected or check.got):
            output.say(f"   expected {check.expected}\n   got      {check.got}")
    failed = sum(not check.ok for check in found.checks)
    if failed:
        output.say(f"{failed} of {len(found.checks)} checks failed. This pack proves nothing.")
    else:
        output.say(f"All {len(found.checks)} checks passed: session {found.session_id}, signed by {found.signer}.")


def _key_set(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{file} is not a key set: {error}") from error

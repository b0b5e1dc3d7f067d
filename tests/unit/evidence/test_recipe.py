"""The recipe of docs/evidence.md, run as it is printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.evidence import evidence, jwks, key

DOCUMENT = Path(__file__).parents[3] / "docs" / "evidence.md"


@pytest.fixture(scope="module")
def check() -> Callable[[str, dict[str, Any]], str]:
    block = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(block.group(1), str(DOCUMENT), "exec"), names)  # noqa: S102 - our own documentation
    found: Callable[[str, dict[str, Any]], str] = names["check"]
    return found


def test_the_recipe_of_the_documentation_verifies_a_pack(check: Any, tmp_path: Path) -> None:
    made, file = evidence(), tmp_path / "p.zip"
    file.write_bytes(made.content)
    assert check(str(file), made.keys) == "Approved"
    with pytest.raises(AssertionError, match="another signer"):
        check(str(file), jwks(key()))
    file.write_bytes(made.put("decision.json", b"{}").content)
    with pytest.raises(AssertionError, match=r"decision\.json"):
        check(str(file), made.keys)
    forged = made.changed("decision.json", lambda d: {**d, "status": "Declined"}, by=key())
    file.write_bytes(forged.put("signature.jwt", made.files["signature.jwt"]).content)
    with pytest.raises(AssertionError, match="another manifest"):
        check(str(file), made.keys)

"""Verification of packs: each file is tampered with, and the check that speaks of it must fail."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipse.cli import evidence_verification as command
from ipse.evidence import pack
from ipse.evidence.errors import EvidenceError
from ipse.evidence.pack import MANIFEST, SIGNATURE, VERDICT, UnreadablePack
from ipse.evidence.verification import CHECKS, verify
from tests.services.evidence import IMAGE_ID, SignedPack, evidence, key


@pytest.fixture(scope="module")
def made() -> SignedPack:
    return evidence()


def failed(content: bytes, keys: Any = None) -> list[int]:
    return [check.number for check in verify(content, keys).checks if not check.ok]


def test_a_whole_pack_passes_every_check(made: SignedPack) -> None:
    found = verify(made.content, made.keys)
    assert found.ok, found
    assert found.is_pinned
    assert found.signer == made.key.kid
    assert not verify(made.content).is_pinned
    assert [check.number for check in found.checks] == list(range(1, len(CHECKS) + 1))


def test_a_change_in_any_file_is_found(made: SignedPack) -> None:
    """One byte of each file, none left out."""
    for name, content in made.files.items():
        changed = made.put(name, content[:-1] + bytes([content[-1] ^ 1]))
        assert failed(changed.content, made.keys), name
        if name not in (MANIFEST, SIGNATURE):
            assert 2 in failed(changed.content, made.keys), name


def test_a_missing_or_added_file_is_found(made: SignedPack) -> None:
    for name in made.files:
        rest = {other: content for other, content in made.files.items() if other != name}
        assert failed(pack.write(rest), made.keys), name
    extra = made.put("images/00000000-0000-4000-8000-000000000000", b"x")
    assert 1 in failed(extra.content, made.keys)


def test_a_pack_signed_by_somebody_else_is_not_the_installations(made: SignedPack) -> None:
    forged = made.changed("signals.json", lambda signals: {**signals, "ip.is_vpn": True}, by=key())
    assert failed(forged.content, made.keys) == [3]


Change = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        ("session.json", lambda s: {**s, "action_hash": "0" * 64}, 4),
        ("session.json", lambda s: {**s, "action": {**s["action"], "payee": "Eve"}}, 4),
        ("session.json", lambda s: {**s, "vendor_data": "eve"}, 4),
        ("session.json", lambda s: {**s, "session_id": "other"}, 4),
        ("session.json", lambda s: {**s, "status": "Declined"}, 7),
        ("session.json", lambda s: {**s, "version": 9}, 7),
        ("session.json", lambda s: {**s, "workflow_content": "0" * 64}, 5),
        ("keys.json", lambda _: {"keys": []}, 4),
        ("keys.json", lambda _: [], 4),
        ("workflow.json", lambda w: {**w, "settings": {}}, 5),
        ("workflow.json", lambda w: {**w, "graph": {}}, 5),
        ("models.json", lambda m: {**m, "models": []}, 6),
        ("models.json", lambda m: {**m, "calibration": "other"}, 6),
        ("images.json", lambda i: [{**i[0], "sha256": "0" * 64}], 6),
        ("audit.json", lambda a: {**a, "segments": []}, 7),
        ("audit.json", lambda a: {**a, "chain": "other"}, 7),
        ("audit.json", lambda a: {}, 7),
        ("decision.json", lambda d: {**d, "status": "Declined"}, 8),
        ("reports.json", lambda r: {**r, "status": "Declined"}, 9),
        ("reports.json", lambda r: {**r, "steps": {}}, 9),
        ("reports.json", lambda r: {**r, "trace": []}, 9),
        ("reports.json", lambda r: {**r, "another": 1}, 9),
        ("input.json", lambda i: {**i, "passes": []}, 8),
        ("input.json", lambda i: {**i, "session_id": "other"}, 8),
        ("input.json", lambda i: {**i, "schema": 99}, 9),
    ],
)
def test_even_a_pack_signed_anew_fails_the_check_about_what_was_changed(
    made: SignedPack, name: str, change: Change, check: int
) -> None:
    """The forger has a key and no key set is pinned: what was changed contradicts the rest."""
    assert check in failed(made.changed(name, change, by=key()).content)


def test_a_changed_score_gives_another_decision(made: SignedPack) -> None:
    def weaker(kept: Any) -> Any:
        kept["passes"][0]["observed"]["score"] = 1
        return kept

    assert failed(made.changed("input.json", weaker, by=key()).content) == [9]


def test_a_content_that_the_audit_log_did_not_commit_to_is_found(made: SignedPack) -> None:
    def other_status(proof: Any) -> Any:
        proof["segments"][0]["steps"][0]["content"]["details"]["status"] = "Declined"
        return proof

    assert 7 in failed(made.changed("audit.json", other_status, by=key()).content)


def test_the_verdict_of_another_key_or_session_is_found(made: SignedPack) -> None:
    other = evidence()
    assert 4 in failed(made.put(VERDICT, other.files[VERDICT], by=key()).content)
    assert 4 in failed(made.put(VERDICT, b"\xff", by=key()).content)


def test_an_image_that_was_exchanged_is_found(made: SignedPack) -> None:
    assert failed(made.put(f"images/{IMAGE_ID}", b"another", by=key()).content) == [6]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "images/../x", "c:\\x", "notes.txt", "images/"])
def test_a_name_that_no_pack_has_is_refused(made: SignedPack, name: str) -> None:
    with pytest.raises(UnreadablePack, match="no file of a pack"):
        pack.read(pack.write({**made.files, name: b"x"}))
    assert failed(pack.write({**made.files, name: b"x"})) == list(range(1, len(CHECKS) + 1))


def test_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "LARGEST_FILE", 1000)
    with pytest.raises(UnreadablePack, match="larger"):
        pack.read(pack.write({"decision.json": b"0" * 100_000}))
    monkeypatch.setattr(pack, "LARGEST_PACK", 1500)
    with pytest.raises(UnreadablePack, match="larger"):
        pack.read(pack.write({"decision.json": b"0" * 900, "input.json": b"0" * 900}))
    monkeypatch.setattr(pack, "LARGEST_PACK", 10)
    with pytest.raises(UnreadablePack, match="larger"):
        pack.read(pack.write({"decision.json": b"0"}))
    monkeypatch.setattr(pack, "LARGEST_PACK", 10**6)
    monkeypatch.setattr(pack, "MOST_FILES", 0)
    with pytest.raises(UnreadablePack, match="files"):
        pack.read(pack.write({"decision.json": b"0"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("decision.json", b"{}")
        archive.writestr("decision.json", b"[]")
    with pytest.raises(UnreadablePack, match="twice"):
        pack.read(buffer.getvalue())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255), st.binary(max_size=64))
def test_no_bytes_make_the_verifier_raise(made: SignedPack, at: int, byte: int, noise: bytes) -> None:
    content = bytearray(made.content)
    content[at % len(content)] = byte
    if bytes(content) != made.content:
        verify(bytes(content))
    assert failed(noise)


def test_the_same_files_make_the_same_pack(made: SignedPack) -> None:
    assert pack.write(dict(reversed(list(made.files.items())))) == made.content


def test_a_key_set_that_is_none_is_refused(made: SignedPack) -> None:
    for keys in ({}, {"keys": [1]}, {"keys": [{"kty": "RSA"}]}):
        with pytest.raises(EvidenceError):
            verify(made.content, keys)


def test_the_command_prints_every_check_and_says_whom_it_believes(
    made: SignedPack, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file, keys = tmp_path / "p.zip", tmp_path / "jwks.json"
    file.write_bytes(made.content)
    keys.write_text(json.dumps(made.keys))
    command.verify(file, keys, as_json=False)
    assert "All 9 checks passed" in (printed := capsys.readouterr()).out
    assert not printed.err
    command.verify(file, None, as_json=False)
    assert "NOT WHO SIGNED IT" in capsys.readouterr().err
    file.write_bytes(made.changed("decision.json", lambda d: {**d, "status": "Declined"}, by=key()).content)
    with pytest.raises(SystemExit):
        command.verify(file, keys, as_json=False)
    printed = capsys.readouterr()
    assert "3. Manifest is signed: FAILED" in printed.out
    assert "expected" in printed.out
    with pytest.raises(SystemExit):
        command.verify(file, keys, as_json=True)
    assert json.loads(capsys.readouterr().out)["ok"] is False

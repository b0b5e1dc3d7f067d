"""Evidence packs made without a database: a real record, a real chain, a real signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from joserfc.jwk import OKPKey

from ipse.audit import chain, checkpoints, statements
from ipse.decision.presets import biometric_authentication
from ipse.evidence import pack
from ipse.evidence.deciding import Step, advance
from ipse.evidence.observed import Face, Observed, ReferenceFacts, Terms, decode, encode
from ipse.evidence.record import Made, Record, appended, canonical, digest, outcome, read
from ipse.evidence.replaying import Standing, graph_of
from ipse.security.canonical_json import canonical_bytes
from ipse.step_up import actions, tokens
from ipse.step_up.tokens import SigningKey
from ipse.workflows import contents
from tests.unit.checks import locations, selfies

SESSION: Final = "5e000000-0000-4000-8000-000000000001"
APPLICATION: Final = "a9000000-0000-4000-8000-000000000001"
ISSUER: Final = "https://ipse.example"
AT: Final = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
GRAPH: Final[Mapping[str, Any]] = biometric_authentication().to_json()
SETTINGS: Final[Mapping[str, Any]] = {"max_retry_attempts": 3}
IMAGE_ID: Final = "1a000000-0000-4000-8000-000000000001"
IMAGE: Final = b"a picture"
ACTION: Final = actions.canonical({"type": "transfer", "amount": "12.50", "currency": "EUR", "payee": "Bo"})
CONTEXT: Final[Mapping[str, Any]] = {
    "session": {"vendor_data": "u", "language": "en", "environment": "live", "callback": None},
    "metadata": {"amount": 12.5},
    "expected_details": None,
    "contact_details": None,
    "action": dict(ACTION.value),
    "reference": {"kind": "stored"},
}


def key() -> SigningKey:
    """A fresh signing key."""
    made = OKPKey.generate_key("Ed25519")
    return SigningKey(made.thumbprint(), made)


def jwks(*keys: SigningKey) -> dict[str, Any]:
    """The published set."""
    return {"keys": [{**one.key.as_dict(private=False), "kid": one.kid} for one in keys]}


def observed(**changes: Any) -> Observed:
    """A live face that matches the reference, from a known place."""
    good = Observed(
        at=AT,
        terms=Terms(lenient=True),
        context=CONTEXT,
        signals={"ip.country": "ES"},
        network=locations.network(),
        device=locations.device(),
        history=locations.history(),
        captured_at="feature_liveness",
        searched=True,
        face=Face.of(selfies.selfie()),
        media_id=IMAGE_ID,
        probe_model="sface-test",
        reference=ReferenceFacts("sface-test", "stored", "person", None, AT),
        score=88.25,
    )
    return decode(encode(replace(good, **changes)))


def recorded(*requests: Observed, graph: Mapping[str, Any] = GRAPH) -> tuple[bytes, dict[str, Step], dict[str, Any]]:
    """Decide as capture does; return the record, the steps and the outcome."""
    steps: dict[str, Step] = {}
    stored, shown = None, {}
    made = Made("0.0-test", "test", contents.digest(graph, SETTINGS), {"detector": "ab" * 32})
    for one in requests:
        stop = advance(graph_of(graph), steps, one, SESSION)
        stored = appended(stored, SESSION, encode(one), made, steps, stop.evaluation)
        shown = outcome(SESSION, steps, stop.evaluation)
    assert stored is not None
    return stored, steps, shown


def record_of(*requests: Observed) -> Record:
    """The record of requests."""
    return read(recorded(*requests)[0])


def standing_of(shown: Mapping[str, Any], **changes: Any) -> Standing:
    """What a store says right after an outcome."""
    stored = Standing(
        status=shown["status"] or "In Progress",
        steps={step["report"]["node_id"]: step for step in shown["steps"]},
        trace=shown["trace"],
        experiments=shown["experiments"],
        reviews=[
            {
                "activity_type": "STATUS_UPDATED",
                "actor_type": "USER",
                "previous_status": "In Progress",
                "new_status": shown["status"] or "In Progress",
                "changes": {},
            }
        ],
    )
    return replace(stored, **changes)


@dataclass(frozen=True)
class SignedPack:
    """A pack with the key that signed it."""

    files: Mapping[str, bytes]
    key: SigningKey

    @property
    def content(self) -> bytes:
        """The zip."""
        return pack.write(self.files)

    @property
    def keys(self) -> dict[str, Any]:
        """The key set to pin."""
        return jwks(self.key)

    def changed(self, name: str, change: Callable[[Any], Any], *, by: SigningKey | None = None) -> SignedPack:
        """Another JSON file in place of one; with ``by``, under a new manifest signed with that key."""
        content = canonical(change(pack.Pack(self.files).json(name)))
        return self.put(name, content, by=by)

    def put(self, name: str, content: bytes, *, by: SigningKey | None = None) -> SignedPack:
        """Other bytes in place of a file, or one more file."""
        files = {**self.files, name: content}
        return SignedPack(files if by is None else sealed(files, by), self.key)


def evidence() -> SignedPack:
    """A whole pack of an approved step-up, with its image and its verdict."""
    signer = key()
    stored, _, shown = recorded(observed())
    version = 3
    verdict = tokens.Claims(
        iss=ISSUER, aud=APPLICATION, sid=SESSION, ver=version, env="live", status="Approved",
        iat=int(AT.timestamp()), exp=int(AT.timestamp()) + 300, jti="j1", sub="u", act=ACTION.hash,
    )  # fmt: skip
    files = {
        "audit.json": canonical(proof(signer, [("session.decided", {"status": "Approved", "version": version})])),
        "decision.json": canonical(shown),
        "images.json": canonical([{"media_id": IMAGE_ID, "sha256": digest(IMAGE), "size": len(IMAGE)}]),
        f"images/{IMAGE_ID}": IMAGE,
        "input.json": stored,
        "keys.json": canonical(jwks(signer)),
        "models.json": canonical(
            {"code": "0.0-test", "calibration": "test", "models": [{"name": "detector", "sha256": "ab" * 32}]}
        ),
        "reports.json": canonical(standing_of(shown).to_json()),
        "session.json": canonical(
            {
                "session_id": SESSION,
                "status": "Approved",
                "version": version,
                "vendor_data": "u",
                "action": dict(ACTION.value),
                "action_hash": ACTION.hash,
                "workflow_content": contents.digest(GRAPH, SETTINGS),
            }
        ),
        "signals.json": canonical({"ip.country": "ES"}),
        "verdict.jwt": tokens.sign(verdict, signer).encode(),
        "verdicts.json": canonical([]),
        "webhooks.json": canonical([]),
        "workflow.json": canonical({"sha256": contents.digest(GRAPH, SETTINGS), "graph": GRAPH, "settings": SETTINGS}),
    }
    return SignedPack(sealed(files, signer), signer)


def sealed(files: Mapping[str, bytes], signer: SigningKey) -> dict[str, bytes]:
    """The files with a manifest over them, signed."""
    kept = {name: content for name, content in files.items() if name not in (pack.MANIFEST, pack.SIGNATURE)}
    facts = {"session_id": SESSION, "application_id": APPLICATION, "created_at": AT, "issuer": ISSUER, "code": "test"}
    manifest = pack.manifest_of(kept, facts)
    stated = {"iss": ISSUER, "sid": SESSION, "manifest": digest(manifest), "iat": int(AT.timestamp())}
    signature = statements.sign(stated, pack.SIGNATURE_TYPE, signer)
    return {**kept, pack.MANIFEST: manifest, pack.SIGNATURE: signature.encode()}


def proof(signer: SigningKey, acts: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """A proof as ``ipse.audit.proof`` makes it, of a chain that has these acts only."""
    head, steps = chain.genesis(APPLICATION), []
    for number, (act, details) in enumerate(acts):
        content = {"actor": {}, "object_id": SESSION, "vendor_data": "u", "details": dict(details)}
        salt = bytes([number]) * chain.SALT_BYTES
        entry = chain.Entry(
            id=f"e{number}", chain=APPLICATION, occurred_at=chain.instant(AT), act=act, actor_type="SYSTEM",
            object_type="session", object_tag="t", subject_tag="s",
            commitment=chain.commitment(salt, canonical_bytes(content)),
        )  # fmt: skip
        head = chain.link(head, chain.digest(entry))
        steps.append({"entry": asdict(entry), "salt": salt.hex(), "content": content})
    reached = chain.Head(APPLICATION, len(steps), head)
    signed = checkpoints.sign(reached, issuer=ISSUER, at=AT, key=signer)
    segment = {"from": 1, "before": chain.genesis(APPLICATION), "steps": steps, "checkpoint": signed}
    return {"format": 1, "chain": APPLICATION, "segments": [segment]}

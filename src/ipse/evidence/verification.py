"""Verify an evidence pack with nothing but the pack: numbered checks in order, each by itself.

No server, no database, no configuration. Whose signature it is can only be told with the key set of the installation;
without one the key of the pack is believed, and the answer says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from ipse.audit import proof, statements
from ipse.evidence import pack as packs
from ipse.evidence import record
from ipse.evidence.errors import EvidenceError
from ipse.evidence.pack import MANIFEST, REQUIRED, SIGNATURE, SIGNATURE_TYPE, VERDICT, Pack
from ipse.evidence.record import canonical, digest
from ipse.evidence.replaying import Standing, graph_of, replay
from ipse.step_up import actions, tokens
from ipse.workflows import contents


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it is about, and what was expected and got where it failed."""

    number: int
    name: str
    ok: bool
    said: str = ""
    expected: str = ""
    got: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer about a pack."""

    checks: tuple[Check, ...]
    session_id: str | None
    signer: str | None
    """Thumbprint of the key that signed; None where the signature does not hold."""
    is_pinned: bool
    """Whether the signer is among the keys that were given, not merely the one in the pack."""

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(check.ok for check in self.checks)


class _Failed(Exception):
    """A check failed."""

    def __init__(self, said: str, expected: object = "", got: object = "") -> None:
        super().__init__(said)
        self.said, self.expected, self.got = said, str(expected), str(got)


class _Examination:
    """A pack under examination. Each check returns what it found, or raises :class:`_Failed`."""

    def __init__(self, content: bytes, trusted: Collection[str] | None) -> None:
        self._content = content
        self._trusted = trusted
        self._pack = Pack({})
        self.signer: str | None = None

    def files(self) -> str:
        self._pack = packs.read(self._content)
        listed = set(self.manifest()["files"])
        found = self._pack.files.keys() - {MANIFEST, SIGNATURE}
        if missing := (listed | set(REQUIRED)) - found:
            raise _Failed("A file is missing.", min(missing), "nothing")
        if extra := found - listed:
            raise _Failed("A file is not in the manifest.", "nothing", min(extra))
        return f"{len(found)} files, all listed"

    def digests(self) -> str:
        for name, stated in sorted(self.manifest()["files"].items()):
            content = self._pack.files.get(name, b"")
            if (got := digest(content)) != stated["sha256"] or len(content) != stated["size"]:
                raise _Failed(f"{name} was changed.", stated["sha256"], got)
        return "every file has the SHA-256 and size of the manifest"

    def signature(self) -> str:
        manifest, token = self._pack.files[MANIFEST], self._pack.files.get(SIGNATURE)
        if token is None:
            raise _Failed("The manifest is not signed.", SIGNATURE, "nothing")
        if canonical(self.manifest()) != manifest:
            raise _Failed("The manifest is not canonical JSON.")
        try:
            statement = statements.read(token.decode("ascii"), SIGNATURE_TYPE, self._trusted)
        except (statements.StatementInvalid, UnicodeDecodeError) as error:
            raise _Failed(str(error), "a signature of a given key" if self._trusted is not None else "") from error
        if statement.payload.get("manifest") != digest(manifest):
            raise _Failed("Another manifest was signed.", statement.payload.get("manifest"), digest(manifest))
        self.signer = statement.kid
        return f"signed by key {statement.kid}"

    def verdict(self) -> str:
        session, action = self._session(), self._session()["action"]
        if action is not None:
            try:
                got = actions.canonical(action).hash
            except actions.ActionProblem as error:
                raise _Failed(f"The action is not one that can be signed: {error}") from error
            if got != session["action_hash"]:
                raise _Failed("The action is not the one that was signed.", session["action_hash"], got)
        token = self._pack.files.get(VERDICT)
        if token is None:
            return "no verdict in the pack; the action has its hash" if action else "no verdict in the pack"
        claims = self._claims(token)
        for name, expected, said in (
            ("session", session["session_id"], claims.sid),
            ("action", session["action_hash"], claims.act),
            ("person", session["vendor_data"], claims.sub),
        ):
            if expected != said:
                raise _Failed(f"The verdict is about another {name}.", expected, said)
        return f"verdict {claims.jti} is signed and is about this session and action"

    def workflow(self) -> str:
        workflow = self._pack.json("workflow.json")
        got = contents.digest(workflow["graph"], workflow["settings"])
        for whose, expected in (
            ("workflow.json", workflow["sha256"]),
            ("the session", self._session()["workflow_content"]),
            *((f"request {n + 1}", one.made.workflow) for n, one in enumerate(self._record().passes)),
        ):
            if expected != got:
                raise _Failed(f"The workflow is not the one of {whose}.", expected, got)
        return f"workflow {got}"

    def models(self) -> str:
        models = self._pack.json("models.json")
        decided = self._record().passes[-1].made
        stated = {model["name"]: model["sha256"] for model in models["models"]}
        if stated != dict(decided.models):
            raise _Failed("The models are not those that decided.", dict(decided.models), stated)
        if models["calibration"] != decided.calibration:
            raise _Failed("The calibration is another one.", decided.calibration, models["calibration"])
        shown = 0
        for image in self._pack.json("images.json"):
            content = self._pack.files.get(f"images/{image['media_id']}")
            if content is not None:
                shown += 1
                if digest(content) != image["sha256"]:
                    raise _Failed(f"Image {image['media_id']} is another one.", image["sha256"], digest(content))
        return f"{len(stated)} models; {shown} images in the pack, each the one of images.json"

    def audit(self) -> str:
        session = self._session()
        try:
            entries = proof.verify(self._pack.json("audit.json"), self._trusted)
        except (proof.ProofInvalid, statements.StatementInvalid) as error:
            raise _Failed(str(error)) from error
        about = [content for _, content in entries if content is not None]
        if strangers := {content["object_id"] for content in about} - {session["session_id"]}:
            raise _Failed("An entry is about something else.", session["session_id"], min(map(str, strangers)))
        stated = [content["details"] for content in about if "status" in content["details"]]
        if not stated:
            raise _Failed("The audit log does not know the status of this session.", session["status"], "nothing")
        latest = max(stated, key=lambda details: int(details.get("version", 0)))
        if (latest["status"], latest.get("version")) != (session["status"], session["version"]):
            said = "The audit log says another status."
            raise _Failed(said, f"{latest['status']} (version {latest.get('version')})", session["status"])
        return f"{len(entries)} entries stand in the signed chain and end in {session['status']}"

    def decision(self) -> str:
        expected, got = self._record().passes[-1].outcome, digest(self._pack.files["decision.json"])
        if expected != got:
            raise _Failed("decision.json is not what was decided.", expected, got)
        return f"sha256 {got}"

    def reproduced(self) -> str:
        standing = Standing(**self._pack.json("reports.json"))
        if standing.status != self._session()["status"]:
            raise _Failed("The session has another status.", self._session()["status"], standing.status)
        answer = replay(self._record(), graph_of(self._pack.json("workflow.json")["graph"]), standing)
        if answer.differences:
            first = answer.differences[0]
            raise _Failed(f"Another decision comes out: {first.place}", first.recorded, first.replayed)
        if answer.rerun.content != self._pack.files["decision.json"]:
            raise _Failed("Other bytes come out.", digest(self._pack.files["decision.json"]), answer.rerun.sha256)
        by_hand = f"; by hand since: {' '.join(answer.by_hand)}" if answer.by_hand else ""
        return f"the same bytes come out of input.json and workflow.json{by_hand}"

    def manifest(self) -> dict[str, Any]:
        manifest = self._pack.json(MANIFEST)
        if manifest["format"] != packs.FORMAT or manifest["schema"] != packs.SCHEMA:
            raise _Failed("This program does not know the schema.", packs.SCHEMA, manifest["schema"])
        found: dict[str, Any] = manifest
        return found

    def _session(self) -> dict[str, Any]:
        session: dict[str, Any] = self._pack.json("session.json")
        if session["session_id"] != self.manifest()["session_id"]:
            raise _Failed("session.json is of another session.", self.manifest()["session_id"], session["session_id"])
        return session

    def _record(self) -> record.Record:
        kept = record.read(self._pack.files["input.json"])
        if kept.session_id != self.manifest()["session_id"]:
            raise _Failed("input.json is of another session.", self.manifest()["session_id"], kept.session_id)
        return kept

    def _claims(self, token: bytes) -> tokens.Claims:
        keys = {kid: key for kid, key in keys_of(self._pack.json("keys.json")).items() if self._is_trusted(kid)}
        manifest = self.manifest()
        try:
            text = token.decode("ascii")
            issued_at = json.loads(jws.extract_compact(token, registry=tokens.EDDSA_ONLY).payload)["iat"]
            return tokens.verify(
                text,
                keys,
                issuer=manifest["issuer"],
                audience=manifest["application_id"],
                now=datetime.fromtimestamp(issued_at, UTC),  # it holds no more; did it, when it was issued?
            )
        except (tokens.TokenInvalid, JoseError, UnicodeDecodeError) as error:
            raise _Failed("The signature of the verdict does not hold.") from error

    def _is_trusted(self, kid: str) -> bool:
        return self._trusted is None or kid in self._trusted


CHECKS: Final[Sequence[tuple[str, Callable[[_Examination], str]]]] = (
    ("File list is complete", _Examination.files),
    ("Every file is as listed", _Examination.digests),
    ("Manifest is signed", _Examination.signature),
    ("Action and verdict agree", _Examination.verdict),
    ("Workflow is the pinned one", _Examination.workflow),
    ("Models and images are those of the decision", _Examination.models),
    ("Audit log proves the acts", _Examination.audit),
    ("Decision is the recorded one", _Examination.decision),
    ("Decision is reproduced", _Examination.reproduced),
)
"""In the order of their numbers."""


def verify(content: bytes, jwks: Mapping[str, Any] | None = None) -> Verified:
    """Run every check; none hides another.

    Args:
        jwks: the published key set of the installation, kept from before; None believes the pack's own key.

    Raises:
        EvidenceError: ``jwks`` is no key set.
    """
    examination = _Examination(content, None if jwks is None else frozenset(keys_of(jwks)))
    checks = tuple(_run(number + 1, name, check, examination) for number, (name, check) in enumerate(CHECKS))
    try:
        session_id = str(examination.manifest()["session_id"])
    except (_Failed, EvidenceError, KeyError, TypeError):
        session_id = None
    return Verified(checks, session_id, examination.signer, jwks is not None and examination.signer is not None)


def keys_of(jwks: Any) -> dict[str, OKPKey]:
    """The public keys of a set by their thumbprints (RFC 7638). Raises :class:`EvidenceError`."""
    try:
        keys = [OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")}) for key in jwks["keys"]]
        return {key.thumbprint(): key for key in keys}
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise EvidenceError("The key set is not a JWKS of Ed25519 keys.") from error


def _run(number: int, name: str, check: Callable[[_Examination], str], examination: _Examination) -> Check:
    try:
        return Check(number, name, True, check(examination))
    except _Failed as error:
        return Check(number, name, False, error.said, error.expected, error.got)
    except EvidenceError as error:
        return Check(number, name, False, str(error))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, AssertionError) as error:
        # A file of the right name with another shape: whatever it was meant to prove, it does not.
        return Check(number, name, False, f"A file has not the shape that it should have ({type(error).__name__}).")

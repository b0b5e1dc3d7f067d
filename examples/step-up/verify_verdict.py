"""Check a verdict of Ipse without calling back. Needs the package `cryptography` and nothing else.

Proves everything but single use: redeem the verdict (POST /v3/step-up/redeem/) before money moves.
"""

import base64
import json
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class NotAVerdict(Exception):
    """Do not execute the action."""


def verify_verdict(token, jwks, *, issuer, application, action_hash, environment="live", now=None):
    """Return the claims. `jwks` is the JSON of /.well-known/jwks.json, kept for at most 5 minutes.

    `action_hash` is what creating the session answered for the action that you are about to execute.
    """
    try:
        head, body, signature = token.split(".")
        header = json.loads(_bytes(head))
        # The algorithm and the type are fixed here. The header only says which of the published keys it was.
        if (header["alg"], header["typ"], set(header)) != ("EdDSA", "ipse-verdict+jwt", {"alg", "typ", "kid"}):
            raise NotAVerdict("another kind of token")
        # An unknown kid: fetch the set once more, for a new key may have been published, then refuse.
        key = next(one for one in jwks["keys"] if one["kid"] == header["kid"] and one["crv"] == "Ed25519")
        Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(_bytes(signature), f"{head}.{body}".encode())
        claims = json.loads(_bytes(body))
    except (InvalidSignature, KeyError, StopIteration, TypeError, ValueError) as error:
        raise NotAVerdict("not signed by this service") from error
    now = time.time() if now is None else now
    if (claims["iss"], claims["aud"]) != (issuer, application):
        raise NotAVerdict("of another service or for another application")
    if not claims["iat"] - 60 <= now < claims["exp"]:
        raise NotAVerdict("expired")
    if claims["env"] != environment:
        raise NotAVerdict("of the sandbox")
    if (claims["status"], claims.get("act")) != ("Approved", action_hash):
        raise NotAVerdict("the person approved another action")
    return claims


def _bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

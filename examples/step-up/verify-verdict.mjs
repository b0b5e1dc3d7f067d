/**
 * Check a verdict of Ipse without calling back. Needs Node 18 or newer and no package.
 *
 * Proves everything but single use: redeem the verdict (POST /v3/step-up/redeem/) before money moves.
 */
import { createPublicKey, verify } from "node:crypto";

/**
 * Returns the claims or throws. `jwks` is the JSON of /.well-known/jwks.json, kept for at most 5 minutes; `actionHash`
 * is what creating the session answered for the action that you are about to execute.
 */
export function verifyVerdict(token, jwks, { issuer, application, actionHash, environment = "live", now = Date.now() / 1000 }) {
  const [head, body, signature, ...more] = token.split(".");
  const header = JSON.parse(Buffer.from(head, "base64url"));
  // The algorithm and the type are fixed here. The header only says which of the published keys it was.
  const kind = [header.alg, header.typ, Object.keys(header).length, more.length].join(" ");
  if (kind !== "EdDSA ipse-verdict+jwt 3 0") throw new Error("another kind of token");
  // An unknown kid: fetch the set once more, for a new key may have been published, then refuse.
  const jwk = jwks.keys.find((one) => one.kid === header.kid && one.crv === "Ed25519");
  if (!jwk) throw new Error("not signed by this service");
  const key = createPublicKey({ key: jwk, format: "jwk" });
  if (!verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) {
    throw new Error("not signed by this service");
  }
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  if (claims.iss !== issuer || claims.aud !== application) throw new Error("of another service or application");
  if (!(claims.iat - 60 <= now && now < claims.exp)) throw new Error("expired");
  if (claims.env !== environment) throw new Error("of the sandbox");
  if (claims.status !== "Approved" || claims.act !== actionHash) throw new Error("the person approved another action");
  return claims;
}

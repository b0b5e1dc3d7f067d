/**
 * What the page's own address says: which session, in which language, with which camera.
 *
 * The token stays in the address and nowhere else: a reload works, and nothing of it is stored.
 */

export type Entry =
  | { kind: "session"; token: string }
  | { kind: "handoff"; token: string }
  | { kind: "share"; workflow: string }
  | { kind: "none" };

export interface Address {
  entry: Entry;
  /** The language the path forces, as written there. */
  language: string | null;
  camera: { facing: "user" | "environment"; maySwitch: boolean };
}

const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z]{2,4})?$/;
const KINDS = ["session", "h", "u"];

/** Read `/session/{token}`, `/h/{token}` or `/u/{b64}`, each with or without a language before it (contract 80 §1). */
export function readAddress(location: { pathname: string; search: string }): Address {
  const parts = location.pathname.split("/").filter(Boolean).map(decoded);
  const [first = ""] = parts;
  const forced = !KINDS.includes(first) && LANGUAGE.test(first) ? first : null;
  const [kind = "", token = ""] = forced ? parts.slice(1) : parts;
  const query = new URLSearchParams(location.search);
  return {
    entry: entryOf(kind, token),
    language: forced,
    camera: {
      facing: query.get("liveness_camera") === "back" ? "environment" : "user",
      maySwitch: query.get("liveness_camera_switch") !== "false",
    },
  };
}

/** The address under which this page finds its session again, with the language and the query it was opened with. */
export function sessionPath(address: Address, token: string, search: string): string {
  const language = address.language ? `/${address.language}` : "";
  return `${language}/session/${encodeURIComponent(token)}${search}`;
}

function entryOf(kind: string, token: string): Entry {
  if (!token) return { kind: "none" };
  switch (kind) {
    case "session":
      return { kind: "session", token };
    case "h":
      return { kind: "handoff", token };
    case "u":
      return { kind: "share", workflow: token };
    default:
      return { kind: "none" };
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The hash of a canonical action, in JavaScript: RFC 8785 of an object of texts, then SHA-256. */
import { createHash } from "node:crypto";

const sorted = (value) =>
  typeof value === "string"
    ? JSON.stringify(value)
    : `{${Object.keys(value)
        .sort()
        .map((key) => `${JSON.stringify(key)}:${sorted(value[key])}`)
        .join(",")}}`;

export const actionHash = (canonical) => createHash("sha256").update(sorted(canonical)).digest("hex");

// Prints what a browser loads before it asks for the camera, compressed, and fails beyond the budget (UX.md, section 1).
// Counted: each entry with everything it imports statically and its style sheets. Not counted: what is imported later.
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const built = new URL("../src/ipse/hosted/static/", import.meta.url);
const kilobyte = 1000;

/** Compressed bytes of a built file. */
function compressed(path) {
  return gzipSync(readFileSync(new URL(path, built)), { level: 9 }).length;
}

/** Files an entry of a Vite manifest loads at once. */
function loadedAtOnce(manifest, key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const style of chunk.css ?? []) seen.add(style);
  for (const imported of chunk.imports ?? []) loadedAtOnce(manifest, imported, seen);
  return seen;
}

/** The files of a page: scripts and style sheets of its entry. */
function page(area) {
  const manifest = JSON.parse(readFileSync(new URL(`${area}/manifest.json`, built), "utf8"));
  const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
  return [...loadedAtOnce(manifest, entry)].map((file) => `${area}/${file}`);
}

if (!existsSync(new URL("capture/manifest.json", built))) {
  console.error("Nothing is built yet: npm run build");
  process.exit(1);
}

const budgets = [
  { name: "capture page, script", budget: 60 * kilobyte, files: page("capture").filter((file) => file.endsWith(".js")) },
  { name: "capture page, style", budget: 12 * kilobyte, files: page("capture").filter((file) => file.endsWith(".css")) },
  { name: "SDK, module", budget: 6 * kilobyte, files: ["sdk/ipse.js"] },
  { name: "SDK, plain script", budget: 6 * kilobyte, files: ["sdk/ipse.iife.js"] },
  { name: "SDK, device", budget: 24 * kilobyte, files: ["sdk/device.js"] },
];

let fits = true;
for (const { name, budget, files } of budgets) {
  const size = files.reduce((sum, file) => sum + compressed(file), 0);
  const verdict = size <= budget ? "" : "  OVER BUDGET";
  console.log(`${name.padEnd(22)} ${(size / kilobyte).toFixed(1).padStart(6)} kB of ${budget / kilobyte} kB${verdict}`);
  if (verdict) {
    fits = false;
    for (const file of files) console.log(`  ${(compressed(file) / kilobyte).toFixed(1).padStart(6)} kB  ${file}`);
  }
}
process.exit(fits ? 0 : 1);

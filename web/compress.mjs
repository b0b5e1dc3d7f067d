// Writes a .br and a .gz beside every file of one build that is worth it; the server sends the one the browser takes.
// node compress.mjs capture
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const built = fileURLToPath(new URL(`../src/ipse/hosted/static/${process.argv[2]}/`, import.meta.url));
const worthIt = /\.(js|css|json|svg|wasm|bin)$/;
/** Below this one packet carries the file either way. */
const smallest = 1000;
/** Above this brotli's last level takes seconds for a few percent; such files load after the person's tap. */
const large = 200_000;

for (const path of readdirSync(built, { recursive: true, encoding: "utf8" })) {
  const file = join(built, path);
  if (!worthIt.test(path) || statSync(file).size < smallest) continue;
  const content = readFileSync(file);
  const brotli = brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: content.length < large ? 11 : 9 },
  });
  const gzip = gzipSync(content, { level: 9 });
  if (brotli.length < 0.95 * content.length) writeFileSync(`${file}.br`, brotli);
  if (gzip.length < 0.95 * content.length) writeFileSync(`${file}.gz`, gzip);
}

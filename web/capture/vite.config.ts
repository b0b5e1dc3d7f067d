// The capture page: a static shell for every session, served by src/ipse/hosted (docs/decisions/0010).
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "../../src/ipse/hosted/static/capture");
const packages = createRequire(import.meta.url);

/** The folder of a package, wherever npm hoisted it to; some packages do not export their package.json. */
function folderOf(name: string): string {
  const found = packages.resolve.paths(name)?.map((path) => join(path, name)).find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not installed; run npm ci in web/.`);
  return found;
}

/**
 * Face guidance loads its models and its WebAssembly by address, at run time and from our own server:
 * guidance/models/*.{json,bin} and guidance/wasm/*.wasm beside the page. Only the two models it uses are copied.
 */
function guidanceFiles(): Plugin {
  return {
    name: "ipse-guidance-files",
    apply: "build",
    closeBundle() {
      const models = join(folderOf("@vladmandic/human"), "models");
      const wasm = join(folderOf("@tensorflow/tfjs-backend-wasm"), "dist");
      const copy = (from: string, to: string, names: string[]) => {
        mkdirSync(join(output, "guidance", to), { recursive: true });
        for (const name of names) copyFileSync(join(from, name), join(output, "guidance", to, name));
      };
      copy(models, "models", ["blazeface.json", "blazeface.bin", "facemesh.json", "facemesh.bin"]);
      // No threaded build: it needs cross-origin isolation, which an embedded page cannot have.
      copy(wasm, "wasm", ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"]);
    },
  };
}

export default defineConfig({
  root: here,
  base: "/hosted/capture/",
  plugins: [guidanceFiles()],
  worker: { format: "es" },
  build: {
    outDir: output,
    emptyOutDir: true,
    // Safari 15.4 (2022) is the oldest that has requestVideoFrameCallback, dialog and BroadcastChannel.
    target: ["es2021", "safari15.4"],
    // Nothing inline: the Content-Security-Policy forbids it, and data: addresses are not cached.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    // The guidance library is one file of 1.5 MB; the budget that counts is checked by size-report.mjs.
    chunkSizeWarningLimit: 2000,
  },
});

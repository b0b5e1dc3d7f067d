// The demo shop under /demo: its files lie with the other hosted ones.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: here,
  base: "/hosted/shop/",
  build: {
    outDir: join(here, "../../src/ipse/hosted/static/shop"),
    emptyOutDir: true,
    target: ["es2021", "safari15.4"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
  },
});

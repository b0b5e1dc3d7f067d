// The browser SDK in two shapes: ipse.js is an ES module, ipse.iife.js defines the global `Ipse` for a plain script tag.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: here,
  build: {
    outDir: join(here, "../../src/ipse/hosted/static/sdk"),
    emptyOutDir: true,
    target: ["es2021", "safari15.4"],
    lib: {
      entry: join(here, "src/ipse.ts"),
      name: "Ipse",
      formats: ["es", "iife"],
      fileName: (format) => (format === "es" ? "ipse.js" : "ipse.iife.js"),
    },
    // A plain script has no import.meta, and src/collecting.ts counts on that.
    rolldownOptions: { checks: { emptyImportMeta: false } },
  },
});

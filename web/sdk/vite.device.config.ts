// The collecting part of the SDK: device.js, an ES module that the SDK imports from where it lies itself.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: here,
  build: {
    outDir: join(here, "../../src/ipse/hosted/static/sdk"),
    // Beside ipse.js, which is built first.
    emptyOutDir: false,
    target: ["es2021", "safari15.4"],
    // No library to Vite: it would keep the white space of a module, for bundlers that this file never sees.
    rolldownOptions: {
      input: join(here, "src/device.ts"),
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "device.js", codeSplitting: false },
    },
    modulePreload: false,
  },
});

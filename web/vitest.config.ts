// One run for all three workspaces. Tests that touch the page's objects get them from happy-dom; no test opens a socket.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*/test/**/*.test.{ts,tsx}"],
    environment: "happy-dom",
    restoreMocks: true,
    // The machines this runs on have two cores and other suites beside it.
    maxWorkers: 1,
    passWithNoTests: true,
  },
});

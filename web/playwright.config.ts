import { defineConfig } from "@playwright/test";

/** The pages against the real server, in the machine's own Chromium. `CHROMIUM_PATH` and `FLOWFORGE_BIN` say where. */
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  // Each worker has a server and a browser of its own.
  workers: 2,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    trace: "retain-on-failure",
    actionTimeout: 20_000,
    viewport: { width: 1360, height: 820 },
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
});

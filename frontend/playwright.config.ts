import { defineConfig } from '@playwright/test';

/** Flags for a sandboxed machine without a GPU; the last ones keep Chromium off the network. */
const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: './e2e',
  outputDir: './test-results/artifacts',
  globalSetup: './e2e/globalSetup.ts',
  // One stack, one story: the tests build on each other's data.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 8 * 60_000,
  expect: { timeout: 60_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env.MISTUDIO_URL,
    viewport: { width: 1280, height: 900 },
    colorScheme: 'dark',
    // Endless animations keep a machine without a GPU busy and screenshots waiting.
    contextOptions: { reducedMotion: 'reduce' },
    // Pictures of every frame slow a machine without a GPU; the snapshots of the document stay.
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
    launchOptions: { executablePath: process.env.CHROME, args: CHROMIUM_ARGS },
  },
});

import { defineConfig } from 'vitest/config';

/** One project for each kind of test: `vitest run --project system`. Those that make hosts run two files at a time, on the machine's two cores. */
const onHosts = {
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: 120_000,
  hookTimeout: 180_000,
  // What is waited for comes in milliseconds; on a busy machine one command can take a second.
  expect: { poll: { timeout: 20_000 } },
  // These start real processes on a machine of unknown load. A second failure is a failure; a first one is shown as a retry.
  retry: 1,
  globalSetup: 'test/host/sweep.ts',
} as const;

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], pool: 'forks', maxWorkers: 2, testTimeout: 30_000, isolate: false } },
      { test: { name: 'system', include: ['test/system/**/*.test.ts'], ...onHosts } },
      { test: { name: 'fault', include: ['test/fault/**/*.test.ts'], ...onHosts } },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...onHosts } },
      { test: { name: 'environments', include: ['test/environments/**/*.test.ts'], ...onHosts } },
      { test: { name: 'parity', include: ['test/parity/**/*.test.ts'], ...onHosts } },
    ],
  },
});

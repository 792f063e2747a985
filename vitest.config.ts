import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-postgres.ts'],
    setupFiles: ['test/support/record-spans.ts'],
    pool: 'forks',
    // Most tests wait for real processes most of their time.
    maxWorkers: 4,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A test that is left waiting must say where, not hang the run.
    teardownTimeout: 15_000,
  },
});

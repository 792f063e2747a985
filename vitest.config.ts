import { defineConfig } from 'vitest/config';
import { patienceMs, testLimitMs } from './test/support/patience.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-postgres.ts'],
    setupFiles: ['test/support/record-spans.ts'],
    pool: 'forks',
    // Most tests wait for real processes most of their time.
    maxWorkers: 4,
    testTimeout: testLimitMs,
    hookTimeout: testLimitMs,
    expect: { poll: { timeout: patienceMs } },
    // A test that is left waiting must say where, not hang the run.
    teardownTimeout: 15_000,
  },
});

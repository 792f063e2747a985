import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { patienceMs, testLimitMs } from './test/support/patience.ts';
import { SlowFirst } from './test/support/slow-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-postgres.ts'],
    setupFiles: ['test/support/record-spans.ts'],
    // Of the programs that tests start; there are hundreds of starts.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
    pool: 'forks',
    // Most tests wait for real processes most of their time.
    maxWorkers: 5,
    sequence: { sequencer: SlowFirst },
    testTimeout: testLimitMs,
    hookTimeout: testLimitMs,
    expect: { poll: { timeout: patienceMs } },
    // A test that is left waiting must say where, not hang the run.
    teardownTimeout: 15_000,
  },
});

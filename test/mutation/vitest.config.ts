// The tests that a mutation run asks: those that know the telemetry and the frame, cheapest first, without those that
// start other processes or read the source as text, where no mutant would be.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/otel/{event-check,random-ids,short-lines,telemetry,journal,privacy,propagation,line-writer,log-format,debug-level,journal-of-bot}.test.ts',
      'test/bot/frame.test.ts',
      'test/journeys/{rejections,forms,debug}.test.ts',
    ],
    globalSetup: ['test/support/global-postgres.ts'],
    setupFiles: ['test/support/record-spans.ts'],
    pool: 'forks',
    // It would give the files as they are.
    fsModuleCache: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

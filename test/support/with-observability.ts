// `test` for files that need a real Collector and a real Jaeger: started once for the file. Where they are not installed its
// tests are skipped, and say so.
import { afterAll, test as base, beforeAll, type TestAPI } from 'vitest';
import { type Observability, observabilityMissing, startObservability } from './observability.ts';

const startDeadlineMs = 60_000;

export function testWithObservability(): TestAPI<{ observability: Observability }> {
  let started: Observability | undefined;
  beforeAll(async () => {
    started = await startObservability();
    if (!started) process.stderr.write(`${observabilityMissing}\n`);
  }, startDeadlineMs);
  afterAll(() => started?.stop());
  return base.extend<{ observability: Observability }>({
    observability: async ({ skip }, use) => {
      if (!started) return skip(observabilityMissing);
      await use(started);
    },
  });
}

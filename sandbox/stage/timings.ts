// Production's waits shortened to what stand-ins need, for programs that are there to end.
import { type PipelineTimings, productionTimings } from '../../src/pipeline/timings.ts';

export const impatientTimings: PipelineTimings = {
  ...productionTimings,
  submissionLimit: { submissions: 18, windowMs: 100 },
  submitRetryMs: 20,
  poll: [{ untilMs: Number.POSITIVE_INFINITY, everyMs: 200 }],
  deliveryRetryMs: 20,
};

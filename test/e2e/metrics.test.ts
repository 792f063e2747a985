// The numbers of the real program in what the real Collector shows Prometheus: how often what happened, how long it took,
// and from a number back to a click.
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { waitFor } from '../support/bot.ts';

import { type Sample, samplesIn } from '../support/open-metrics.ts';
import { startProgram, startSurroundings } from '../support/process.ts';
import { testWithObservability } from '../support/with-observability.ts';

const test = testWithObservability();

test('a refused tap is counted by its reason, and the time it took leads back to its cid', async ({
  observability,
}) => {
  const service = `metrics-test-${randomUUID()}`;
  await using surroundings = await startSurroundings();
  await using program = await startProgram({
    ...surroundings.environment,
    OTEL_EXPORTER_OTLP_ENDPOINT: observability.otlpEndpoint,
    OTEL_SERVICE_NAME: service,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_METRIC_EXPORT_INTERVAL: '200',
  });
  const user = surroundings.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
  const cid = await program.cidOf(user.rawCallback('test:unknown').updateId);

  const found = async (name: string, fits: (sample: Sample) => boolean): Promise<Sample> =>
    waitFor(`${name} of ${service}`, async () =>
      samplesIn(await observability.metrics()).find(
        sample =>
          sample.name === name &&
          // The exporter's label for the service of a bot's own metrics; the span metrics' for that of a span.
          [sample.labels.job, sample.labels.service_name].includes(service) &&
          fits(sample),
      ),
    );
  const refused = await found(
    'trt_events_total',
    ({ labels }) => labels.name === 'CALLBACK_REJECTED' && labels.reason_code === 'UNKNOWN_CALLBACK',
  );
  expect(refused).toMatchObject({ value: 1, labels: { domain: 'UX' } });
  expect(await found('trt_instance_active', () => true)).toMatchObject({ value: 1 });
  expect(await found('trt_lock_epoch', () => true)).toMatchObject({ value: 1 });
  // Read at any moment: also while the tap was under way.
  await found('trt_inbox_depth', ({ value }) => value === 0);
  await found('trt_lock_heartbeat_age_seconds', ({ value }) => value < 15);

  const took = await found(
    'traces_span_metrics_duration_seconds_bucket',
    ({ labels, exemplar }) =>
      labels.span_name === 'dispatch update' &&
      labels.reason_code === 'UNKNOWN_CALLBACK' &&
      exemplar.trace_id !== undefined,
  );
  expect(took.exemplar.trace_id?.slice(0, 8)).toBe(cid);
});

// What the demo says of its traces, by what the SDK complains of.
import { diag } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { watchTraceExport } from '../../../sandbox/demo/traces.ts';

test.each([
  ['arrived when nothing is complained of', undefined, true],
  [
    'arrived when metrics alone were refused, as by Jaeger itself',
    'PeriodicExportingMetricReader: metrics export failed (error OTLPExporterError: Not Found)',
    true,
  ],
  ['did not arrive when their export failed', '{"name":"OTLPExporterError","message":"Not Found"}', false],
])('traces %s', async (_case, complaint, arrived) => {
  const sdk = { shutdown: async () => (complaint === undefined ? undefined : diag.error(complaint)) };
  const traces = watchTraceExport(sdk, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' });
  expect(await traces.flush()).toBe(arrived);
});

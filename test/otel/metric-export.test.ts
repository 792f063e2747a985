// Where the metrics of the real program go: to the Collector where there is one, to Prometheus where that is asked for,
// and otherwise nowhere.
import { expect, test } from 'vitest';
import { findFreePort } from '../../sandbox/free-port.ts';
import { waitFor } from '../support/bot.ts';
import { type Collector, startCollector } from '../support/collector.ts';
import { samplesIn } from '../support/open-metrics.ts';
import { testLimitMs } from '../support/patience.ts';
import { type Program, startProgram, startSurroundings } from '../support/process.ts';

test(
  'a Collector gets them as often as is asked for, and once more at the end',
  async () => {
    await using running = await startExporting({ OTEL_METRIC_EXPORT_INTERVAL: '200' });
    const { collector, program } = running;
    await waitFor('two exports', async () => collector.metricExports >= 2 || undefined);
    await program.stop();
    expect(program.stderr).toBe('');
  },
  testLimitMs,
);

test(
  'what was counted is exported at the end, however seldom it is asked for',
  async () => {
    await using running = await startExporting();
    const { collector, program } = running;
    await program.waitForEvent('BOOT_OK');
    expect(collector.metricExports).toBe(0);
    await program.stop();
    expect(collector.metricExports).toBe(1);
  },
  testLimitMs,
);

test.each([
  ['they are switched off', { OTEL_METRICS_EXPORTER: 'none' }],
  ['the SDK is', { OTEL_SDK_DISABLED: 'true' }],
])(
  'a Collector gets none when %s',
  async (_case, environment) => {
    await using running = await startExporting(environment);
    const { collector, program } = running;
    await program.waitForEvent('BOOT_OK');
    await program.stop();
    expect(collector.metricExports).toBe(0);
  },
  testLimitMs,
);

test(
  'Prometheus fetches them without a Collector, and only those that are documented',
  async () => {
    const port = await findFreePort();
    await using surroundings = await startSurroundings();
    await using program = await startProgram({
      ...surroundings.environment,
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    });
    await program.waitForEvent('BOOT_OK');
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    const names = new Set(samplesIn(await answer.text()).map(({ name }) => name));
    expect([...names].toSorted()).toEqual([
      'nodejs_eventloop_utilization',
      'process_memory_usage',
      'target_info',
      'trt_database_latency',
      'trt_events_total',
      'trt_inbox_depth',
      'trt_inbox_limit',
      'trt_instance_active',
      'trt_lock_epoch',
      'trt_lock_heartbeat_age',
      'trt_log_lines_dropped_total',
      'trt_supplier_available',
    ]);
  },
  testLimitMs,
);

interface Exporting extends AsyncDisposable {
  readonly collector: Collector;
  readonly program: Program;
}

/** The program, with a Collector that takes everything. */
async function startExporting(environment: Readonly<Record<string, string>> = {}): Promise<Exporting> {
  await using stack = new AsyncDisposableStack();
  const collector = stack.use(await startCollector(200));
  const surroundings = stack.use(await startSurroundings());
  const program = stack.use(
    await startProgram({
      ...surroundings.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ...environment,
    }),
  );
  const owned = stack.move();
  return { collector, program, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

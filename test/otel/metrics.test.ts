// What the metrics of an instance say, read by the SDK's own reader: as many events as there are lines, the lock, the
// inbox and the database as they are; of what is not known nothing; and nothing is lost at the end.
import { metrics } from '@opentelemetry/api';
import { type DataPoint, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import type { SentUpdate } from '../../sandbox/telegram/index.ts';
import { type MetricName, metricDefinitions } from '../../src/otel/metrics.ts';
import { type BotUnderTest, besides, startBot } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { startDatabaseGate } from '../support/database-gate.ts';

/** The points of each metric that has any, and its unit. */
type ReadMetrics = Readonly<
  Record<string, { readonly unit: string; readonly points: readonly DataPoint<number>[] }>
>;

class Reader extends MetricReader {
  async read(): Promise<ReadMetrics> {
    const { resourceMetrics, errors } = await this.collect();
    expect(errors).toEqual([]);
    return Object.fromEntries(
      resourceMetrics.scopeMetrics
        .flatMap(scope => scope.metrics)
        .filter(({ dataPoints }) => dataPoints.length > 0)
        // SAFETY: only histograms have other points, and there are none.
        .map(({ descriptor, dataPoints }) => [
          descriptor.name,
          { unit: descriptor.unit, points: dataPoints as DataPoint<number>[] },
        ]),
    );
  }
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/** The bots that are made from now on are read by this one. */
function readMetrics(): Reader {
  metrics.disable();
  const reader = new Reader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return reader;
}

test('every metric of the list is exported in its unit, and there are as many events as lines', async () => {
  const reader = readMetrics();
  await using bot = await startBot();
  await tapAndBeRefused(bot);

  const read = await reader.read();
  expect(unitsOf(read)).toEqual(unitsOf(metricDefinitions));
  expect(eventsIn(read)).toEqual(linesByReason(bot));
  expect(eventsIn(read)).toMatchObject({ 'CALLBACK_REJECTED UX UNKNOWN_CALLBACK': 2 });
  expect(pointOf(read, 'trt.instance.active')).toBe(1);
  expect(pointOf(read, 'trt.lock.epoch')).toBe(1);
  expect(pointOf(read, 'trt.lock.heartbeat.age')).toBeLessThan(15);
  expect(pointOf(read, 'trt.inbox.depth')).toBe(0);
  expect(pointOf(read, 'trt.inbox.limit')).toBe(10_000);
  expect(pointOf(read, 'trt.database.latency')).toBeLessThan(2);
  expect(pointOf(read, 'trt.supplier.available')).toBe(1);
  expect(pointOf(read, 'trt.log.lines.dropped', { destination: 'stdout' })).toBe(0);
  expect(pointOf(read, 'trt.log.lines.dropped', { destination: 'otlp' })).toBe(0);
  expect(pointOf(read, 'nodejs.eventloop.utilization')).toBeLessThanOrEqual(1);
  expect(pointOf(read, 'process.memory.usage')).toBeGreaterThan(1_048_576);
});

test('when everything has stopped, what was counted can still be read', async () => {
  const reader = readMetrics();
  await using bot = await startBot();
  await tapAndBeRefused(bot);
  await bot.app.stop();
  const read = await reader.read();
  expect(eventsIn(read)).toEqual(linesByReason(bot));
  expect(eventsIn(read)).toMatchObject({ 'LOCK_RELEASED LOCK': 1 });
  expect(pointOf(read, 'trt.instance.active')).toBe(0);
});

test('while the database does not answer, what only it knows is not exported, and all else is', async () => {
  const reader = readMetrics();
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await using gate = await startDatabaseGate(database.url);
  await using _bot = await startBot({
    environment: { DATABASE_URL: gate.url, LOCK_DATABASE_URL: database.url },
  });
  {
    using _shut = gate.shut();
    const read = await reader.read();
    const asked = ['trt.database.latency', 'trt.inbox.depth', 'trt.lock.heartbeat.age'];
    const known = Object.keys(metricDefinitions).filter(name => !asked.includes(name));
    expect(Object.keys(read).toSorted()).toEqual(known.toSorted());
    expect(pointOf(read, 'trt.instance.active')).toBe(1);
  }
});

test('one that stands by is exported as PASSIVE, with the heartbeat of the one it stands by for', async () => {
  readMetrics();
  await using active = await startBot();
  const reader = readMetrics();
  await using _standby = await startBot(besides(active));
  const read = await reader.read();
  expect(pointOf(read, 'trt.instance.active')).toBe(0);
  expect(pointOf(read, 'trt.lock.epoch')).toBe(0);
  expect(pointOf(read, 'trt.lock.heartbeat.age')).toBeLessThan(15);
});

async function tapAndBeRefused(bot: BotUnderTest): Promise<void> {
  const user = bot.user();
  const ended = async ({ updateId }: SentUpdate): Promise<unknown> =>
    bot.waitForEvent(await bot.cidOf(updateId), 'DISPATCH_OK');
  await ended(user.start());
  await ended(user.rawCallback('test:unknown'));
  await ended(user.rawCallback('test:unknown'));
}

function unitsOf(all: Readonly<Record<string, { readonly unit: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).map(([name, { unit }]) => [name, unit]));
}

function eventsIn(read: ReadMetrics): Record<string, number> {
  return Object.fromEntries(
    (read['trt.events']?.points ?? []).map(({ attributes: { name, domain, reason_code: reason }, value }) => [
      [name, domain, reason].filter(part => part !== undefined).join(' '),
      value,
    ]),
  );
}

function linesByReason({ lines }: BotUnderTest): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, domain, reason_code: reason, refused_count: refused } of lines) {
    const key = [name, domain, reason].filter(part => part !== undefined).join(' ');
    counts[key] = (counts[key] ?? 0) + (Number(refused) || 1);
  }
  return counts;
}

function pointOf(read: ReadMetrics, name: MetricName, of: DataPoint<number>['attributes'] = {}): number {
  const [point, another] = (read[name]?.points ?? []).filter(({ attributes }) =>
    Object.entries(of).every(([attribute, value]) => attributes[attribute] === value),
  );
  if (!point || another) expect.fail(`${name} has ${read[name]?.points.length ?? 0} points`);
  return point.value;
}

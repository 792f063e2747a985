// The metrics of an instance. Each is observed when it is read for an export and never recorded while an update is
// worked, so updates pay nothing for them; where no metrics are exported, nothing is ever read. How long things take is
// not among them: the Collector derives that from the spans.
import { type Attributes, type Meter, metrics, type ObservableResult } from '@opentelemetry/api';

interface MetricDefinition {
  readonly kind: 'counter' | 'upDownCounter' | 'gauge';
  /** UCUM; what is counted stands in braces. */
  readonly unit: string;
  readonly doc: string;
}

export const metricDefinitions = {
  'trt.events': {
    kind: 'counter',
    unit: '{event}',
    doc: 'Events since the start, by `name`, `domain` and, where there is one, `reason_code`; a line with `refused_count` stands for so many.',
  },
  'trt.instance.active': {
    kind: 'gauge',
    unit: '{instance}',
    doc: '1 while this instance is ACTIVE, 0 while it is PASSIVE. In single mode the sum of all is 1.',
  },
  'trt.lock.epoch': {
    kind: 'gauge',
    unit: '{epoch}',
    doc: 'The lease this instance commits under, or committed under last; 0 before the first.',
  },
  'trt.lock.heartbeat.age': {
    kind: 'gauge',
    unit: 's',
    doc: 'Since the holder of the lock renewed its lease, by the clock of the database.',
  },
  'trt.inbox.depth': {
    kind: 'gauge',
    unit: '{update}',
    doc: 'Updates without an outcome, of all instances.',
  },
  'trt.inbox.limit': {
    kind: 'gauge',
    unit: '{update}',
    doc: 'The depth from which on updates are answered 429 (INBOX_MAX).',
  },
  'trt.database.latency': {
    kind: 'gauge',
    unit: 's',
    doc: 'One round trip to the database, a free connection included. Not exported while it does not answer.',
  },
  'trt.supplier.available': {
    kind: 'gauge',
    unit: '{supplier}',
    doc: '1 while KIE.ai is called as usual, 0 while it is not called or only probed.',
  },
  'trt.log.lines.dropped': {
    kind: 'counter',
    unit: '{line}',
    doc: 'Lines dropped since the start because their `destination` (stdout, otlp) did not take them. The journal has their events.',
  },
  'nodejs.eventloop.utilization': {
    kind: 'gauge',
    unit: '1',
    doc: 'The share of the time since the last export in which the event loop was busy.',
  },
  'process.memory.usage': {
    kind: 'upDownCounter',
    unit: 'By',
    doc: 'Physical memory of the process.',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricDefinitions;

export interface Observation {
  readonly value: number;
  readonly attributes: Attributes;
}

/** Undefined: it is not known now, and then nothing is exported. Must not reject. */
type MetricReading = () => MaybePromise<number | readonly Observation[] | undefined>;
type MaybePromise<T> = T | Promise<T>;

export type MetricReadings = Readonly<Record<MetricName, MetricReading>>;

/**
 * For as long as the process lives, because the last export comes when everything else has stopped: what was counted
 * must still be readable then.
 */
export function observeMetrics(readings: MetricReadings, version: string): void {
  const meter = metrics.getMeter('trt', version);
  for (const name of Object.keys(metricDefinitions) as MetricName[]) {
    instrument(meter, name).addCallback(async result => observe(result, await readings[name]()));
  }
}

function instrument(meter: Meter, name: MetricName) {
  const { kind, unit, doc } = metricDefinitions[name];
  const options = { unit, description: doc };
  if (kind === 'counter') return meter.createObservableCounter(name, options);
  if (kind === 'gauge') return meter.createObservableGauge(name, options);
  return meter.createObservableUpDownCounter(name, options);
}

function observe(result: ObservableResult, read: Awaited<ReturnType<MetricReading>>): void {
  if (read === undefined) return;
  if (typeof read === 'number') result.observe(read);
  else for (const { value, attributes } of read) result.observe(value, attributes);
}

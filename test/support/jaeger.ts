// Reads traces from Jaeger's HTTP API as a test wants to look at them: tags and event attributes as plain
// records, parent and links as ids. Spans take a moment to arrive, so each look-up is repeated until
// what is asked for is there or its deadline has passed; the error then tells what was there instead.
// The search by tag is the API of Jaeger 2 before 2.21; the look-up by trace id exists in all versions.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { patienceMs } from './patience.ts';

type JaegerValue = string | number | boolean;

interface JaegerEvent {
  readonly name: string;
  readonly attributes: Readonly<Record<string, JaegerValue>>;
}

export interface JaegerSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the root of a trace. */
  readonly parentId: string | undefined;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly service: string;
  readonly operationName: string;
  readonly tags: Readonly<Record<string, JaegerValue>>;
  /** In the order of their time. */
  readonly events: readonly JaegerEvent[];
}

export interface JaegerTrace {
  readonly traceId: string;
  /** In the order of their start. */
  readonly spans: readonly JaegerSpan[];
}

interface Wait<Found> {
  /** Called with each answer; the look-up ends with the first one for which it is true. */
  readonly until?: (found: Found) => boolean;
  readonly deadlineMs?: number;
}

export interface JaegerClient {
  /**
   * The traces in which one span of the service has all these tags. Waits for at least one trace, or for
   * `until`. Rejects when the deadline (default 60 s) has passed, or when Jaeger cannot be reached.
   */
  tracesByTag(
    service: string,
    tags: Readonly<Record<string, string>>,
    wait?: Wait<readonly JaegerTrace[]>,
  ): Promise<readonly JaegerTrace[]>;
  /** The trace with this id (32 hex digits). Waits for its first spans, or for `until`; rejects as above. */
  trace(traceId: string, wait?: Wait<JaegerTrace>): Promise<JaegerTrace>;
}

const pollIntervalMs = 50;

const KeyValue = z.object({ key: z.string(), value: z.union([z.string(), z.number(), z.boolean()]) });
const Reference = z.object({
  refType: z.enum(['CHILD_OF', 'FOLLOWS_FROM']),
  traceID: z.string(),
  spanID: z.string(),
});
const Span = z.object({
  traceID: z.string(),
  spanID: z.string(),
  processID: z.string(),
  operationName: z.string(),
  references: z.array(Reference),
  startTime: z.number(),
  tags: z.array(KeyValue),
  logs: z.array(z.object({ timestamp: z.number(), fields: z.array(KeyValue) })),
});
const Answer = z.object({
  data: z.array(
    z.object({
      traceID: z.string(),
      spans: z.array(Span),
      processes: z.record(z.string(), z.object({ serviceName: z.string() })),
    }),
  ),
});

/** A client for the Jaeger whose query API is at `baseUrl`, for example `http://127.0.0.1:16686`. */
export function createJaegerClient(baseUrl: string): JaegerClient {
  async function find(path: string): Promise<readonly JaegerTrace[]> {
    const response = await fetch(new URL(path, baseUrl));
    // That is how Jaeger says that it does not know a trace (yet).
    if (response.status === 404) {
      await response.body?.cancel();
      return [];
    }
    if (!response.ok)
      throw new Error(`Jaeger answered ${response.status} to ${path}: ${await response.text()}`);
    return Answer.parse(await response.json()).data.map(toTrace);
  }

  return {
    tracesByTag(service, tags, wait = {}) {
      const query = new URLSearchParams({ service, tags: JSON.stringify(tags), limit: '100' });
      const until = wait.until ?? (traces => traces.length > 0);
      return poll(() => find(`/api/traces?${query}`), until, {
        what: `traces of ${service} with ${JSON.stringify(tags)}`,
        describe: traces => traces.map(describeTrace).join('; ') || 'no trace',
        deadlineMs: wait.deadlineMs ?? patienceMs,
      });
    },

    async trace(traceId, wait = {}) {
      const found = await poll(
        async () => (await find(`/api/traces/${traceId}`))[0],
        trace => trace !== undefined && (wait.until?.(trace) ?? true),
        {
          what: `trace ${traceId}`,
          describe: trace => (trace === undefined ? 'no trace' : describeTrace(trace)),
          deadlineMs: wait.deadlineMs ?? patienceMs,
        },
      );
      if (found === undefined) throw new Error(`Jaeger has no trace ${traceId}`);
      return found;
    },
  };
}

interface Poll<Found> {
  readonly what: string;
  readonly describe: (found: Found) => string;
  readonly deadlineMs: number;
}

async function poll<Found>(
  look: () => Promise<Found>,
  until: (found: Found) => boolean,
  { what, describe, deadlineMs }: Poll<Found>,
): Promise<Found> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (until(found)) return found;
    if (performance.now() >= end) {
      throw new Error(
        `Jaeger did not show the ${what} as expected within ${deadlineMs} ms. It has: ${describe(found)}`,
      );
    }
    await delay(pollIntervalMs);
  }
}

function toTrace({ traceID, spans, processes }: z.infer<typeof Answer>['data'][number]): JaegerTrace {
  return {
    traceId: traceID,
    spans: spans
      .toSorted((a, b) => a.startTime - b.startTime)
      .map(span => ({
        traceId: span.traceID,
        spanId: span.spanID,
        parentId: parentOf(span),
        links: span.references
          .filter(({ refType }) => refType === 'FOLLOWS_FROM')
          .map(link => ({ traceId: link.traceID, spanId: link.spanID })),
        service: processes[span.processID]?.serviceName ?? '',
        operationName: span.operationName,
        tags: toRecord(span.tags),
        events: span.logs.toSorted((a, b) => a.timestamp - b.timestamp).map(toEvent),
      })),
  };
}

/**
 * Jaeger's own rule: the first CHILD_OF of the same trace, else the first FOLLOWS_FROM of it. A span that has
 * its parent as a link too has only the latter.
 */
function parentOf({ traceID, references }: z.infer<typeof Span>): string | undefined {
  const inTrace = references.filter(reference => reference.traceID === traceID);
  return (inTrace.find(({ refType }) => refType === 'CHILD_OF') ?? inTrace[0])?.spanID;
}

/** Jaeger keeps the name of a span event as a field called `event` among its attributes. */
function toEvent({ fields }: z.infer<typeof Span>['logs'][number]): JaegerEvent {
  const { event, ...attributes } = toRecord(fields);
  return { name: String(event ?? ''), attributes };
}

function toRecord(pairs: readonly z.infer<typeof KeyValue>[]): Record<string, JaegerValue> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

function describeTrace({ traceId, spans }: JaegerTrace): string {
  return `trace ${traceId} with ${spans.map(span => span.operationName).join(', ')}`;
}

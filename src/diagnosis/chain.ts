// A chain: everything that is known of one trace, wherever it was read (stdout lines, the journal). Pure data and the
// look-ups that everybody needs. A cid is the beginning of a trace id and can belong to several traces, so chains are
// distinguished by their traces and never by their cids.
import { cidOf } from '../otel/cid.ts';
import type { EventName } from '../otel/events.ts';

export interface ChainEvent {
  readonly at: Date;
  readonly name: string;
  readonly level: string;
  readonly spanId: string;
  /** The whole line. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ChainSpan {
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly failed: boolean;
}

/** A span as it is read, before it is known which others are of the same trace. */
export interface TracedSpan extends ChainSpan {
  readonly traceId: string;
}

export interface Chain {
  readonly cid: string;
  readonly traceId: string;
  /** In the order of their time. */
  readonly events: readonly ChainEvent[];
  /** In the order of their start; empty where only lines are known. */
  readonly spans: readonly ChainSpan[];
}

/** Groups by trace. The chain that began last comes first. */
export function chainsOf(events: readonly ChainEvent[], spans: readonly TracedSpan[] = []): Chain[] {
  const eventsOf = Map.groupBy(events, traceIdOf);
  const spansOf = Map.groupBy(spans, ({ traceId }) => traceId);
  const chains = [...new Set([...eventsOf.keys(), ...spansOf.keys()])].map(traceId => ({
    cid: cidOf(traceId),
    traceId,
    // Stable: what happened in one millisecond keeps the order in which it was written.
    events: (eventsOf.get(traceId) ?? []).toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    spans: (spansOf.get(traceId) ?? [])
      .map(({ traceId: _traceId, ...span }) => span)
      .toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime()),
  }));
  return chains.toSorted((a, b) => beginOf(b).getTime() - beginOf(a).getTime());
}

/** When the first thing that is known of it happened. */
export function beginOf({ events, spans }: Chain): Date {
  const times = [events[0]?.at, spans[0]?.startedAt].flatMap(time => (time ? [time.getTime()] : []));
  return new Date(times.length > 0 ? Math.min(...times) : 0);
}

/** Whether Jaeger was sent the trace; undefined where no line says so. */
export function isSampled({ events }: Chain): boolean | undefined {
  const flags = events.flatMap(event => numberOf(event, 'trace_flags') ?? []);
  return flags.length === 0 ? undefined : flags.some(flag => (flag & 1) === 1);
}

/** How an update ends. A trace of a process has none of them. */
export const updateEndNames = ['DISPATCH_OK', 'DISPATCH_FAIL', 'DEAD_LETTER'] as const satisfies EventName[];

export function isUpdateEnd({ name }: Pick<ChainEvent, 'name'>): boolean {
  return (updateEndNames as readonly string[]).includes(name);
}

/** Telegram's; undefined for the chain of a process. */
export function updateIdOf({ events }: Chain): number | undefined {
  return events.map(event => numberOf(event, 'update_id')).find(id => id !== undefined);
}

/** A field that is a text with something in it. */
export function textOf(event: ChainEvent | undefined, field: string): string | undefined {
  const value = event?.fields[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(event: ChainEvent | undefined, field: string): number | undefined {
  const value = event?.fields[field];
  return typeof value === 'number' ? value : undefined;
}

function traceIdOf(event: ChainEvent): string {
  return textOf(event, 'trace_id') ?? textOf(event, 'cid') ?? '';
}

/** Whether the chain is that of an update; the others are of processes, and of callbacks that nobody knows. */
export function isOfUpdate({ events }: Chain): boolean {
  return events.some(({ name }) => name === 'UPDATE_RECEIVED' || name === 'DISPATCH_START');
}

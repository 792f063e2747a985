// Chains made by hand, for what cannot be provoked at will: lines that are missing, and facts beside them.
import { type Chain, type ChainEvent, chainsOf, type TracedSpan } from '../../src/diagnosis/chain.ts';
import { type EventName, events } from '../../src/otel/events.ts';

export const traceId = '0af7651916cd43dd8448eb211c80319c';
const begin = Date.parse('2026-11-23T14:03:22.000Z');

export type Step = EventName | readonly [EventName, Readonly<Record<string, unknown>>];

/** Events of one trace, 10 ms apart, all of an instance and a tap unless their fields say otherwise. */
export function eventsOf(...steps: readonly Step[]): ChainEvent[] {
  return steps.map((step, index) => {
    const [name, own] = typeof step === 'string' ? [step, {}] : step;
    const { level, domain } = events[name];
    const at = new Date(begin + index * 10);
    const fields = {
      level,
      ts: at.toISOString(),
      cid: traceId.slice(0, 8),
      trace_id: traceId,
      span_id: 'b7ad6b7169203331',
      trace_flags: 1,
      instance_id: 'trt-1',
      event_type: 'callback_query',
      update_id: 7,
      name,
      domain,
      ...own,
    };
    return { at, name, level, spanId: 'b7ad6b7169203331', fields };
  });
}

export function chain(...steps: readonly Step[]): Chain {
  return chainWith([], ...steps);
}

export function chainWith(spans: readonly TracedSpan[], ...steps: readonly Step[]): Chain {
  const [made] = chainsOf(eventsOf(...steps), spans);
  if (!made) throw new Error('A chain needs an event or a span');
  return made;
}

/** An event of the process, so long after the first one of the chain. */
export function processEvent(
  name: EventName,
  afterMs: number,
  fields: Readonly<Record<string, unknown>> = {},
): ChainEvent {
  const at = new Date(begin + afterMs);
  const { level, domain } = events[name];
  return {
    at,
    name,
    level,
    spanId: '0000000000000001',
    fields: { level, name, domain, instance_id: 'trt-1', trace_id: 'f'.repeat(32), ...fields },
  };
}

/** So long after the first event of the chain. */
export const after = (milliseconds: number): Date => new Date(begin + milliseconds);

export const tapped = ['UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'QUEUE_PICK', 'DISPATCH_START'] as const;
export const done = [
  'DISPATCH_OK',
  { result: 'accepted', reason_code: 'SUCCESS', latency_ms: 40, duration_ms: 30 },
] as const;

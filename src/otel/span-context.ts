// Ids of spans that no SDK makes.
import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { randomId } from './random-ids.ts';

/** Of a new trace, or of the parent's. */
export function newSpanContext(parent?: SpanContext): SpanContext {
  return {
    traceId: parent?.traceId ?? randomId(16),
    spanId: randomId(8),
    traceFlags: parent?.traceFlags ?? TraceFlags.NONE,
  };
}

// Carries a trace across the durable hops (inbox, task) as one W3C traceparent string. Written by hand
// on purpose: the global propagator is absent when the SDK is disabled, and cids must survive that.
import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { cidOf } from './cid.ts';

/** https://www.w3.org/TR/trace-context/ version 00. */
export function formatTraceparent(context: SpanContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`;
}

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Only for values this program stored itself; a client's header is never continued. */
export function parseTraceparent(traceparent: string): SpanContext | undefined {
  const match = pattern.exec(traceparent);
  const [, traceId, spanId, flags] = match ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

/** The cid of the trace that a stored traceparent belongs to. */
export function cidOfTraceparent(traceparent: string): string {
  return cidOf(parseTraceparent(traceparent)?.traceId ?? '');
}

// Carries a trace across the durable hops (inbox, task) as one W3C traceparent string. Written by hand
// on purpose: the global propagator is absent when the SDK is disabled, and cids must survive that.
import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { cidOf } from './cid.ts';

/** https://www.w3.org/TR/trace-context/ version 00. */
export function formatTraceparent(context: SpanContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`;
}

const hexadecimal = /^[0-9a-f]+$/;

/** Only for values this program stored itself; a client's header is never continued. */
export function parseTraceparent(traceparent: string): SpanContext | undefined {
  const [version, traceId, spanId, flags] = traceparent.split('-');
  if (version !== '00' || !isHex(traceId, 32) || !isHex(spanId, 16) || !isHex(flags, 2)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

function isHex(text: string | undefined, length: number): text is string {
  return text?.length === length && hexadecimal.test(text);
}

/** The cid of the trace that a stored traceparent belongs to. */
export function cidOfTraceparent(traceparent: string): string {
  return cidOf(parseTraceparent(traceparent)?.traceId ?? '');
}

// The traceparent that is stored beside work: it comes back as it was, and nothing else is believed.
import { TraceFlags } from '@opentelemetry/api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cidOfTraceparent, formatTraceparent, parseTraceparent } from '../../src/otel/propagation.ts';

const traceId = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const spanId = '0123456789abcdef';
const hexadecimal = (length: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));

test('a span context comes back as it was, as a remote one', () => {
  fc.assert(
    fc.property(hexadecimal(32), hexadecimal(16), fc.boolean(), (trace, span, sampled) => {
      const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
      const traceparent = formatTraceparent({ traceId: trace, spanId: span, traceFlags });
      expect(parseTraceparent(traceparent)).toEqual({
        traceId: trace,
        spanId: span,
        traceFlags,
        isRemote: true,
      });
      expect(cidOfTraceparent(traceparent)).toBe(trace.slice(0, 8));
    }),
  );
});

test('it is written as the W3C has it, and of the flags only sampled is kept', () => {
  expect(formatTraceparent({ traceId, spanId, traceFlags: 1 })).toBe(`00-${traceId}-${spanId}-01`);
  expect(formatTraceparent({ traceId, spanId, traceFlags: 0 })).toBe(`00-${traceId}-${spanId}-00`);
  expect(formatTraceparent({ traceId, spanId, traceFlags: 3 })).toBe(`00-${traceId}-${spanId}-01`);
  expect(parseTraceparent(`00-${traceId}-${spanId}-ff`)?.traceFlags).toBe(TraceFlags.SAMPLED);
});

test.each([
  '',
  'nonsense',
  `01-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${traceId.slice(1)}-${spanId}-01`,
  `00-${traceId}-${spanId}0-01`,
  `00-${traceId}-${spanId}-1`,
  `00-${traceId}-${spanId}-0x`,
])('%j is no traceparent of this program', traceparent => {
  expect(parseTraceparent(traceparent)).toBeUndefined();
  expect(cidOfTraceparent(traceparent)).toBe('');
});

test('any string is read without an error', () => {
  fc.assert(fc.property(fc.string(), text => parseTraceparent(text) === undefined));
});

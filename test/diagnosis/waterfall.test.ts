// Spans as bars.
import { expect, test } from 'vitest';
import type { TracedSpan } from '../../src/diagnosis/chain.ts';
import { waterfallOf } from '../../src/diagnosis/waterfall.ts';
import { after, chainWith, traceId } from './hand-made.ts';

const span = (
  spanId: string,
  parentSpanId: string | undefined,
  fromMs: number,
  durationMs: number,
): TracedSpan => ({
  traceId,
  spanId,
  parentSpanId,
  name: `span ${spanId}`,
  startedAt: after(fromMs),
  durationMs,
  failed: spanId === 'c',
});

test('children stand under their parents, on one scale', () => {
  const chain = chainWith([
    span('d', 'elsewhere', 90, 10),
    span('c', 'b', 20, 10),
    span('b', 'a', 10, 40),
    span('a', undefined, 0, 50),
  ]);
  expect(waterfallOf(chain, 10)).toEqual([
    { name: 'span a', startMs: 0, durationMs: 50, failed: false, bar: '█████     ' },
    { name: '  span b', startMs: 10, durationMs: 40, failed: false, bar: ' ████     ' },
    { name: '    span c', startMs: 20, durationMs: 10, failed: true, bar: '  █       ' },
    { name: 'span d', startMs: 90, durationMs: 10, failed: false, bar: '         █' },
  ]);
});

test('what is too short for the scale still has a bar', () => {
  const chain = chainWith([span('a', undefined, 0, 1), span('b', 'a', 60_000, 2)]);
  expect(waterfallOf(chain, 10).map(({ bar }) => bar)).toEqual(['█         ', '         █']);
});

test('a chain without spans has no bars', () => {
  expect(waterfallOf(chainWith([], 'UPDATE_RECEIVED'))).toEqual([]);
});

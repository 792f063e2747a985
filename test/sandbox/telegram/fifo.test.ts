import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFifo } from '../../../sandbox/telegram/fifo.ts';

describe('a fifo', () => {
  it('behaves like an array that is pushed to and shifted from', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer(), { freq: 2 })), steps => {
        const fifo = createFifo<number>();
        const array: number[] = [];
        for (const step of steps) {
          if (step !== null) {
            fifo.push(step);
            array.push(step);
          } else {
            expect(fifo.peek()).toBe(array[0]);
            expect(fifo.shift()).toBe(array.shift());
          }
          expect(fifo.length).toBe(array.length);
        }
      }),
    );
  });

  it('keeps its order over many more items than it cuts off at once', () => {
    const fifo = createFifo<number>();
    const out: (number | undefined)[] = [];
    for (let item = 0; item < 10_000; item += 1) {
      fifo.push(item);
      if (item % 3 > 0) out.push(fifo.shift());
    }
    while (fifo.length > 0) out.push(fifo.shift());
    expect(out).toEqual(Array.from({ length: 10_000 }, (_, item) => item));
  });
});

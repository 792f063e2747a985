// Owns a first-in, first-out queue whose two ends cost the same however long it is: an array's own shift() moves every
// element behind it, which is quadratic for the backlogs of a load test.

export interface Fifo<T> {
  readonly length: number;
  push(item: T): void;
  /** Removes and returns the oldest item; undefined when there is none. */
  shift(): T | undefined;
  /** The oldest item, which stays. */
  peek(): T | undefined;
}

/** Dead slots are cut off only when they are this many and the larger half, so that each item is moved at most once. */
const COMPACT_AT = 1024;

export function createFifo<T>(): Fifo<T> {
  let items: (T | undefined)[] = [];
  let head = 0;
  return {
    get length() {
      return items.length - head;
    },
    push(item) {
      items.push(item);
    },
    shift() {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head] = undefined;
      head += 1;
      if (head === items.length) {
        items.length = 0;
        head = 0;
      } else if (head >= COMPACT_AT && head * 2 >= items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    peek() {
      return items[head];
    },
  };
}

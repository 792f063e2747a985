// The limit of the inbox: exact for what is stored here, honest about what others store, and never a query per
// update.
import { expect, test } from 'vitest';
import { createInboxDepth, type InboxDepth } from '../../src/inbox/inbox-depth.ts';

const longAgoMs = 10_000;

interface Harness {
  readonly depth: InboxDepth;
  /** What a count finds from now on; an error makes it fail. */
  found: number | Error;
  /** How many counts were made. */
  counts: number;
  /** Of the operations that were warned about. */
  readonly warnings: string[];
  clockMs: number;
  /** Keeps every count waiting until it is called again with false. */
  hold(): () => void;
}

function harness(max: number, found: number | Error = 0): Harness {
  let gate = Promise.resolve();
  const state: Harness = {
    found,
    counts: 0,
    warnings: [],
    clockMs: 0,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    depth: createInboxDepth({
      async count() {
        state.counts += 1;
        const { found: seen } = state;
        await gate;
        if (seen instanceof Error) throw seen;
        return seen;
      },
      max,
      telemetry: { warn: operation => void state.warnings.push(operation) },
      now: () => state.clockMs,
    }),
  };
  return state;
}

const stored = async (): Promise<boolean> => true;
/** Known before, or refused with its outcome. */
const storedWithoutPlace = async (): Promise<boolean> => false;

/** How many of so many updates, all at once, were admitted. */
async function admitted({ depth }: Harness, count: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => depth.admit(stored)));
  return answers.filter(Boolean).length;
}

test('there is room for what is missing to the limit, and for no more', async () => {
  const inbox = harness(10, 7);
  expect(await inbox.depth.room()).toBe(3);
  for (const expected of [true, true, true, false]) expect(await inbox.depth.admit(stored)).toBe(expected);
  expect(await inbox.depth.room()).toBe(0);
  expect(inbox.depth.unfinished()).toBe(10);
});

test('an update for which there is no room is not stored', async () => {
  const inbox = harness(1, 1);
  const ran: string[] = [];
  expect(await inbox.depth.admit(async () => ran.push('stored') > 0)).toBe(false);
  expect(ran).toEqual([]);
});

test('updates that wait for the same count are admitted up to the limit', async () => {
  const inbox = harness(10, 4);
  expect(await admitted(inbox, 50)).toBe(6);
  expect(inbox.counts).toBe(1);
});

test('many updates make few counts', async () => {
  const inbox = harness(1_000_000);
  for (let second = 0; second < 10; second += 1) {
    for (let update = 0; update < 1_000; update += 1) {
      await inbox.depth.admit(stored);
      inbox.clockMs += 1;
    }
  }
  expect(inbox.counts).toBeGreaterThan(10);
  expect(inbox.counts).toBeLessThanOrEqual(40);
});

test('what was worked off makes room at the next count', async () => {
  const inbox = harness(5);
  expect(await admitted(inbox, 9)).toBe(5);
  inbox.found = 2;
  expect(await admitted(inbox, 9)).toBe(0);
  inbox.clockMs += longAgoMs;
  expect(await admitted(inbox, 9)).toBe(3);
});

test('what others stored is seen at the next count', async () => {
  const inbox = harness(5);
  expect(await admitted(inbox, 1)).toBe(1);
  inbox.found = 5;
  inbox.clockMs += longAgoMs;
  // The count is made beside the first update, not before it.
  expect(await admitted(inbox, 1)).toBe(1);
  expect(await admitted(inbox, 1)).toBe(0);
});

test('an old count refuses nobody: a new one is waited for', async () => {
  const inbox = harness(5, 5);
  expect(await admitted(inbox, 1)).toBe(0);
  inbox.found = 0;
  inbox.clockMs += longAgoMs;
  expect(await admitted(inbox, 1)).toBe(1);
});

test('while there is room nobody waits for a count', async () => {
  const inbox = harness(5);
  await inbox.depth.room();
  inbox.clockMs += longAgoMs;
  const release = inbox.hold();
  expect(await admitted(inbox, 1)).toBe(1);
  expect(inbox.counts).toBe(2);
  release();
});

test('whoever asks for the room itself gets it from a new count', async () => {
  const inbox = harness(5);
  expect(await inbox.depth.room()).toBe(5);
  inbox.found = 4;
  expect(await inbox.depth.room()).toBe(5);
  inbox.clockMs += longAgoMs;
  expect(await inbox.depth.room()).toBe(1);
});

test('an update that is being stored while the others are counted is counted too', async () => {
  const inbox = harness(2);
  await inbox.depth.room();
  const storing = Promise.withResolvers<boolean>();
  const first = inbox.depth.admit(() => storing.promise);
  inbox.clockMs += longAgoMs;
  const release = inbox.hold();
  const second = inbox.depth.admit(stored);
  await second;
  // Neither was there when this count looked.
  release();
  storing.resolve(true);
  expect(await first).toBe(true);
  await inbox.depth.room();
  expect(inbox.depth.unfinished()).toBe(2);
  expect(await admitted(inbox, 1)).toBe(0);
});

test('what takes no place is admitted, and leaves the room to others', async () => {
  const inbox = harness(5, 4);
  for (let update = 0; update < 20; update += 1)
    expect(await inbox.depth.admit(storedWithoutPlace)).toBe(true);
  expect(inbox.depth.unfinished()).toBe(4);
  expect(await admitted(inbox, 3)).toBe(1);
});

test('what was asked for while there was room is stored in any case, and counts', async () => {
  const inbox = harness(2, 1);
  await inbox.depth.room();
  await Promise.all([inbox.depth.add(stored), inbox.depth.add(stored)]);
  expect(inbox.depth.unfinished()).toBe(3);
  expect(await inbox.depth.room()).toBe(0);
});

test('a failure to store an update reaches its caller, and frees its place', async () => {
  const inbox = harness(1);
  await expect(inbox.depth.admit(() => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
  inbox.clockMs += longAgoMs;
  expect(await admitted(inbox, 1)).toBe(1);
});

test('while nothing can be counted the attempt to store shows what is wrong', async () => {
  const inbox = harness(1, new Error('no database'));
  expect(await admitted(inbox, 3)).toBe(3);
  expect(inbox.warnings).toEqual(['count the inbox']);
});

test('a count that fails leaves what was known, is warned of, and is made again', async () => {
  const inbox = harness(5, 4);
  expect(await admitted(inbox, 1)).toBe(1);
  inbox.found = new Error('no database');
  inbox.clockMs += longAgoMs;
  expect(await admitted(inbox, 2)).toBe(0);
  expect(inbox.warnings).toEqual(['count the inbox']);
  inbox.found = 0;
  inbox.clockMs += longAgoMs;
  expect(await admitted(inbox, 2)).toBe(2);
});

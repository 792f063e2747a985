// Which jobs of lanes count as done: graphile-worker deletes those that end well. How an update ends whose outcome the
// database refuses. And what becomes of a lane whose turn does not end.
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { createFollowUps } from '../../src/inbox/follow-ups.ts';
import { createHeldLanes } from '../../src/inbox/held-lanes.ts';
import { createLanes } from '../../src/inbox/lanes.ts';
import { leaseLost } from '../../src/lock/lease.ts';
import type { UpdateEnding } from '../../src/storage/update-finish.ts';
import type { PickedUpdate } from '../../src/storage/update-pick.ts';
import { recordTelemetry } from '../support/telemetry.ts';

test('a job that is taken where another instance is in charge fails, so that it is there for that one', async () => {
  let isActive = true;
  const picks: number[] = [];
  const lanes = createLanes({
    store: {
      insert: () => expect.fail('nothing is stored here'),
      checkInsert: () => expect.fail('nobody asks'),
      known: () => expect.fail('nobody asks'),
      finish: () => expect.fail('nothing ends here'),
      depth: () => expect.fail('nobody counts'),
      async pick(lane) {
        picks.push(lane);
        return undefined;
      },
    },
    inbox: { settled: () => undefined },
    followUps: { work: () => expect.fail('nothing is left to be done') },
    handler: { open: () => expect.fail('there is nothing to open') },
    telemetry: recordTelemetry().telemetry,
    instanceId: 'instance-1',
    lease: () => ({ name: 'test', epoch: 1 }),
    onPick: () => expect.fail('nothing was picked'),
    isActive: () => isActive,
    isShared: false,
  });
  await lanes.work(7);
  expect(picks).toEqual([7]);
  isActive = false;
  await expect(lanes.work(7)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(picks).toEqual([7]);
});

test('what an update would leave behind that no row can hold ends as a fault, and the user is notified', async () => {
  const refused = new pg.DatabaseError('invalid byte sequence for encoding', 1, 'error');
  refused.code = '22021';
  const endings: UpdateEnding[] = [];
  const waiting = [pickedUpdate(1)];
  let notices = 0;
  const { telemetry, lines } = recordTelemetry();
  const lanes = createLanes({
    store: {
      insert: () => expect.fail('nothing is stored here'),
      checkInsert: () => expect.fail('nobody asks'),
      known: () => expect.fail('nobody asks'),
      depth: () => expect.fail('nobody counts'),
      pick: async () => waiting.shift(),
      async finish(ending) {
        endings.push(ending);
        if (ending.effects) throw refused;
        return { committed: true, more: false };
      },
    },
    inbox: { settled: () => undefined },
    followUps: { work: async () => undefined },
    handler: {
      open: () => ({
        fields: {},
        handle: async () => ({ result: 'accepted', reason: 'SUCCESS', effects: { chatId: 7 } }),
        async giveUp() {
          notices += 1;
          return [];
        },
      }),
    },
    telemetry,
    instanceId: 'instance-1',
    onPick: () => undefined,
    lease: () => ({ name: 'test', epoch: 1 }),
    isActive: () => true,
    isShared: false,
  });
  await lanes.work(7);
  expect(endings.map(({ outcome, reason }) => [outcome, reason])).toEqual([
    ['accepted', 'SUCCESS'],
    ['failed', 'INTERNAL_ERROR'],
  ]);
  expect(notices).toBe(1);
  const ends = lines.filter(({ name }) => /^DISPATCH_(OK|FAIL)$/.test(String(name)));
  expect(ends).toEqual([
    expect.objectContaining({ name: 'DISPATCH_FAIL', reason_code: 'INTERNAL_ERROR', error_type: '22021' }),
  ]);
});

test.each([
  { who: 'a member of a cluster looks', isShared: true, steps: ['pick', 'finish', 'follow up', 'pick'] },
  { who: 'who works alone does not look', isShared: false, steps: ['pick', 'finish'] },
])('$who for what another one has left for its sake once a lane is empty', async ({ isShared, steps }) => {
  const done: string[] = [];
  const waiting = [pickedUpdate(1)];
  const lanes = createLanes({
    store: {
      insert: () => expect.fail('nothing is stored here'),
      checkInsert: () => expect.fail('nobody asks'),
      known: () => expect.fail('nobody asks'),
      depth: () => expect.fail('nobody counts'),
      async pick() {
        done.push('pick');
        return waiting.shift();
      },
      async finish() {
        done.push('finish');
        return { committed: true, more: false };
      },
    },
    inbox: { settled: () => undefined },
    followUps: { work: async () => void done.push('follow up') },
    handler: {
      open: () => ({
        fields: {},
        handle: async () => ({ result: 'accepted', reason: 'SUCCESS' }),
        giveUp: () => expect.fail('nothing is given up'),
      }),
    },
    telemetry: recordTelemetry().telemetry,
    instanceId: 'instance-1',
    onPick: () => undefined,
    lease: () => ({ name: 'test', epoch: 1 }),
    isActive: () => true,
    isShared,
  });
  await lanes.work(7);
  expect(done).toEqual(steps);
});

test('a job of a former lease that begins late does not let two loops work one lane', async () => {
  let epoch = 2;
  let picks = 0;
  const handling = Promise.withResolvers<void>();
  const lanes = createLanes({
    store: {
      insert: () => expect.fail('nothing is stored here'),
      checkInsert: () => expect.fail('nobody asks'),
      known: () => expect.fail('nobody asks'),
      depth: () => expect.fail('nobody counts'),
      async pick() {
        if (epoch === 1) throw leaseLost();
        picks += 1;
        return picks === 1 ? pickedUpdate(1) : undefined;
      },
      finish: async () => ({ committed: true, more: false }),
    },
    inbox: { settled: () => undefined },
    followUps: { work: async () => undefined },
    handler: {
      open: () => ({
        fields: {},
        async handle() {
          await handling.promise;
          return { result: 'accepted', reason: 'SUCCESS' };
        },
        giveUp: () => expect.fail('nothing is given up'),
      }),
    },
    telemetry: recordTelemetry().telemetry,
    instanceId: 'instance-1',
    onPick: () => undefined,
    lease: () => ({ name: 'test', epoch }),
    isActive: () => true,
    isShared: false,
  });
  const working = lanes.work(7);
  await vi.waitFor(() => expect(picks).toBe(1));
  epoch = 1;
  await expect(lanes.work(7)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  epoch = 2;
  expect(lanes.underWay()).toEqual([7]);
  // The loop that works it already picks what this one is about.
  await lanes.work(7);
  expect(picks).toBe(1);
  handling.resolve();
  await working;
});

test('a turn that does not end holds its chat for a minute: then the same update is worked anew', async () => {
  vi.useFakeTimers();
  using _real = { [Symbol.dispose]: () => void vi.useRealTimers() };
  const hanging = Promise.withResolvers<void>();
  let attempt = 0;
  let ended = false;
  const endings: [number, boolean][] = [];
  const { telemetry, lines } = recordTelemetry();
  const lanes = createLanes({
    store: {
      insert: () => expect.fail('nothing is stored here'),
      checkInsert: () => expect.fail('nobody asks'),
      known: () => expect.fail('nobody asks'),
      depth: () => expect.fail('nobody counts'),
      async pick() {
        if (ended) return undefined;
        attempt += 1;
        return { ...pickedUpdate(1), attempt };
      },
      // As the database does it: only the last pick ends it.
      async finish(ending) {
        const committed = !ended && ending.attempt === attempt;
        ended ||= committed;
        endings.push([ending.attempt, committed]);
        return { committed, more: true };
      },
    },
    inbox: { settled: () => undefined },
    followUps: { work: async () => undefined },
    handler: {
      open: update => ({
        fields: { chat_hash: 'abcd1234' },
        async handle() {
          if (update.attempt === 1) await hanging.promise;
          return { result: 'accepted', reason: 'SUCCESS' };
        },
        giveUp: () => expect.fail('nothing is given up'),
      }),
    },
    telemetry,
    instanceId: 'instance-1',
    onPick: () => undefined,
    lease: () => ({ name: 'test', epoch: 1 }),
    isActive: () => true,
    isShared: false,
  });
  const hung = lanes.work(7);
  await vi.advanceTimersByTimeAsync(59_000);
  // It is being worked: this job has nothing to do.
  await lanes.work(7);
  expect([attempt, lanes.underWay()]).toEqual([1, [7]]);

  await vi.advanceTimersByTimeAsync(2_000);
  expect(lanes.underWay()).toEqual([]);
  expect(lines.filter(({ name }) => name === 'SYSTEM_WARNING')).toEqual([
    expect.objectContaining({
      operation: 'work a lane',
      error_type: 'TURN_HANGS',
      cid: '0af76519',
      chat_hash: 'abcd1234',
    }),
  ]);
  await lanes.work(7);
  hanging.resolve();
  await hung;
  expect(endings).toEqual([
    [2, true],
    [1, false],
  ]);
  // The one that hung picks nothing any more.
  expect(attempt).toBe(2);
  expect(lines.filter(({ name }) => name === 'DISPATCH_OK')).toHaveLength(1);
});

test('what an update has left to be done holds its chat for a minute too', async () => {
  vi.useFakeTimers();
  using _real = { [Symbol.dispose]: () => void vi.useRealTimers() };
  const { telemetry, lines } = recordTelemetry();
  const heldLanes = createHeldLanes({ telemetry, turnLimitMs: 60_000 });
  const hanging = Promise.withResolvers<void>();
  const picks: number[] = [];
  const unasked = () => expect.fail('nobody has asked for that');
  const followUps = createFollowUps({
    store: {
      async pick(lane) {
        picks.push(lane);
        return {
          id: 1,
          lane,
          kind: 'welcome',
          data: {},
          traceparent,
          attempt: picks.length,
          pick: picks.length,
        };
      },
      finish: async () => undefined,
      postpone: unasked,
      wait: unasked,
    },
    work: {
      async welcome() {
        await hanging.promise;
        return 'done';
      },
      start_task: unasked,
      export: unasked,
      erase: unasked,
      show: unasked,
    },
    telemetry,
    fieldsOf: () => ({}),
  });
  const held = heldLanes.hold(7, { updates: false, followUps: true }, 1) ?? expect.fail('it is held');
  const working = followUps.work(7, held);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(heldLanes.underWay(1)).toEqual([]);
  expect(lines.map(({ cid, error_type: type }) => [cid, type])).toEqual([['0af76519', 'TURN_HANGS']]);
  hanging.resolve();
  await working;
  expect(picks).toEqual([7]);
});

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function pickedUpdate(id: number): PickedUpdate {
  return {
    id,
    updateId: id,
    lane: 7,
    eventType: 'message',
    body: {},
    traceparent,
    receivedAt: new Date(),
    attempt: 1,
    user: undefined,
    session: undefined,
    message: undefined,
  };
}

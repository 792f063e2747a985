// Two members of a cluster at one chat: while one does what an update has left to be done, or works an update, the other
// does neither.
import type { Api } from 'grammy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOwedScreens } from '../../src/bot/owed-screens.ts';
import { AppError } from '../../src/errors.ts';
import { createFollowUps } from '../../src/inbox/follow-ups.ts';
import type { CurrentLease } from '../../src/lock/lease.ts';
import type { Database } from '../../src/storage/database.ts';
import { createFollowUpStore, type FollowUpStore } from '../../src/storage/follow-up-store.ts';
import { reviveStranded } from '../../src/storage/job-queue.ts';
import { createOwedStore } from '../../src/storage/owed-store.ts';
import { pickLimitMs } from '../../src/storage/update-pick.ts';
import { createUpdateStore, type UpdateStore } from '../../src/storage/update-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';
import { recordTelemetry } from '../support/telemetry.ts';

interface Member {
  readonly updates: UpdateStore;
  readonly followUps: FollowUpStore;
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const held = { isHeld: () => true, turn: <T>(work: () => Promise<T>) => work() };
let testDatabase: TestDatabase;
let database: Database;
let lease: CurrentLease;
let one: Member;
let other: Member;
let updateId = 0;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.connect(4);
  lease = await takeLease(database);
  const member = (instanceId: string): Member => ({
    updates: createUpdateStore({ database, botId: 1, instanceId, laneMax: 50, lease }),
    followUps: createFollowUpStore({ database, instanceId, lease }),
  });
  one = member('one');
  other = member('other');
});
afterAll(async () => {
  await database.stop();
  await testDatabase.drop();
});

test('nobody picks an update of a chat in which another does what is left to be done', async () => {
  const lane = 7;
  await endWith(lane, one, 'welcome');
  await receive(lane, one);
  const left = await one.followUps.pick(lane);
  expect(left).toMatchObject({ kind: 'welcome', attempt: 1, traceparent });
  expect(await other.updates.pick(lane)).toBeUndefined();
  expect(await other.followUps.pick(lane)).toBeUndefined();
  if (left) await one.followUps.finish(left);
  expect(await other.updates.pick(lane)).toMatchObject({ lane });
});

test('nobody does what is left to be done in a chat in which another works an update', async () => {
  const lane = 8;
  await endWith(lane, one, 'welcome');
  await receive(lane, other);
  expect(await other.updates.pick(lane)).toMatchObject({ lane });
  expect(await one.followUps.pick(lane)).toBeUndefined();
  expect(await other.followUps.pick(lane)).toMatchObject({ kind: 'welcome' });
});

test('what a member has picked and left lying is free for every member as soon as its lane gets a job again', async () => {
  const [update, followUp, worked] = [12, 13, 14];
  await receive(update, one);
  await one.updates.pick(update);
  await endWith(followUp, one, 'welcome');
  await one.followUps.pick(followUp);
  await receive(worked, one);
  await one.updates.pick(worked);
  for (const table of ['updates', 'follow_ups'])
    await database.query(
      `update ${table} set picked_at = now() - interval '10 seconds' where lane in ($1, $2, $3) and picked_by = 'one'`,
      [update, followUp, worked],
    );
  const revived = await reviveStranded(database, {
    instanceId: 'one',
    workedHere: [worked],
    tasksWorkedHere: [],
    patienceMs: 5_000,
    pickLimitMs: 60_000,
  });
  expect(revived).toBe(2);
  expect(await other.updates.pick(update)).toMatchObject({ lane: update, attempt: 2 });
  expect(await other.followUps.pick(followUp)).toMatchObject({ lane: followUp, attempt: 2 });
  expect(await other.updates.pick(worked)).toBeUndefined();
});

test('of several things that are left to be done, nobody does one while another does one', async () => {
  const lane = 100;
  await endWith(lane, one, 'welcome');
  await endWith(lane, one, 'export');
  const first = (await one.followUps.pick(lane)) ?? expect.fail('nothing was picked');
  expect(await other.followUps.pick(lane)).toBeUndefined();
  await one.followUps.finish(first);
  expect(await other.followUps.pick(lane)).toMatchObject({ kind: 'export' });
});

test('a chat counts as left behind only while nobody is at work in it', async () => {
  const [withFollowUp, withUpdate, withBoth] = [101, 102, 103];
  const leftBehind = async (): Promise<number[]> => {
    await testDatabase.query('delete from graphile_worker._private_jobs');
    await reviveStranded(database, {
      instanceId: 'other',
      workedHere: [],
      tasksWorkedHere: [],
      patienceMs: 5_000,
      pickLimitMs,
    });
    const rows = await testDatabase.query<{ lane: number }>(
      `select distinct (payload->>'lane')::int as lane from graphile_worker._private_jobs order by 1`,
    );
    return rows.map(({ lane }) => lane).filter(lane => lane >= withFollowUp);
  };
  await endWith(withFollowUp, one, 'welcome');
  await receive(withFollowUp, other);
  await endWith(withUpdate, one, 'welcome');
  await receive(withUpdate, one);
  await endWith(withBoth, one, 'welcome');
  await endWith(withBoth, one, 'export');
  await testDatabase.query(`update updates set received_at = now() - interval '1 minute' where lane > 100`);
  await testDatabase.query(`update follow_ups set due_at = now() - interval '1 minute' where lane > 100`);
  expect(await leftBehind()).toEqual([withFollowUp, withUpdate, withBoth]);

  const followUp = await one.followUps.pick(withFollowUp);
  const update = await one.updates.pick(withUpdate);
  const both = await one.followUps.pick(withBoth);
  if (!followUp || !update || !both) expect.fail('nothing was picked');
  expect(await leftBehind()).toEqual([]);
  await testDatabase.query(
    `update follow_ups set picked_at = picked_at - interval '1 hour' where lane > 100`,
  );
  await testDatabase.query(`update updates set picked_at = picked_at - interval '1 hour' where lane > 100`);
  expect(await leftBehind()).toEqual([withFollowUp, withUpdate, withBoth]);
});

test('what was put off is picked when it is due, and by whoever picks it last it is ended', async () => {
  const lane = 9;
  await endWith(lane, one, 'welcome');
  const first = (await one.followUps.pick(lane)) ?? expect.fail('nothing was picked');
  await one.followUps.postpone(first, 3_600_000, { again: true });
  expect(await other.followUps.pick(lane)).toBeUndefined();
  await database.query('update follow_ups set due_at = now() where lane = $1', [lane]);
  const second = await other.followUps.pick(lane);
  expect(second).toMatchObject({ attempt: 2, data: { again: true } });
  await one.followUps.finish(first);
  expect(await testDatabase.query('select 1 from follow_ups where lane = $1', [lane])).toHaveLength(1);
  if (second) await other.followUps.finish(second);
  expect(await testDatabase.query('select 1 from follow_ups where lane = $1', [lane])).toEqual([]);
});

test('a sending whose end could not be stored is made once more and not each time', async () => {
  const lane = 10;
  await database.query('insert into users (chat_id, language) values ($1, $2)', [lane, 'en']);
  const drawn = { text: 'Balance: 5', rows: [] };
  await endWith(lane, one, 'show', { dueInMs: 0, owed: { record: {}, drawn, unheard: 0 } });
  let sent = 0;
  const api = {
    sendChatAction: async () => true,
    async sendMessage() {
      sent += 1;
      return { message_id: sent };
    },
  };
  const { telemetry, lines } = recordTelemetry();
  const owedStore = createOwedStore({ database, lease });
  const owedScreens = createOwedScreens({
    store: {
      ...owedStore,
      shown: async () => {
        throw new AppError({ code: 'DATABASE_TIMEOUT', message: 'nobody has heard of it' });
      },
    },
    // SAFETY: all that is called of it.
    api: api as unknown as Api,
    messages: { markBlocked: () => expect.fail('nobody has blocked it') },
    telemetry,
  });
  const unasked = () => expect.fail('nobody has asked for that');
  const followUps = createFollowUps({
    store: one.followUps,
    work: { welcome: unasked, start_task: unasked, export: unasked, erase: unasked, show: owedScreens.show },
    telemetry,
    fieldsOf: () => ({}),
  });
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    await followUps.work(lane, held);
    await database.query('update follow_ups set due_at = now() where lane = $1', [lane]);
  }
  expect(sent).toBe(2);
  expect(lines.filter(({ name }) => name === 'RENDER_DROPPED')).toEqual([
    expect.objectContaining({
      reason_code: 'DOWNSTREAM_TIMEOUT',
      reason_detail: 'it was sent twice, perhaps in vain',
    }),
  ]);
  expect(await testDatabase.query('select 1 from follow_ups where lane = $1', [lane])).toEqual([]);
});

test('what the database keeps from being done is not given up, however often it was tried', async () => {
  const lane = 11;
  await endWith(lane, one, 'welcome');
  await database.query('update follow_ups set attempts = 12 where lane = $1', [lane]);
  const unasked = () => expect.fail('nobody has asked for that');
  const followUps = createFollowUps({
    store: one.followUps,
    work: {
      welcome: async () => {
        throw new AppError({ code: 'DATABASE_TIMEOUT', message: 'no answer' });
      },
      start_task: unasked,
      export: unasked,
      erase: unasked,
      show: unasked,
    },
    telemetry: recordTelemetry().telemetry,
    fieldsOf: () => ({}),
  });
  await followUps.work(lane, held);
  const left = await testDatabase.query(
    'select kind, attempts, picked_by, due_at > now() as later from follow_ups where lane = $1',
    [lane],
  );
  expect(left).toEqual([{ kind: 'welcome', attempts: 13, picked_by: null, later: true }]);
});

test('a chat that is busy costs no attempt, and a defect that lasts is logged when it is given up', async () => {
  const lane = 200;
  await database.query('insert into users (chat_id, language) values ($1, $2)', [lane, 'en']);
  await endWith(lane, one, 'show', {
    dueInMs: 0,
    owed: { screen: 'BALANCE', record: {}, drawn: { text: 'Balance: 5', rows: [] }, unheard: 0 },
  });
  await receive(lane, one);
  const { telemetry, lines } = recordTelemetry();
  const { show } = createOwedScreens({
    store: createOwedStore({ database, lease }),
    // SAFETY: all that is called of it.
    api: { sendMessage: () => Promise.reject(new TypeError('broken')) } as unknown as Api,
    messages: { markBlocked: () => expect.fail('nobody has blocked it') },
    telemetry,
  });
  const unasked = () => expect.fail('nobody has asked for that');
  const followUps = createFollowUps({
    store: one.followUps,
    work: { welcome: unasked, start_task: unasked, export: unasked, erase: unasked, show },
    telemetry,
    fieldsOf: () => ({}),
  });
  const look = async (): Promise<void> => {
    await database.query('update follow_ups set due_at = now() where lane = $1', [lane]);
    await followUps.work(lane, held);
  };
  for (let count = 0; count < 20; count += 1) await look();
  expect(lines).toEqual([]);
  await database.query('delete from updates where lane = $1 and outcome is null', [lane]);

  const attemptsLeft = 11;
  for (let count = 0; count < attemptsLeft; count += 1) await look();
  expect(await testDatabase.query('select 1 from follow_ups where lane = $1', [lane])).toHaveLength(1);
  expect(lines.map(({ name }) => name)).not.toContain('RENDER_DROPPED');
  await look();
  expect(await testDatabase.query('select 1 from follow_ups where lane = $1', [lane])).toEqual([]);
  expect(lines.filter(({ name }) => name === 'RENDER_DROPPED')).toEqual([
    expect.objectContaining({ screen_id: 'BALANCE', reason_code: 'INTERNAL_ERROR' }),
  ]);
});

async function receive(lane: number, { updates }: Member): Promise<void> {
  updateId += 1;
  await updates.insert({
    updateId,
    lane,
    messageId: undefined,
    eventType: 'message',
    body: JSON.stringify({ update_id: updateId }),
    traceparent,
    refusal: undefined,
    isLimited: false,
  });
}

/** An update that has ended and left this behind. */
async function endWith(lane: number, member: Member, kind: string, data: object = {}): Promise<void> {
  await receive(lane, member);
  const picked = (await member.updates.pick(lane)) ?? expect.fail('nothing was picked');
  const { committed } = await member.updates.finish({
    id: picked.id,
    attempt: picked.attempt,
    outcome: 'accepted',
    reason: 'SUCCESS',
    effects: undefined,
    followUps: [{ kind, data, delayMs: 0 }],
    traceparent,
  });
  expect(committed).toBe(true);
}

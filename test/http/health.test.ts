// What the probes say, to whom they say it and at what price: of an instance alone, of one that waits for another,
// of one without its database; and that strangers who ask too often cost nothing.
import pg from 'pg';
import { expect, test } from 'vitest';
import { service } from '../../src/service.ts';
import {
  type BotUnderTest,
  besides,
  quickTimings,
  startBot,
  waitFor,
  webhookSecret,
} from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { type DatabaseGate, startDatabaseGate } from '../support/database-gate.ts';
import { walkToConfirm } from '../support/walk.ts';

/** What a probe may wait for the database, and what a busy machine adds to that. */
const answerLimitMs = 2_000 + 15_000;
/** How long one look at the database is shared. */
const lookValidMs = 500;
const number = expect.any(Number);
const noneFinished = { accepted: 0, rejected: 0, noop: 0, failed: 0, dead_letter: 0 };

test('an instance alone is ACTIVE, holds the lock, and tells its state in numbers', async () => {
  await using bot = await startBot({ environment: { RELEASE: 'release-7' } });
  const { status, body } = await probe(bot, '/health');
  expect(status).toBe(200);
  const instanceId = bot.lines.find(({ name }) => name === 'BOOT_OK')?.instance_id;
  expect(body).toEqual({
    ok: true,
    reason: null,
    status: 'ok',
    uptime: number,
    bot_state: 'ACTIVE',
    lock_state: 'ACTIVE',
    lock_holder_pid: number,
    lock_holder_instance_id: instanceId,
    lock_idle_duration: number,
    lock_heartbeat_age: number,
    lock_takeover_event: null,
    intake: { ok: true, waiting_age: null },
    work: { ok: true, proof_age: number },
    epoch: 1,
    queue_size: 0,
    queue_depth: 0,
    queue_max: 10_000,
    totals: { received: 0, finished: noneFinished, refused_queue_full: 0 },
    database: { ok: true, latency_ms: number },
    supplier: 'closed',
    telegram: null,
    schema_version: number,
    instance_id: instanceId,
    instance_mode: 'single',
    bot_mode: 'webhook',
    release: 'release-7',
  });
  expect(await sessionOf(bot, body.lock_holder_pid)).toEqual([{ application_name: instanceId }]);
});

test('the state of the lock grows older in seconds, not in milliseconds', async () => {
  await using bot = await startBot();
  const startedAt = performance.now();
  const before = await health(bot);
  const after = await waitFor('a later second', async () => {
    const now = await health(bot);
    return Number(now.lock_idle_duration) >= Number(before.lock_idle_duration) + 1 ? now : undefined;
  });
  const passed = (performance.now() - startedAt) / 1_000;
  expect(passed).toBeGreaterThan(0.9);
  expect(Number(after.lock_idle_duration)).toBeLessThan(Number(before.lock_idle_duration) + passed + 0.2);
});

test('updates are counted from the start of the process, by how they ended', async () => {
  await using bot = await startBot({ environment: { INBOX_MAX: '5' } });
  const user = bot.user();
  const sent = user.start();
  await user.waitForMessage(/What shall we create/);
  await ended(bot, sent.updateId);
  // Sent again, it is not received again.
  await post(bot, sent.updateId);
  await post(bot, 4_242);
  await ended(bot, 4_242);
  await fill(bot, 5);
  await waitFor('the full inbox to be noticed', async () => {
    const { status } = await post(bot, 4_242);
    return status === 429 ? true : undefined;
  });
  expect((await post(bot, 4_243)).status).toBe(429);
  const { totals, queue_max } = await health(bot);
  expect(totals).toEqual({
    received: 2,
    finished: { ...noneFinished, accepted: 1, noop: 1 },
    refused_queue_full: 2,
  });
  expect(queue_max).toBe(5);
});

test('the depth of the queue is that of all instances, under both of its names', async () => {
  await using bot = await startBot();
  await fill(bot, 3);
  expect(await health(bot)).toMatchObject({ queue_depth: 3, queue_size: 3, totals: { received: 0 } });
});

test('a supplier that is down is told, and makes nothing else bad', async () => {
  const poll = [{ untilMs: Number.POSITIVE_INFINITY, everyMs: 10 }];
  await using bot = await startBot({
    kie: { stepMs: 'manual' },
    overrides: { timings: { ...quickTimings, waitLimitMs: 20_000, poll } },
  });
  bot.kie.failNext({ at: 'record', does: 'refuse' }, 100);
  for (const user of [bot.user(), bot.user(), bot.user()]) {
    await walkToConfirm(user);
    user.click('🚀 Run');
  }
  await bot.waitForLine(({ name }) => name === 'SUPPLIER_DOWN');
  const { status, body } = await probe(bot, '/health');
  expect(status).toBe(200);
  expect(body).toMatchObject({ ok: true, supplier: expect.stringMatching(/^(half_)?open$/) });
});

test('a second instance is PASSIVE, says who the holder is, and is well', async () => {
  await using first = await startBot();
  await using second = await startBot(besides(first));
  const [holder, { status, body }] = await Promise.all([health(first), probe(second, '/health')]);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    ok: true,
    status: 'ok',
    bot_state: 'PASSIVE',
    lock_state: 'PASSIVE',
    lock_holder_pid: holder.lock_holder_pid,
    lock_holder_instance_id: holder.instance_id,
    lock_idle_duration: number,
    lock_heartbeat_age: number,
    lock_takeover_event: null,
    epoch: 0,
  });
  expect(body.instance_id).not.toBe(holder.instance_id);
  expect(await probe(second, '/readyz')).toEqual({ status: 200, body: { ok: true, reason: null } });
});

test('each member of a cluster is ACTIVE, and tells which of them is the source of updates', async () => {
  const cluster = { INSTANCE_MODE: 'cluster' };
  await using first = await startBot({ environment: cluster });
  await using second = await startBot(besides(first, cluster));
  const [source, member] = await Promise.all([health(first), health(second)]);
  for (const body of [source, member])
    expect(body).toMatchObject({
      ok: true,
      instance_mode: 'cluster',
      lock_state: 'ACTIVE',
      lock_holder_instance_id: source.instance_id,
      lock_holder_pid: number,
      lock_idle_duration: number,
      epoch: number,
    });
  expect(member.epoch).not.toBe(source.epoch);
});

test('an instance that succeeds another one says so at once, under a higher epoch', async () => {
  await using first = await startBot();
  await using second = await startBot(besides(first));
  const waited = await waitFor('a second of waiting', async () => {
    const now = await health(second);
    return Number(now.lock_idle_duration) >= 1 ? now : undefined;
  });
  const stoppedAt = performance.now();
  await first.app.stop();
  await second.waitForLine(({ name }) => name === 'LOCK_ACQUIRED');
  const succeeded = await waitFor('a look at the new state', async () => {
    const now = await health(second);
    return now.lock_idle_duration === null ? undefined : now;
  });
  expect(succeeded).toMatchObject({
    lock_state: 'ACTIVE',
    lock_holder_instance_id: waited.instance_id,
    lock_takeover_event: null,
    epoch: 2,
  });
  const passed = (performance.now() - stoppedAt) / 1_000;
  expect(Number(succeeded.lock_idle_duration)).toBeLessThan(passed + 0.2);
});

test('a takeover from an instance that was frozen is told: whom, why and when', async () => {
  const database = await createTestDatabase();
  try {
    await using gate = await startDatabaseGate(database.url);
    // With less a busy machine would end the first one's lease before it is frozen.
    const timings = {
      LOCK_HEARTBEAT_SECONDS: '1',
      STALE_IDLE_SECONDS: '6',
      LOCK_RELEASE_WAIT_SECONDS: '2',
    };
    await using first = await startBot({
      environment: { ...timings, DATABASE_URL: database.url, LOCK_DATABASE_URL: gate.url },
    });
    await using second = await startBot(besides(first, { ...timings, LOCK_DATABASE_URL: database.url }));
    const { instance_id: frozen } = await health(first);
    const shutAt = Date.now();
    {
      using _shut = gate.shut();
      await second.waitForLine(({ name }) => name === 'LOCK_ACQUIRED');
    }
    const { lock_state, lock_takeover_event: event } = await health(second);
    expect(lock_state).toBe('ACTIVE');
    expect(event).toEqual({
      instance_id: frozen,
      reason: expect.stringContaining('had not renewed its lease'),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(Date.parse(isObject(event) ? String(event.at) : '')).toBeGreaterThan(shutAt);
  } finally {
    await database.drop();
  }
});

test('while the database does not answer the health says so in time, with all that is known without it', async () => {
  await using scene = await startBehindGate();
  const { bot, gate } = scene;
  const before = await health(bot);
  using shut = gate.shut();
  const { status, body } = await waitFor('what was read before to be too old', async () => {
    const startedAt = performance.now();
    const answer = await probe(bot, '/health');
    expect(performance.now() - startedAt).toBeLessThan(answerLimitMs);
    const { queue_depth, lock_holder_pid, database, intake } = answer.body;
    const latency = isObject(database) ? database.latency_ms : undefined;
    const isStoring = isObject(intake) && intake.ok;
    const isUnknown = [queue_depth, lock_holder_pid, latency].every(value => value === null);
    return isUnknown && !isStoring ? answer : undefined;
  });
  expect(status).toBe(503);
  expect(body).toEqual({
    ...before,
    intake: { ok: false, waiting_age: null },
    work: { ok: expect.any(Boolean), proof_age: number },
    ok: false,
    reason: 'intake',
    status: 'degraded',
    uptime: number,
    lock_holder_pid: null,
    lock_holder_instance_id: null,
    lock_heartbeat_age: null,
    lock_idle_duration: number,
    queue_size: null,
    queue_depth: null,
    database: { ok: false, latency_ms: null },
  });
  expect(Number(body.lock_idle_duration)).toBeGreaterThan(Number(before.lock_idle_duration));
  expect(await probe(bot, '/readyz')).toEqual({ status: 503, body: { ok: false, reason: 'intake' } });
  expect(await probe(bot, '/livez')).toEqual({ status: 200, body: { ok: true } });
  expect((await probe(bot, '/version')).status).toBe(200);
  shut[Symbol.dispose]();
  await waitFor('the database to be well again', async () => ((await health(bot)).ok ? true : undefined));
});

test('while the table of updates is away the health is bad, and no updates are asked for', async () => {
  await using bot = await startBot();
  await bot.database.query('alter table updates rename to updates_away');
  const { status, body } = await probe(bot, '/health');
  const ready = await probe(bot, '/readyz');
  await bot.database.query('alter table updates_away rename to updates');
  expect(status).toBe(503);
  expect(body).toMatchObject({
    ok: false,
    status: 'degraded',
    queue_depth: null,
    lock_state: 'ACTIVE',
    lock_holder_pid: number,
    intake: { ok: false },
    database: { ok: false, latency_ms: number },
  });
  expect(ready.status).toBe(503);
});

test('a database that answers and takes no updates makes an instance not ready', async () => {
  await using bot = await startBot();
  await bot.database.query(`
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'cannot execute INSERT in a read-only transaction' using errcode = '25006'; end $$;
    create trigger refuse before insert on updates for each statement execute function refuse()`);
  expect((await post(bot, 1)).status).toBe(503);
  expect((await probe(bot, '/readyz')).status).toBe(503);
  expect(await health(bot)).toMatchObject({
    reason: 'intake',
    database: { ok: true },
    intake: { ok: false },
  });
  await bot.database.query('drop function refuse cascade');
  expect((await post(bot, 2)).status).toBe(200);
  await waitFor('readiness', async () => ((await probe(bot, '/readyz')).status === 200 ? true : undefined));
});

test('updates that wait for the database make an instance not ready, and the answer does not wait', async () => {
  await using bot = await startBot();
  const locker = new pg.Client({ connectionString: bot.database.url });
  await locker.connect();
  await locker.query('begin; lock table updates in share mode');
  const startedAt = performance.now();
  const { status } = await probe(bot, '/readyz');
  expect(performance.now() - startedAt).toBeLessThan(answerLimitMs);
  expect(status).toBe(503);
  expect(await health(bot)).toMatchObject({ ok: false, intake: { ok: false }, database: { ok: true } });
  await locker.end();
  await waitFor('readiness', async () => ((await probe(bot, '/readyz')).status === 200 ? true : undefined));
});

test('a standby is not ready while nobody fetches the updates that have to be fetched', async () => {
  const state = { isActive: () => false, isAbandoned: () => true, isHolderLate: () => false };
  await using bot = await startBot({ overrides: { state }, environment: { BOT_MODE: 'polling' } });
  expect(await probe(bot, '/readyz')).toEqual({ status: 503, body: { ok: false, reason: 'nobody_active' } });
  expect(await health(bot)).toMatchObject({
    ok: false,
    reason: 'nobody_active',
    work: { ok: false },
    queue_depth: 0,
  });
});

test('a standby is not ready while updates wait that nobody works', async () => {
  const state = { isActive: () => false, isAbandoned: () => true, isHolderLate: () => false };
  await using bot = await startBot({ overrides: { state } });
  expect((await probe(bot, '/readyz')).status).toBe(200);
  await fill(bot, 1);
  await waitFor('unreadiness', async () => ((await probe(bot, '/readyz')).status === 503 ? true : undefined));
  expect(await health(bot)).toMatchObject({
    reason: 'nobody_active',
    work: { ok: false },
    intake: { ok: true },
  });
});

test('an update that nobody takes up while none ends makes an instance not ready, and a slow chat does not', async () => {
  const state = { isActive: () => false, isAbandoned: () => false, isHolderLate: () => false };
  await using bot = await startBot({ overrides: { state } });
  const { database } = bot;
  const becomes = (reason: string | null): Promise<unknown> =>
    waitFor(`reason ${reason}`, async () => {
      const { status, body } = await probe(bot, '/readyz');
      expect(status).toBe(body.reason === null ? 200 : 503);
      return body.reason === reason || undefined;
    });
  await fill(bot, 3);
  await becomes(null);
  // A refusal on arrival, which is no work.
  const end = `update updates set outcome = 'rejected', reason_code = 'RATE_LIMIT', finished_at = now()`;
  await database.query(`${end} where update_id = -3`);
  await database.query(`update updates set received_at = now() - interval '1 hour'`);
  await becomes('stalled');
  expect(await health(bot)).toMatchObject({
    ok: false,
    reason: 'stalled',
    intake: { ok: true },
    database: { ok: true },
  });
  await database.query(`update updates set picked_by = 'another', picked_at = now() where update_id = -1`);
  await becomes(null);
  // For longer than a turn takes: its commit hangs.
  await database.query(`update updates set picked_at = now() - interval '50 seconds' where update_id = -1`);
  await becomes('stalled');
  await database.query('update updates set picked_at = now() where update_id = -1');
  await becomes(null);
  // Its first attempt has ended without an outcome.
  await database.query('update updates set attempts = 2 where update_id = -1');
  await becomes('stalled');
  await database.query('update updates set attempts = 1 where update_id = -1');
  await becomes(null);
  await database.query('update updates set picked_by = null');
  await becomes('stalled');
  await database.query(
    `insert into follow_ups (lane, kind, data, traceparent, picked_by, picked_at)
     values (77, 'show', '{}', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'another', now())`,
  );
  await becomes(null);
  await database.query('delete from follow_ups');
  await becomes('stalled');
  await database.query(`${end}, epoch = 1 where update_id = -2`);
  await becomes(null);
});

test('a burst of probes makes a few statements, and all are answered', async () => {
  await using scene = await startBehindGate();
  const { bot, gate } = scene;
  const before = statements(gate);
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => probe(bot, index % 4 === 0 ? '/readyz' : '/health')),
  );
  const looks = 1 + Math.floor((performance.now() - startedAt) / lookValidMs);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  for (const [kind, count] of Object.entries(statements(gate))) {
    expect(count - (before[kind] ?? 0), kind).toBeGreaterThanOrEqual(1);
    expect(count - (before[kind] ?? 0), kind).toBeLessThanOrEqual(looks);
  }
});

test('nothing that is said is a number in quotes or a secret, and Telegram is not asked', async () => {
  await using bot = await startBot();
  const calls = bot.telegram.callCount();
  const said = await Promise.all(
    ['/livez', '/readyz', '/health', '/version'].map(async path =>
      JSON.stringify((await probe(bot, path)).body),
    ),
  );
  const text = said.join('\n');
  expect(text).not.toMatch(/"-?\d+(\.\d+)?"/);
  for (const secret of [
    bot.telegram.token,
    bot.config.databaseUrl.reveal(),
    bot.config.hashSecret.reveal(),
    bot.kie.apiKey,
    webhookSecret,
  ])
    expect(text).not.toContain(secret);
  expect(bot.telegram.callCount()).toBe(calls);
});

test('the version tells which code runs on which schema', async () => {
  await using bot = await startBot({ environment: { RELEASE: 'release-7' } });
  const { schema_version } = await health(bot);
  expect(await probe(bot, '/version')).toEqual({
    status: 200,
    body: {
      name: service.name,
      version: service.version,
      release: 'release-7',
      schema_version,
      node: process.version,
    },
  });
  const [newest] = await bot.database.query<{ id: number }>('select max(id) as id from migrations');
  expect(schema_version).toBe(newest?.id);
});

type Body = Readonly<Record<string, unknown>>;

interface Answer {
  readonly status: number;
  readonly body: Body;
}

async function probe(bot: BotUnderTest, path: string): Promise<Answer> {
  const answer = await fetch(`${bot.app.url()}${path}`);
  // SAFETY: each probe answers with a JSON object; what it holds is what the tests look at.
  return { status: answer.status, body: (await answer.json()) as Body };
}

async function health(bot: BotUnderTest): Promise<Body> {
  return (await probe(bot, '/health')).body;
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null;
}

interface Scene extends AsyncDisposable {
  readonly bot: BotUnderTest;
  readonly gate: DatabaseGate;
}

/** A bot with a gate in front of its pool; its lock has a way of its own, so that it stays ACTIVE. */
async function startBehindGate(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const database = await createTestDatabase();
  stack.defer(() => database.drop());
  const gate = stack.use(await startDatabaseGate(database.url));
  const bot = stack.use(
    await startBot({ environment: { DATABASE_URL: gate.url, LOCK_DATABASE_URL: database.url } }),
  );
  const owned = stack.move();
  return { bot, gate, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** How often each of the questions was put that a look consists of. */
function statements(gate: DatabaseGate): Record<string, number> {
  return {
    'round trip': gate.sent('select 1\0'),
    depth: gate.sent('count(*) as depth'),
    holder: gate.sent('as session_of'),
  };
}

async function ended(bot: BotUnderTest, updateId: number): Promise<void> {
  await bot.waitForLine(({ name, update_id }) => name === 'DISPATCH_OK' && update_id === updateId);
}

function sessionOf(bot: BotUnderTest, pid: unknown): Promise<object[]> {
  return bot.database.query('select application_name from pg_stat_activity where pid = $1', [pid]);
}

/** Another instance has stored so many updates, and is still at work on them. */
async function fill(bot: BotUnderTest, count: number): Promise<void> {
  await bot.database.query(
    `insert into updates (bot_id, update_id, lane, event_type, body, traceparent)
     select $1, -number, 77, 'message', '{}', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
     from generate_series(1, $2::int) as number`,
    [bot.config.telegram.botId, count],
  );
}

/** An update of no chat and no kind, which ends as noop. */
function post(bot: BotUnderTest, updateId: number): Promise<Response> {
  return fetch(bot.webhookUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecret },
    body: JSON.stringify({ update_id: updateId }),
  });
}

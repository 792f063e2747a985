// Connections to Postgres that say nothing more, without a FIN or a RST, as after a primary that vanished or a NAT entry
// that was forgotten, while new ones work. Nobody says so: the bot must find out by itself.
import { expect, test } from 'vitest';
import { startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { waitFor, webhookSecret } from '../support/bot.ts';
import { expectSoundHistory, type Fleet, startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';
import { startStorm } from '../support/storm.ts';

/** One third of it is the deadline of a statement, but never less than 3 s. */
const staleMs = 6_000;
const timings = { LOCK_HEARTBEAT_SECONDS: '1', STALE_IDLE_SECONDS: String(staleMs / 1_000) };
/** With what a busy machine takes; the kernel would give up after a quarter of an hour. */
const recoveryMs = staleMs + 15_000;
const mute = { kind: 'mute' } as const;

test.each([
  { which: 'all connections', share: 1, mode: 'single', leastWarned: 1 },
  // What is asked is executed, and nobody hears of it.
  { which: 'the answers of all connections', share: 1, mode: 'single', leastWarned: 1, answersOnly: true },
  // Those may be idle ones, which nobody misses.
  { which: 'a third of the connections', share: 1 / 3, mode: 'single', leastWarned: 0 },
  { which: 'all connections of a member of a cluster', share: 1, mode: 'cluster', leastWarned: 1 },
])(
  'after $which went mute, updates are stored and worked again in time, and none was lost',
  async ({ share, mode, leastWarned, answersOnly = false }) => {
    await using fleet = await startFleet({ environment: { ...timings, INSTANCE_MODE: mode } });
    await using proxy = await startPostgresProxy(fleet.surroundings.database.url);
    const instance = await fleet.start({ DATABASE_URL: proxy.url });
    const storm = await startStorm(fleet);
    await storm.taps(10);
    proxy.setPassage({ kind: 'mute', answersOnly }, { to: 'open', share });
    const mutedAt = Date.now();
    await workedAfter(fleet, mutedAt + 500);
    expect(Date.now() - mutedAt).toBeLessThan(recoveryMs);
    await storm.taps(20);
    await expectSoundHistory(fleet, await storm.stop(), { cluster: mode === 'cluster' });
    await expectOneEndEach(fleet);
    const warnings = instance.lines.filter(({ error_type: type }) => type === 'DATABASE_TIMEOUT');
    expect(warnings.length).toBeGreaterThanOrEqual(leastWarned);
    expect((await fetch(`http://127.0.0.1:${instance.port}/readyz`)).status).toBe(200);
  },
  testLimitMs,
);

test(
  'an instance that is cut off in silence is succeeded in time, and says that it cannot store',
  async () => {
    await using fleet = await startFleet({ environment: timings });
    const { url } = fleet.surroundings.database;
    await using proxy = await startPostgresProxy(url);
    const cutOff = await fleet.start({ DATABASE_URL: proxy.url });
    const standby = await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(10);
    proxy.setPassage(mute);
    const mutedAt = Date.now();
    const refused = refusedAt(cutOff.port);
    await standby.waitForEvent('LOCK_ACQUIRED');
    expect(Date.now() - mutedAt).toBeLessThan(recoveryMs);
    await waitFor('the cut off one to be not ready', async () => {
      const startedAt = performance.now();
      const { status } = await fetch(`http://127.0.0.1:${cutOff.port}/readyz`);
      expect(performance.now() - startedAt).toBeLessThan(answerLimitMs);
      return status === 503 ? true : undefined;
    });
    await cutOff.waitForEvent('LOCK_LOST');
    // Telegram is answered long before it gives up, and whoever has the cid learns why.
    expect(await refused).toBeLessThan(answeredWithinMs);
    const cid = await cutOff.cidOf(refusedUpdateId);
    expect(cutOff.lines.filter(line => line.cid === cid && line.reason_code === 'DB_ERROR')).toEqual([
      expect.objectContaining({ name: 'SYSTEM_WARNING', operation: 'store update' }),
    ]);
    cutOff.leaveRotation();
    await storm.taps(10);
    proxy.setPassage({ kind: 'pass' }, { to: 'new' });
    await expectSoundHistory(fleet, await storm.stop());
  },
  testLimitMs,
);

test(
  'a standby whose connections went mute still succeeds a holder that dies',
  async () => {
    await using fleet = await startFleet({ environment: timings });
    await using proxy = await startPostgresProxy(fleet.surroundings.database.url);
    const holder = await fleet.start();
    const standby = await fleet.start({ DATABASE_URL: proxy.url });
    proxy.setPassage(mute, { to: 'open' });
    const mutedAt = Date.now();
    holder.leaveRotation();
    holder.signal('SIGKILL');
    await standby.waitForEvent('LOCK_ACQUIRED');
    expect(Date.now() - mutedAt).toBeLessThan(recoveryMs);
    const user = fleet.surroundings.user();
    user.start();
    await user.waitForMessage(/What shall we create/);
  },
  testLimitMs,
);

/** A probe answers after 2 s at the latest; the rest is for a busy machine. */
const answerLimitMs = 2_000 + 15_000;

/** Its own limits add up to 15 s. */
const answeredWithinMs = 25_000;
const refusedUpdateId = 4_242;

/** Sends an update that cannot be stored. Resolves to the milliseconds until it was refused. */
async function refusedAt(port: number): Promise<number> {
  const startedAt = performance.now();
  const { status } = await fetch(`http://127.0.0.1:${port}/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecret },
    body: JSON.stringify({ update_id: refusedUpdateId }),
  });
  expect(status).toBe(503);
  return performance.now() - startedAt;
}

async function workedAfter({ surroundings }: Fleet, since: number): Promise<void> {
  await waitFor('an update that is received and worked', async () => {
    const rows = await surroundings.database.query(
      'select 1 from updates where received_at > $1 and outcome is not null limit 1',
      [new Date(since)],
    );
    return rows.length > 0 ? true : undefined;
  });
}

/** Also where the answer to a commit was not heard. */
async function expectOneEndEach(fleet: Fleet): Promise<void> {
  const ended = (): Map<unknown, number> => {
    const counts = new Map<unknown, number>();
    for (const { name, update_id: id } of fleet.lines())
      if (/^DISPATCH_(OK|FAIL)$/.test(name)) counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  };
  const rows = await fleet.surroundings.database.query<{ update_id: string }>(
    'select update_id from updates where outcome is not null',
  );
  const all = rows.map(({ update_id }) => Number(update_id));
  await waitFor(
    'the line of every end',
    () => (all.every(id => ended().has(id)) ? true : undefined),
    () => `without: ${all.filter(id => !ended().has(id)).join(', ')}`,
  );
  expect([...ended()].filter(([, count]) => count !== 1)).toEqual([]);
}

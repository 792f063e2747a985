// One instance after the other: deploys, crashes, frozen processes and lost sessions, while users go on tapping.
// Nobody notices, and the history is sound: see expectSoundHistory.
import { expect, onTestFinished, test } from 'vitest';
import { startPostgres } from '../../sandbox/postgres.ts';
import { waitFor } from '../support/bot.ts';
import { openDatabase } from '../support/database.ts';
import { epochsOf, expectSoundHistory, type Instance, startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';
import type { Program } from '../support/process.ts';
import { startStorm } from '../support/storm.ts';
import { walkToConfirm } from '../support/walk.ts';

test(
  'a crash of the ACTIVE instance under taps is survived by its standby',
  async () => {
    await using fleet = await startFleet();
    const first = await fleet.start();
    const second = await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(20);
    first.signal('SIGKILL');
    await becomesActive(second);
    await storm.taps(20);
    await expectSoundHistory(fleet, await storm.stop());
    expect(await epochsOf(fleet)).toEqual([1, 2]);
  },
  testLimitMs,
);

test(
  'a generation under way is ordered once and delivered once, by the standby',
  async () => {
    await using fleet = await startFleet({ kie: { stepMs: 'manual' } });
    const { kie } = fleet.surroundings;
    const user = fleet.surroundings.user();
    const first = await fleet.start();
    const second = await fleet.start();
    await walkToConfirm(user);
    user.click('🚀 Run');
    await first.waitForLine(line => line.name === 'TASK_PROGRESS' && line.operation === 'submitted');
    first.signal('SIGKILL');
    await becomesActive(second);
    await kie.advance(3);
    await second.waitForEvent('RESULT_DELIVERED');
    expect(kie.createdCount()).toBe(1);
    expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(1);
  },
  testLimitMs,
);

test(
  'a frozen instance is succeeded by force, and commits nothing when it thaws',
  async () => {
    await using fleet = await startFleet();
    const first = await fleet.start();
    const second = await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(20);
    first.signal('SIGSTOP');
    await becomesActive(second);
    expect(second.lines.find(({ name }) => name === 'LOCK_TAKEOVER')).toMatchObject({ lock_epoch: 1 });
    await storm.taps(20);
    first.signal('SIGCONT');
    await first.waitForEvent('LOCK_LOST');
    await storm.taps(20);
    await expectSoundHistory(fleet, await storm.stop());
    expect(await epochsOf(fleet)).toEqual([1, 2]);
  },
  testLimitMs,
);

test(
  'an instance that loses the session of its lock stops working, and one of them goes on',
  async () => {
    await using fleet = await startFleet();
    const first = await fleet.start();
    await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(20);
    await fleet.surroundings.database.query(`
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and objsubid = 2 and granted
      and database = (select oid from pg_database where datname = current_database())
      and pid in (select pid from pg_stat_activity where application_name like 'trt-%')`);
    await first.waitForEvent('LOCK_LOST');
    await storm.taps(20);
    await expectSoundHistory(fleet, await storm.stop());
  },
  testLimitMs,
);

test(
  'an instance that is asked to end lets the next one go on before it ends',
  async () => {
    await using fleet = await startFleet();
    const first = await fleet.start();
    const second = await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(20);
    first.leaveRotation();
    first.signal('SIGTERM');
    await becomesActive(second);
    expect((await first.exited).signal).toBe('SIGTERM');
    expect(first.lines.map(({ name }) => name)).toContain('LOCK_RELEASED');
    await storm.taps(20);
    await expectSoundHistory(fleet, await storm.stop());
  },
  testLimitMs,
);

test(
  'a new release takes over at once, without a refused tap, and the old one never asks for it back',
  async () => {
    await using fleet = await startFleet();
    const old = await fleet.start({ RELEASE: 'old' });
    const storm = await startStorm(fleet);
    await storm.taps(20);
    const next = await fleet.start({ RELEASE: 'new' });
    await becomesActive(next);
    expect(await old.waitForEvent('LOCK_RELEASED')).toMatchObject({ operation: 'hand-over' });
    await storm.taps(40);
    // It stands by meanwhile, and would have asked by now.
    await old.waitForLine(({ name, bot_state }) => name === 'QUEUE_ENQUEUE' && bot_state === 'PASSIVE');
    await storm.taps(40);
    await expectSoundHistory(fleet, await storm.stop());
    expect(await epochsOf(fleet)).toEqual([1, 2]);
    expect(fleet.lines().filter(({ reason_code }) => reason_code === 'PASSIVE_REJECT')).toEqual([]);

    next.signal('SIGKILL');
    await waitFor('the old release to go on', () => acquisitions(old) === 2 || undefined);
  },
  testLimitMs,
);

test(
  'a restart of Postgres is sat out',
  async () => {
    const postgres = await startPostgres({ durable: true });
    onTestFinished(() => postgres.stop());
    await using fleet = await startFleet({ database: openDatabase(await postgres.createDatabase()) });
    const first = await fleet.start();
    await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(20);
    await postgres.restart();
    await first.waitForEvent('LOCK_LOST');
    await storm.taps(20);
    await expectSoundHistory(fleet, await storm.stop());
  },
  testLimitMs,
);

test(
  'a standby of the same release waits',
  async () => {
    await using fleet = await startFleet();
    const first = await fleet.start();
    const second = await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(60);
    await expectSoundHistory(fleet, await storm.stop());
    expect([acquisitions(first), acquisitions(second)]).toEqual([1, 0]);
  },
  testLimitMs,
);

test(
  'of two pollers one polls, and the other goes on where it ends',
  async () => {
    await using fleet = await startFleet({ environment: { BOT_MODE: 'polling' } });
    const first = await fleet.start();
    const second = await fleet.start();
    const storm = await startStorm(fleet);
    await storm.taps(20);
    first.signal('SIGKILL');
    await becomesActive(second);
    await storm.taps(20);
    await expectSoundHistory(fleet, await storm.stop());
    const received = fleet.lines().filter(({ name }) => name === 'UPDATE_RECEIVED');
    expect(new Set(received.map(({ instance_id }) => instance_id))).toEqual(new Set([first.id, second.id]));
  },
  testLimitMs,
);

async function becomesActive(instance: Instance): Promise<void> {
  await instance.waitForEvent('LOCK_ACQUIRED');
}

function acquisitions({ lines }: Program): number {
  return lines.filter(({ name }) => name === 'LOCK_ACQUIRED').length;
}

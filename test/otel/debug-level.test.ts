// The level of all instances: switched by an administrator, shared through the database, back by itself.
import { expect, test } from 'vitest';
import { createDebugLevel, type DebugLevel, type DebugLevelStore } from '../../src/otel/debug-level.ts';
import type { Telemetry } from '../../src/otel/telemetry.ts';
import type { Database } from '../../src/storage/database.ts';
import { createDebugLevelStore } from '../../src/storage/debug-level-store.ts';
import { type BotUnderTest, type Line, startBot, waitFor } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { storyOf } from '../support/story.ts';
import { recordTelemetry } from '../support/telemetry.ts';
import { walkToForm } from '../support/walk.ts';

const admin = 'ad0ad0ad';

interface Instance {
  readonly telemetry: Telemetry;
  readonly level: DebugLevel;
  readonly lines: readonly Line[];
  names(): string[];
}

interface InstanceOptions {
  readonly lookEveryMs?: number;
  /** In place of asking the database. */
  readonly read?: DebugLevelStore['read'];
}

interface Fleet extends AsyncDisposable {
  /** Not started yet. */
  instance(options?: InstanceOptions): Instance;
  readonly database: Database;
}

async function openFleet(): Promise<Fleet> {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  const store = createDebugLevelStore(database);
  const levels: DebugLevel[] = [];
  return {
    database,
    instance(options = {}) {
      const { telemetry, logger, lines } = recordTelemetry({ checked: true });
      const level = createDebugLevel({
        store: { ...store, ...(options.read ? { read: options.read } : {}) },
        logger,
        level: 'INFO',
        telemetry,
        lookEveryMs: options.lookEveryMs ?? 20,
      });
      levels.push(level);
      return { telemetry, level, lines, names: () => lines.map(({ name }) => name) };
    },
    async [Symbol.asyncDispose]() {
      for (const level of levels) level.stop();
      await database.stop();
      await testDatabase.drop();
    },
  };
}

const seenBy = ({ telemetry }: Instance): boolean => telemetry.isEnabled('STATE_BEFORE');

function until(instance: Instance, enabled: boolean): Promise<true> {
  return waitFor(
    `detail ${enabled ? 'emitted' : 'not emitted'}`,
    () => seenBy(instance) === enabled || undefined,
    () => instance.names().join(),
  );
}

test('every instance emits detail once it was enabled on one, and none once it was disabled', async () => {
  await using fleet = await openFleet();
  const [here, there] = [fleet.instance(), fleet.instance()];
  await Promise.all([here.level.start(), there.level.start()]);
  expect([seenBy(here), seenBy(there)]).toEqual([false, false]);
  expect(here.level.state()).toEqual({ until: undefined });

  const before = Date.now();
  const { until: end } = await here.level.enable({ minutes: 30, by: admin });
  expect(Number(end) - before).toBeGreaterThan(29.5 * 60_000);
  expect(Number(end) - before).toBeLessThan(30.5 * 60_000);
  expect(seenBy(here)).toBe(true);
  await until(there, true);
  expect(there.level.state()).toEqual({ until: end });
  const enabled = { name: 'DEBUG_ENABLED', level: 'INFO', user_hash: admin, until: end?.toISOString() };
  expect(here.lines).toMatchObject([{ ...enabled, operation: 'command' }]);
  expect(there.lines).toMatchObject([{ ...enabled, operation: 'follow' }]);

  await there.level.disable({ by: 'ad1ad1ad' });
  expect(seenBy(there)).toBe(false);
  await until(here, false);
  expect(there.lines.at(-1)).toMatchObject({
    name: 'DEBUG_DISABLED',
    operation: 'command',
    user_hash: 'ad1ad1ad',
  });
  expect(here.lines.at(-1)).toMatchObject({ name: 'DEBUG_DISABLED', operation: 'follow' });
  expect(here.level.state()).toEqual({ until: undefined });
});

test('it holds after a restart, and does not come back after its time', async () => {
  await using fleet = await openFleet();
  await fleet.instance().level.enable({ minutes: 30, by: admin });
  const restarted = fleet.instance();
  await restarted.level.start();
  expect(seenBy(restarted)).toBe(true);
  expect(restarted.lines).toMatchObject([{ name: 'DEBUG_ENABLED', operation: 'follow', user_hash: admin }]);

  await fleet.database.query(`update debug_level set until = now() - interval '1 second'`);
  const later = fleet.instance();
  await later.level.start();
  expect(seenBy(later)).toBe(false);
  expect(later.lines).toEqual([]);
});

test('the level returns by itself when the time is over, also without a database', async () => {
  await using fleet = await openFleet();
  const instance = fleet.instance({ lookEveryMs: 60_000 });
  await instance.level.start();
  await instance.level.enable({ minutes: 0.005, by: admin });
  expect(seenBy(instance)).toBe(true);
  await until(instance, false);
  expect(instance.lines).toMatchObject([
    { name: 'DEBUG_ENABLED' },
    { name: 'DEBUG_DISABLED', operation: 'expired' },
  ]);
});

test('enabled anew it lasts from then on, by who did it last', async () => {
  await using fleet = await openFleet();
  const instance = fleet.instance();
  const first = await instance.level.enable({ minutes: 0.01, by: admin });
  const second = await instance.level.enable({ minutes: 30, by: 'ad1ad1ad' });
  expect(Number(second.until)).toBeGreaterThan(Number(first.until));
  await waitFor('the first end', () => Date.now() > Number(first.until) + 50 || undefined);
  expect(seenBy(instance)).toBe(true);
  expect(instance.lines).toMatchObject([{ user_hash: admin }, { user_hash: 'ad1ad1ad' }]);
});

test('a database that does not answer leaves the level as it is, and is complained of once', async () => {
  await using fleet = await openFleet();
  let looks = 0;
  const instance = fleet.instance({
    read: async () => {
      looks += 1;
      throw new Error('the database is gone');
    },
  });
  await instance.level.start();
  await waitFor('more looks', () => looks > 4 || undefined);
  expect(seenBy(instance)).toBe(false);
  expect(instance.lines).toMatchObject([
    { name: 'SYSTEM_WARNING', operation: 'read the debug level', reason_code: 'DB_ERROR' },
  ]);
});

test('a look that began before a command does not undo it', async () => {
  await using fleet = await openFleet();
  const { promise: seen, resolve } = Promise.withResolvers<undefined>();
  const instance = fleet.instance({ read: () => seen, lookEveryMs: 60_000 });
  const starting = instance.level.start();
  await instance.level.enable({ minutes: 30, by: admin });
  resolve(undefined);
  await starting;
  expect(seenBy(instance)).toBe(true);
  expect(instance.names()).toEqual(['DEBUG_ENABLED']);
});

test('an instance that was stopped looks no more and changes nothing', async () => {
  await using fleet = await openFleet();
  const [stopped, other] = [fleet.instance(), fleet.instance()];
  await Promise.all([stopped.level.start(), other.level.start()]);
  stopped.level.stop();
  await other.level.enable({ minutes: 30, by: admin });
  await until(other, true);
  expect(seenBy(stopped)).toBe(false);
});

test('at INFO an update emits no detail; at DEBUG where its user stood and every call that it made', async () => {
  await using quiet = await startBot();
  await walkToForm(quiet.user());
  expect(quiet.lines.some(({ level }) => level === 'DEBUG')).toBe(false);
  expect(detailIn(quiet)).toEqual([]);

  await using bot = await startBot({ environment: { LOG_LEVEL: 'DEBUG' } });
  const user = bot.user();
  await walkToForm(user);
  const story = await storyOf(bot, user.say('a canary prompt about a yellow bird'));
  expect(story.line('STATE_BEFORE')).toMatchObject({
    level: 'DEBUG',
    screen_id: 'NONE',
    revision: 1,
    form_values: expect.stringMatching(/^\{.*\}$/),
    model_id: 'z-image',
    step_id: 'prompt',
  });
  expect(story.line('TELEGRAM_CALL')).toMatchObject({ operation: 'sendMessage', result: 'accepted' });
  expect(bot.output.join('')).not.toContain('yellow bird');
  await user.waitForMessage(/step 2 of 2/);
  const choice = await storyOf(bot, user.click('16:9'));
  expect(choice.line('STATE_BEFORE')).toMatchObject({
    screen_id: 'PARAMS_FORM',
    form_values: expect.stringContaining('"prompt":"text(35)"'),
  });
  const run = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  const calls = bot.linesOf(run.cid).filter(({ name }) => name === 'KIE_CALL');
  expect(calls[0]).toMatchObject({
    operation: 'createTask',
    result: 'accepted',
    reason_detail: 'code 200',
    duration_ms: expect.any(Number),
  });
  bot.telegram.failNext({
    kind: 'error',
    code: 400,
    description: 'Bad Request: nonsense',
    method: 'sendMessage',
  });
  const refused = await storyOf(bot, user.say('/help'));
  expect(
    bot.linesOf(refused.cid).find(line => line.name === 'TELEGRAM_CALL' && line.result === 'rejected'),
  ).toMatchObject({ operation: 'sendMessage', reason_detail: '400 Bad Request: nonsense' });
});

function detailIn(bot: BotUnderTest): string[] {
  return bot.lines.filter(({ name }) => /_CALL$|^STATE_/.test(name)).map(({ name }) => name);
}

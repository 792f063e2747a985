// What begins under a tenure ends with it, whatever happens in between, and what goes wrong is told, also afterwards.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { resignPauseMs } from '../../src/lock/resign-pause.ts';
import { createRole, type Role, type RoleOptions, type RoleTasks } from '../../src/lock/role.ts';
import { createRoleTask, type Running } from '../../src/lock/role-task.ts';
import type { Tenure } from '../../src/lock/tenure.ts';
import { createProofBook } from '../../src/lock/work-proof.ts';
import { Secret } from '../../src/secret.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { type RecordedTelemetry, recordTelemetry } from '../support/telemetry.ts';

/** A role task whose beginnings wait until they are let go, and which counts what runs. */
function createScene() {
  const beginnings: PromiseWithResolvers<void>[] = [];
  let running = 0;
  const start = async (): Promise<Running> => {
    const beginning = Promise.withResolvers<void>();
    beginnings.push(beginning);
    await beginning.promise;
    running += 1;
    return {
      settled: async () => undefined,
      async stop() {
        running -= 1;
      },
    };
  };
  return { beginnings, start, running: () => running };
}

interface Instance {
  readonly role: Role;
  readonly start: () => ReturnType<Role['start']>;
  readonly told: RecordedTelemetry;
  readonly database: TestDatabase;
  /** What it was made with, for another one on the same database. */
  readonly options: RoleOptions;
}

async function createInstance(
  tasks: RoleTasks,
  mode: RoleOptions['mode'] = 'single',
  lockUrlOf: (url: string) => Promise<string> = async url => url,
): Promise<Instance> {
  const database = await createTestDatabase();
  const told = recordTelemetry();
  const pool = database.connect(3);
  const options: RoleOptions = {
    mode,
    url: new Secret(await lockUrlOf(database.url)),
    database: pool,
    botId: 7,
    instanceId: 'trt-tenures',
    release: 'release',
    timings: { heartbeatMs: 200, staleMs: 3_000, releaseWaitMs: 500, statementDeadlineMs: 5_000 },
    telemetry: told.telemetry,
    lockTelemetry: told.telemetry,
  };
  const role = createRole(options);
  onTestFinished(async () => {
    await role.release();
    await pool.stop();
    await database.drop();
  });
  return { role, start: () => role.start(tasks), told, database, options };
}

const endLock = ({ database }: Instance): Promise<unknown> =>
  database.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database())`,
  );

const toldTimes = ({ told }: Instance, name: string, operation?: string): number =>
  told.lines.filter(line => line.name === name && (operation === undefined || line.operation === operation))
    .length;

const reach = (what: string, holds: () => boolean): Promise<unknown> =>
  waitFor(what, () => holds() || undefined, undefined, patienceMs);

test(
  'the source is never opened under a tenure that ended while the work was still beginning',
  async () => {
    const work = createScene();
    const source = createScene();
    const instance = await createInstance({
      work: createRoleTask(work.start, () => expect.fail('stopping the work failed')),
      source: createRoleTask(source.start, () => expect.fail('stopping the source failed')),
    });
    void instance.start();
    await reach('the work to begin', () => work.beginnings.length === 1);
    await endLock(instance);
    await reach('the loss of the lock', () => toldTimes(instance, 'LOCK_LOST') === 1);
    await reach('the next tenure', () => work.beginnings.length === 2);

    work.beginnings[0]?.resolve();
    work.beginnings[1]?.resolve();
    await reach('the source to be opened', () => source.beginnings.length === 1);
    source.beginnings[0]?.resolve();
    await reach('the source to be open', () => source.running() === 1);
    expect(work.running()).toBe(1);
    expect(source.beginnings).toHaveLength(1);
  },
  testLimitMs,
);

test(
  'a beginning that fails after its tenure has ended is told',
  async () => {
    const work = createScene();
    const instance = await createInstance({
      work: createRoleTask(work.start, () => undefined),
      source: createRoleTask(createScene().start, () => undefined),
    });
    void instance.start();
    await reach('the work to begin', () => work.beginnings.length === 1);
    await endLock(instance);
    await reach('the loss of the lock', () => toldTimes(instance, 'LOCK_LOST') === 1);
    work.beginnings[0]?.reject(new Error('too late to begin'));
    await reach('the word on it', () => toldTimes(instance, 'SYSTEM_WARNING', 'begin work') === 1);
  },
  testLimitMs,
);

test(
  'a member whose work does not begin, though it has joined again, is not ACTIVE for good',
  async () => {
    const work = createScene();
    const source = createScene();
    const instance = await createInstance(
      {
        work: createRoleTask(work.start, () => undefined),
        source: createRoleTask(source.start, () => undefined),
      },
      'cluster',
    );
    void instance.start();
    await reach('the source to be opened', () => source.beginnings.length === 1);
    source.beginnings[0]?.resolve();
    await reach('the work to begin', () => work.beginnings.length === 1);
    work.beginnings[0]?.resolve();
    await instance.database.query(`delete from leases where name like 'member:%'`);
    await reach('the loss of its lease', () => toldTimes(instance, 'LOCK_LOST') === 1);
    await reach('the second beginning', () => work.beginnings.length === 2);
    expect(instance.role.state.isActive()).toBe(true);
    await reach('its resignation', () => !instance.role.state.isActive());
    expect(toldTimes(instance, 'LOCK_LOST', 'no proof of work: beginning')).toBe(1);
    expect(instance.role.proof.hasFailed()).toBe(true);
    await reach('the third beginning', () => work.beginnings.length === 3);
  },
  testLimitMs,
);

test(
  'a beginning that goes on step by step, however slow, is not begun anew, and shows nothing yet',
  async () => {
    let beginnings = 0;
    const source = createScene();
    const instance = await createInstance({
      work: createRoleTask(
        async tenure => {
          beginnings += 1;
          for (let step = 0; step < 8; step += 1) {
            await sleep(1_000);
            tenure.advance('beginning');
          }
          return { settled: async () => undefined, stop: async () => undefined };
        },
        () => undefined,
      ),
      source: createRoleTask(source.start, () => undefined),
    });
    void instance.start();
    await reach('a probe to miss its proof', () => instance.role.proof.missing() === 'beginning');
    expect(instance.role.state.isActive()).toBe(true);
    await reach('the source to be opened', () => source.beginnings.length === 1);
    expect(beginnings).toBe(1);
    expect(toldTimes(instance, 'LOCK_RELEASED')).toBe(0);
  },
  testLimitMs,
);

test(
  'one that could not work twice sees while it stands aside that another one works, and is a standby like any other then',
  async () => {
    const idle = { settled: async () => undefined, stop: async () => undefined };
    const hanging = createScene();
    const failing = await createInstance({
      work: createRoleTask(hanging.start, () => undefined),
      source: createRoleTask(createScene().start, () => undefined),
    });
    void failing.start();
    await reach(
      'its second resignation, after which it stands aside for longer than a holder may be silent',
      () => toldTimes(failing, 'LOCK_RELEASED', 'no proof of work: beginning') === 2,
    );
    expect(failing.role.proof.hasFailed()).toBe(true);

    const pool = failing.database.connect(3);
    const working = createRole({
      ...failing.options,
      database: pool,
      instanceId: 'trt-working',
    });
    const tasks: RoleTasks = {
      work: createRoleTask(
        async tenure => {
          tenure.expect([]);
          return idle;
        },
        () => undefined,
      ),
      source: createRoleTask(
        async () => idle,
        () => undefined,
      ),
    };
    try {
      await working.start(tasks);
      let refusedTaps = false;
      await reach('that it is forgotten', () => {
        refusedTaps ||= failing.role.state.isAbandoned();
        return !failing.role.proof.hasFailed();
      });
      expect(refusedTaps).toBe(false);
      expect(working.state.isActive()).toBe(true);
      expect(hanging.beginnings).toHaveLength(2);
    } finally {
      await working.release();
      await pool.stop();
    }
  },
  testLimitMs,
);

test('failures are counted in a row: a tenure in which every part proves itself ends the row', async () => {
  const proofs = createProofBook(50);
  const failsOnce = async (): Promise<void> => {
    const tenure = proofs.open();
    tenure.expect(['beginning']);
    await proofs.overdue(AbortSignal.timeout(testLimitMs));
    tenure.end();
  };
  await failsOnce();
  await failsOnce();
  expect([proofs.failures(), proofs.hasFailed()]).toEqual([2, true]);
  // Another one works: that is no proof of this one.
  proofs.forgive();
  expect([proofs.failures(), proofs.hasFailed()]).toEqual([2, false]);
  const tenure = proofs.open();
  tenure.expect(['lane', 'task']);
  tenure.prove('lane');
  expect(proofs.failures()).toBe(2);
  tenure.prove('task');
  expect([proofs.failures(), proofs.hasFailed()]).toEqual([0, false]);
});

test('whoever fails again and again leaves it to others for longer each time, but never for good', () => {
  expect([1, 2, 3, 4, 5, 60].map(resignPauseMs)).toEqual([3_000, 6_000, 12_000, 24_000, 24_000, 24_000]);
});

test('nothing begins under a tenure that has ended', async () => {
  const scene = createScene();
  const task = createRoleTask(scene.start, () => undefined);
  const ended: Tenure = {
    lease: { name: 'test', epoch: 1 },
    signal: AbortSignal.abort(),
    isLost: () => true,
    expect: () => undefined,
    prove: () => undefined,
    advance: () => undefined,
  };
  await task.begin(ended);
  expect(scene.beginnings).toEqual([]);
});

test(
  'one that cannot reach the lock any more finds out that nobody works, though nobody asks it',
  async () => {
    const work = createScene();
    const source = createScene();
    let proxy: Awaited<ReturnType<typeof startPostgresProxy>> | undefined;
    onTestFinished(async () => proxy?.[Symbol.asyncDispose]());
    const instance = await createInstance(
      {
        work: createRoleTask(work.start, () => undefined),
        source: createRoleTask(source.start, () => undefined),
      },
      'single',
      async url => {
        proxy = await startPostgresProxy(url);
        return proxy.url;
      },
    );
    const started = instance.start();
    await reach('the work to begin', () => work.beginnings.length === 1);
    work.beginnings[0]?.resolve();
    await reach('the source to be opened', () => source.beginnings.length === 1);
    source.beginnings[0]?.resolve();
    expect(await started).toBe('ACTIVE');
    // What is stored goes another way, and still can be.
    proxy?.refuse();
    proxy?.cut();
    await reach('the loss of the lock', () => toldTimes(instance, 'LOCK_LOST') === 1);
    await reach('the word that nobody works', () => instance.role.state.isAbandoned());
    proxy?.setPassage({ kind: 'pass' }, { to: 'new' });
    await reach('the next tenure', () => work.beginnings.length === 2);
    expect(instance.role.state.isAbandoned()).toBe(false);
  },
  testLimitMs,
);

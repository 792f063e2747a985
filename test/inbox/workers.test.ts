// Which jobs compete for slots, under which lease they run, and what shows that they are worked.
import { expect, onTestFinished, test } from 'vitest';
import { type JobHandlers, startWorkers } from '../../src/inbox/workers.ts';
import { leaseOfCaller } from '../../src/lock/lease.ts';
import { createTenure } from '../../src/lock/tenure.ts';
import { createProofBook } from '../../src/lock/work-proof.ts';
import { addCallbackJob, addTaskJob, cleanQueue, unlockJobsOfTheGone } from '../../src/storage/job-queue.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { recordTelemetry } from '../support/telemetry.ts';

const silentMs = 1_000;

async function startScene(handlers: Partial<JobHandlers>, epoch = 7) {
  const database = await createTestDatabase();
  const pool = database.connect(4);
  const proofs = createProofBook(60_000);
  const tenure = createTenure({ name: 'test', epoch }, proofs);
  const workers = await startWorkers({
    database: pool,
    openQueue: () => database.connect(3),
    instanceId: 'trt-workers',
    tenure,
    jobs: {
      lane: async () => undefined,
      follow_up: async () => undefined,
      task: async () => undefined,
      ...handlers,
    },
    slots: { lane: 1, task: 2 },
    telemetry: recordTelemetry().telemetry,
    patienceMs: 60_000,
  });
  onTestFinished(async () => {
    await workers.stop();
    await pool.stop();
    await database.drop();
  });
  const addLaneJob = (lane: number): Promise<unknown> =>
    database.query(`select graphile_worker.add_job('lane', json_build_object('lane', $1::bigint))`, [lane]);
  const query = database.query;
  return { pool, proofs, tenure, workers, addLaneJob, query };
}

const reach = (what: string, holds: () => boolean): Promise<unknown> =>
  waitFor(what, () => holds() || undefined, undefined, patienceMs);

test(
  'while all slots for tasks are taken by tasks that hang, a tap is worked',
  async () => {
    const release = Promise.withResolvers<void>();
    onTestFinished(() => release.resolve());
    let hanging = 0;
    const worked: number[] = [];
    const { pool, addLaneJob } = await startScene({
      async task() {
        hanging += 1;
        await release.promise;
      },
      async lane({ lane }) {
        worked.push(lane);
      },
    });
    for (const task of ['one', 'two', 'three']) await addTaskJob(pool, task, 0);
    await reach('two tasks to hang', () => hanging === 2);
    await addLaneJob(5);
    await reach('the tap to be worked', () => worked.includes(5));
    expect(hanging).toBe(2);
    release.resolve();
    await reach('the third task', () => hanging === 3);
  },
  testLimitMs,
);

test(
  'a job runs under the lease of its tenure to its end, whichever lease the instance has by then',
  async () => {
    const lease = leaseOfCaller(() => ({ name: 'test', epoch: 8 }));
    const epochs: number[] = [];
    const { pool, addLaneJob } = await startScene({
      async lane() {
        await pool.query('select 1');
        epochs.push(lease().epoch);
      },
      async task() {
        await pool.query('select 1');
        epochs.push(lease().epoch);
      },
    });
    await addLaneJob(1);
    await addCallbackJob(pool, 'task');
    await reach('both jobs', () => epochs.length === 2);
    expect(epochs).toEqual([7, 7]);
    expect(lease().epoch).toBe(8);
  },
  testLimitMs,
);

test(
  'jobs that end show that their runner works; one whose part is silent is missed, and not once the tenure has ended',
  async () => {
    const scene = await startScene({ lane: async () => scene.tenure.prove('task') });
    const { proofs, tenure, addLaneJob } = scene;
    await reach('some silence', () => (proofs.ageMs() ?? 0) > silentMs);
    await addLaneJob(1);
    await reach('the job', () => (proofs.ageMs() ?? Number.POSITIVE_INFINITY) < silentMs);
    expect(proofs.missing()).toBeUndefined();
    tenure.end();
    expect(proofs.ageMs()).toBeUndefined();
  },
  testLimitMs,
);

test(
  'a job locked under a lease that is over is free again, one under a lease that is held is not, one that is used up goes',
  async () => {
    const release = Promise.withResolvers<void>();
    let hanging = 0;
    const { pool, query } = await startScene(
      {
        async task() {
          hanging += 1;
          await release.promise;
        },
      },
      1,
    );
    onTestFinished(() => release.resolve());
    await takeLease(pool);
    await addTaskJob(pool, 'one', 0);
    await addTaskJob(pool, 'two', 0);
    await reach('both tasks to hang', () => hanging === 2);
    const locked = (): Promise<{ key: string | null }[]> =>
      query('select key from graphile_worker._private_jobs where locked_at is not null order by key');
    await unlockJobsOfTheGone(pool);
    expect(await locked()).toEqual([{ key: 'task:one' }, { key: 'task:two' }]);

    // A look that is added while one runs takes the key, and the row of the running one is used up.
    await query('select graphile_worker.remove_job($1)', ['task:two']);
    // Somebody else is in charge now; nobody says so to the one that hangs.
    await takeLease(pool);
    await unlockJobsOfTheGone(pool);
    expect(await locked()).toEqual([]);
    await cleanQueue({ pool: pool.pool });
    expect(await query('select key, attempts from graphile_worker._private_jobs')).toEqual([
      { key: 'task:one', attempts: 1 },
    ]);
  },
  testLimitMs,
);

test(
  'a job locked under a name that does not show its lease is free again when no job takes so long',
  async () => {
    const { pool, query } = await startScene({});
    for (const minutes of [10, 20])
      await query(`select graphile_worker.add_job('unknown', job_key => $1)`, [`${minutes} minutes`]);
    await query(
      `update graphile_worker._private_jobs set locked_by = 'pool-of-before', locked_at = now() - key::interval`,
    );
    await unlockJobsOfTheGone(pool);
    expect(await query('select key from graphile_worker._private_jobs where locked_at is not null')).toEqual([
      { key: '10 minutes' },
    ]);
  },
  testLimitMs,
);

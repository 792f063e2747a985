// The workers on graphile-worker: LISTEN/NOTIFY wake-up, many jobs at a time, retries with back-off for jobs
// that could not even record their failure. Which update or task a job is about, and in which order, is
// decided by lanes and pipeline from their own rows; a job only says where to look. Lanes and tasks have slots of their
// own: however many tasks wait for somebody's host, a tap is worked at once.
import { underLease } from '../lock/lease.ts';
import type { Tenure } from '../lock/tenure.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import {
  addPulse,
  type JobName,
  type JobPayloads,
  jobOwner,
  pulseOf,
  unlockJobsOf,
} from '../storage/job-queue.ts';
import type { Job } from './runner.ts';
import { startSupervisedRunner } from './supervised-runner.ts';

export type JobHandlers = { readonly [J in JobName]: (payload: JobPayloads[J]) => Promise<void> };

/** Which jobs share slots. What an update leaves to be done is part of its lane. */
type RunnerName = 'lane' | 'task';
type PerRunner = Readonly<Record<RunnerName, number>>;
/** How many jobs of each may run at a time. */
export type Slots = PerRunner;

export interface Workers {
  /** Slots for lanes that nothing has taken. */
  freeSlots(): number;
  /** By what jobs were locked that runners which are gone had taken. */
  deadRunners(): readonly string[];
  /** Stops taking jobs at once; resolves when those in flight have ended. */
  stop(): Promise<void>;
  /** Resolves when what is in flight now has ended. */
  settled(): Promise<void>;
}

export interface WorkersOptions {
  readonly database: Database;
  /** Opens the connections through which one runner takes jobs. */
  readonly openQueue: () => Database;
  readonly instanceId: string;
  /** Jobs run under its lease, and show that this instance works. */
  readonly tenure: Tenure;
  readonly jobs: JobHandlers;
  readonly slots: Slots;
  readonly telemetry: Telemetry;
  /** A runner without a sign of life for so long is replaced. */
  readonly patienceMs: number;
}

/**
 * By then a job has ended, or it hangs. An update has some seconds for all that it asks of others, and the database's
 * own limits; a step of a task may move large files.
 */
const longestJobMs: PerRunner = { lane: 60_000, task: 600_000 };
/** A tap is worked at once. A task takes seconds; its runner would ask in vain for each tap of anybody. */
const gatherMs: PerRunner = { lane: 0, task: 50 };

/** Resolves when jobs are taken. Rejects, with nothing running, when they cannot be. */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { database, tenure, telemetry, jobs, instanceId } = options;
  // Each under the lease of this tenure, whatever lease this instance has by the time it ends.
  const underTenure =
    <J extends JobName>(job: J): Job =>
    payload =>
      // SAFETY: payloads are written by job-queue.ts only, whose types these are.
      underLease(tenure.lease, () => jobs[job](payload as JobPayloads[J]), tenure.isLost);
  const jobsOf: Readonly<Record<RunnerName, Readonly<Record<string, Job>>>> = {
    lane: { lane: underTenure('lane'), follow_up: underTenure('follow_up') },
    task: { task: underTenure('task') },
  };

  const begin = (part: RunnerName) => {
    const pulse = pulseOf(instanceId, part);
    return startSupervisedRunner({
      openQueue: options.openQueue,
      telemetry,
      part,
      owner: jobOwner(tenure.lease),
      pulse,
      concurrency: options.slots[part],
      gatherMs: gatherMs[part],
      jobs: jobsOf[part],
      sendPulse: () => addPulse(database, pulse),
      prove: () => tenure.prove(part),
      patienceMs: options.patienceMs,
      longestJobMs: longestJobMs[part],
      revive: deadIds => unlockJobsOf(database, deadIds),
    });
  };

  const lanes = await begin('lane');
  tenure.advance('beginning');
  const tasks = await begin('task').catch(async (error: unknown) => {
    await lanes.stop();
    throw error;
  });
  tenure.expect(['lane', 'task']);
  return {
    freeSlots: () => lanes.freeSlots(),
    deadRunners: () => [...lanes.deadIds, ...tasks.deadIds],
    async stop() {
      await Promise.all([lanes.stop(), tasks.stop()]);
    },
    async settled() {
      await Promise.all([lanes.settled(), tasks.settled()]);
    },
  };
}

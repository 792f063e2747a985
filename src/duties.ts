// What an instance does only while it is in charge: work the jobs, and be where updates come from. Both begin and end
// with the role (lock/role.ts), possibly several times in the life of a process.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceWatch } from './bot/source-watch.ts';
import { AppError } from './errors.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { Lanes } from './inbox/lanes.ts';
import { watchForStrandedWork } from './inbox/stranded-work.ts';
import { type JobHandlers, type Slots, startWorkers } from './inbox/workers.ts';
import type { Running } from './lock/duty.ts';
import type { InstanceMode } from './lock/lease.ts';
import type { Tenure } from './lock/tenure.ts';
import type { Telemetry } from './otel/telemetry.ts';
import type { Database } from './storage/database.ts';
import { forgetPulses, shareWork, takeOverFromDead, takeOverWork } from './storage/job-queue.ts';

export interface WorkOptions {
  readonly mode: InstanceMode;
  readonly database: Database;
  /** Opens connections through which jobs are taken; see app.ts. */
  readonly openQueue: () => Database;
  readonly instanceId: string;
  readonly tenure: Tenure;
  readonly staleMs: number;
  /** Without a proof that it works for so long, this instance is succeeded. */
  readonly proofLimitMs: number;
  readonly lanes: Lanes;
  readonly task: JobHandlers['task'];
  readonly tasksUnderWay: () => readonly string[];
  readonly slots: Slots;
  readonly telemetry: Telemetry;
}

const registrationPauseMs = 5_000;
/** A runner that does not answer is replaced early enough to show, before the lease is given up, that it helped. */
const restartsWithinProof = 2;

/** Takes over what others have left, and works. */
export async function beginWork(options: WorkOptions): Promise<Running> {
  const { mode, database, instanceId, staleMs, lanes, telemetry } = options;
  if (mode === 'single') await takeOverWork(database, instanceId, options.tenure.lease);
  else {
    await takeOverFromDead(database, staleMs);
    await shareWork(database);
  }
  await forgetPulses(database);
  const workers = await startWorkers({
    database,
    openQueue: options.openQueue,
    instanceId,
    tenure: options.tenure,
    jobs: {
      lane: ({ lane }) => lanes.work(lane),
      follow_up: ({ lane }) => lanes.followUp(lane),
      task: options.task,
    },
    slots: options.slots,
    telemetry,
    patienceMs: options.proofLimitMs / restartsWithinProof,
  });
  const stranded = watchForStrandedWork({
    database,
    instanceId,
    clusterStaleMs: mode === 'cluster' ? staleMs : undefined,
    lanes,
    tasksUnderWay: options.tasksUnderWay,
    workers,
    telemetry,
  });
  return {
    settled: workers.settled,
    async stop() {
      await Promise.all([stranded.stop(), workers.stop()]);
    },
  };
}

export interface SourceOptions {
  /** Aborted when this instance is the source no more, perhaps before this has begun. */
  readonly signal: AbortSignal;
  /** Tells Telegram where to send updates. */
  readonly register: () => Promise<void>;
  /** What can never be registered then keeps the process from starting; all else is tried until it succeeds. */
  readonly isStarting: boolean;
  /** Absent where Telegram sends them. */
  readonly startPolling: (() => { stop(): Promise<void> }) | undefined;
  /** What one instance does for all of them meanwhile. */
  readonly startHousekeeping: () => Housekeeping;
  readonly watch: Pick<SourceWatch, 'start'>;
  readonly telemetry: Pick<Telemetry, 'warn'>;
}

/** Makes this instance the one that Telegram's updates come to. */
export async function openSource(options: SourceOptions): Promise<Running> {
  const { signal } = options;
  const isRegistered = options.isStarting && (await registerAtStart(options));
  const registered = isRegistered ? undefined : keepTrying(options);
  if (signal.aborted) return { settled: async () => undefined, stop: async () => registered };
  const polling = options.startPolling?.();
  const housekeeping = options.startHousekeeping();
  const watching = options.watch.start();
  return {
    settled: async () => undefined,
    async stop() {
      housekeeping.stop();
      watching.stop();
      await Promise.all([registered, polling?.stop()]);
    },
  };
}

/** False where it may succeed later; rejects where it never will. */
async function registerAtStart({ register, telemetry }: SourceOptions): Promise<boolean> {
  try {
    await register();
    return true;
  } catch (error) {
    if (error instanceof AppError && !error.retryable) throw error;
    telemetry.warn('register at Telegram', error);
    return false;
  }
}

/** Until it succeeds or is not wanted any more. Never rejects. */
async function keepTrying({ register, telemetry, signal }: SourceOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      return await register();
    } catch (error) {
      telemetry.warn('register at Telegram', error);
      await sleep(registrationPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

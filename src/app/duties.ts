// What an instance does only while it is in charge: work the jobs, and be where updates come from. Both begin and end
// with the role (lock/role.ts), possibly several times in the life of a process.
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import type { Lanes } from '../inbox/lanes.ts';
import { watchForStrandedWork } from '../inbox/stranded-work.ts';
import { type JobHandlers, type Slots, startWorkers } from '../inbox/workers.ts';
import { type InstanceMode, underLease } from '../lock/lease.ts';
import type { Running } from '../lock/role-task.ts';
import type { Tenure } from '../lock/tenure.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import { forgetPulses, shareWork, takeOverFromDead, takeOverWork } from '../storage/job-queue.ts';
import type { SourceWatch, Watching } from '../telegram/source-watch.ts';
import type { Housekeeping } from './housekeeping.ts';

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
  const { tenure } = options;
  if (mode === 'single') await takeOverWork(database, instanceId, tenure.lease);
  else {
    await takeOverFromDead(database, staleMs);
    tenure.advance('beginning');
    await shareWork(database);
  }
  tenure.advance('beginning');
  await forgetPulses(database);
  tenure.advance('beginning');
  const workers = await startWorkers({
    database,
    openQueue: options.openQueue,
    instanceId,
    tenure,
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
  /** Its end may come before this has begun. */
  readonly tenure: Tenure;
  /** Tells Telegram where to send updates. */
  readonly register: () => Promise<void>;
  /** Tells Telegram what users can choose from. */
  readonly registerCommands: () => Promise<void>;
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
  const { tenure, isStarting } = options;
  let watching: Watching | undefined;
  // Until it has registered itself, where updates go is what its predecessor has registered.
  const watch = (): void => {
    if (!tenure.signal.aborted) watching = options.watch.start(tenure);
  };
  const isRegistered = isStarting && (await registerAtStart(options, options.register));
  if (isRegistered) watch();
  const hasCommands = isRegistered && (await registerAtStart(options, options.registerCommands));
  const registered = (async () => {
    if (!isRegistered && (await keepTrying(options, options.register))) watch();
    if (!hasCommands) await keepTrying(options, options.registerCommands);
  })();
  const settled = async (): Promise<void> => watching?.settled();
  const polling = tenure.signal.aborted ? undefined : options.startPolling?.();
  const housekeeping = tenure.signal.aborted ? undefined : options.startHousekeeping();
  return {
    settled,
    async stop() {
      housekeeping?.stop();
      watching?.stop();
      await Promise.all([registered, polling?.stop(), settled()]);
    },
  };
}

type Registration = SourceOptions['register'];

/** False where it may succeed later; rejects where it never will. */
async function registerAtStart(options: SourceOptions, register: Registration): Promise<boolean> {
  try {
    await underTenure(options, register);
    return true;
  } catch (error) {
    if (error instanceof AppError && !error.retryable) throw error;
    options.telemetry.warn('register at Telegram', error);
    return false;
  }
}

/** Until it succeeds; false where it is not wanted any more. Never rejects. */
async function keepTrying(options: SourceOptions, register: Registration): Promise<boolean> {
  const { signal } = options.tenure;
  while (!signal.aborted) {
    try {
      await underTenure(options, register);
      return true;
    } catch (error) {
      options.telemetry.warn('register at Telegram', error);
      await sleep(registrationPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

/** Not after somebody else may have registered: what was frozen in between would take the updates away from them. */
function underTenure({ tenure }: SourceOptions, register: Registration): Promise<void> {
  return underLease(tenure.lease, register, tenure.isLost);
}

// Works the jobs while this instance is in charge: takes over what others have left, runs the workers, and looks for work
// that nobody does.
import type { Lanes } from '../inbox/lanes.ts';
import { watchForStrandedWork } from '../inbox/stranded-work.ts';
import { type JobHandlers, type Slots, startWorkers } from '../inbox/workers.ts';
import type { InstanceMode } from '../lock/lease.ts';
import type { Running } from '../lock/role-task.ts';
import type { Tenure } from '../lock/tenure.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import { forgetPulses, shareWork, takeOverFromDead, takeOverWork } from '../storage/job-queue.ts';

export interface WorkOptions {
  readonly mode: InstanceMode;
  readonly database: Database;
  /** Opens connections through which jobs are taken; see databases.ts. */
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
